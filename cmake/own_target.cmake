# SPDX-License-Identifier: MIT

# chaff_own_target(name): a program of this project: linked with the library, built with every warning an error.
# Users of the library get none of these flags.
function(chaff_own_target name)
  target_link_libraries(${name} PRIVATE chaff::chaff)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

# chaff_not_optimised(name): a program that takes longer to compile than to run.
function(chaff_not_optimised name)
  target_compile_options(${name} PRIVATE -O0)
endfunction()
