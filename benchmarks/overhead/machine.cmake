# SPDX-License-Identifier: MIT
# Sets `machine`, which says where figures come from: CPU, compiler and commit; and `features`, the CPU's flags.
# Needs COMPILER and SOURCE, a folder of the repository.
set(cpu)
foreach(field "model name" "cpu family" "model")  # a name alone may not tell the generation
  file(STRINGS /proc/cpuinfo value REGEX "^${field}[\t ]*:" LIMIT_COUNT 1)
  string(REGEX REPLACE ".*: " "" value "${value}")
  list(APPEND cpu "${value}")
endforeach()
list(JOIN cpu " / " cpu)
file(STRINGS /proc/cpuinfo features REGEX "^flags" LIMIT_COUNT 1)
foreach(feature avx2 avx512f)
  if(features MATCHES " ${feature} ")
    string(APPEND cpu ", ${feature}")
  endif()
endforeach()
execute_process(COMMAND ${COMPILER} --version OUTPUT_VARIABLE compiler)
string(REGEX REPLACE "\n.*" "" compiler "${compiler}")
execute_process(COMMAND git describe --always --dirty WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE commit
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
set(machine "${cpu}; ${compiler}; commit ${commit}")
