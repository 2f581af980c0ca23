# SPDX-License-Identifier: MIT
# The shared library exports the functions of chaff/c.h and nothing else: nothing of the standard library that a linker
# could merge with another copy.
# cmake -D NM=... -D LIBRARY=... -D HEADER=... -P symbols.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY} OUTPUT_VARIABLE table COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[0-9a-f]+ [A-Za-z] [^\n]+" lines "${table}")
list(TRANSFORM lines REPLACE "^[0-9a-f]+ [A-Za-z] ([^@]+).*" "\\1")
list(SORT lines)
file(READ ${HEADER} header)
string(REGEX REPLACE "/\\*[^*]*\\*+([^/*][^*]*\\*+)*/" "" header "${header}")
string(REGEX MATCHALL "chaff_[a-z0-9_]+\\(" functions "${header}")
list(TRANSFORM functions REPLACE "\\(" "")
list(SORT functions)
list(LENGTH functions count)
if(count LESS 6 OR NOT lines STREQUAL functions)
  message(FATAL_ERROR "exported: ${lines}\nin chaff/c.h: ${functions}")
endif()
message(STATUS "${count} functions are exported, and nothing else")
