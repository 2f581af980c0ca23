# SPDX-License-Identifier: MIT
# Runs a program of another processor or system, by its emulator, and compares what it prints with what the same program
# prints here.
# cmake -D "RUNNER=..." -D PROGRAM=... -D REFERENCE=... -D TIMEOUT=... -P compare.cmake
execute_process(COMMAND ${REFERENCE} OUTPUT_VARIABLE expected COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${TIMEOUT} 300 ${RUNNER} ${PROGRAM} OUTPUT_VARIABLE found COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\r" "" found "${found}")
string(REGEX MATCHALL "[^\n]+" expected "${expected}")
string(REGEX MATCHALL "[^\n]+" found "${found}")
list(LENGTH expected digests)
list(LENGTH found found_digests)
if(digests LESS 100 OR NOT digests EQUAL found_digests)
  message(FATAL_ERROR "${found_digests} digests, but ${digests} here")
endif()
set(differing 0)
foreach(there here IN ZIP_LISTS found expected)
  if(NOT there STREQUAL here)
    math(EXPR differing "${differing} + 1")
    message(SEND_ERROR "${there}\n  but here ${here}")
  endif()
endforeach()
message(STATUS "${digests} digests, ${differing} of them not as here")
