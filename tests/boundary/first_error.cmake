# SPDX-License-Identifier: MIT
# What a compiler says of a header in a build that the library cannot serve: one sentence first, and then no more than
# where it stands.
# cmake -D COMPILER=... -D INCLUDE=... -D EIGEN=... -D WORK=... -P first_error.cmake
cmake_minimum_required(VERSION 3.25)
file(GLOB_RECURSE headers RELATIVE ${INCLUDE} ${INCLUDE}/chaff/*.hpp)
list(FILTER headers EXCLUDE REGEX "adapters/(opencv|torch)|/version\\.hpp")  # they include others' headers, or nothing
list(LENGTH headers count)
if(count LESS 100)
  message(FATAL_ERROR "only ${count} headers were found")
endif()

# expect(sentence header flags...)
function(expect sentence header)
  file(WRITE ${WORK}/first_error.cpp "#include <${header}>\nint main() {}\n")
  execute_process(COMMAND ${COMPILER} ${ARGN} -fsyntax-only -I ${INCLUDE} ${WORK}/first_error.cpp
                  RESULT_VARIABLE failed ERROR_VARIABLE errors)
  string(REGEX MATCH "[^\n]*error: [^\n]*" first "${errors}")
  string(REGEX MATCHALL "error: " all "${errors}")
  list(LENGTH all count)
  if(NOT failed OR NOT first MATCHES "${sentence}" OR count GREATER 2)
    message(SEND_ERROR "${header} with ${ARGN}: ${count} errors, the first of which is\n${first}\nand not: ${sentence}")
  endif()
endfunction()

foreach(header IN LISTS headers)
  expect("chaff needs C\\+\\+20: compile with -std=c\\+\\+20" ${header} -std=c++17 -isystem ${EIGEN})
endforeach()
foreach(header chaff/chaff.hpp chaff/adapters/eigen.hpp)
  expect("need Eigen 3\\.4 or newer; chaff/core\\.hpp does without" ${header} -std=c++20)
endforeach()
