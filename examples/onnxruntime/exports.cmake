# SPDX-License-Identifier: MIT
# The operator's library exports its entry point and nothing else, or two such libraries would share each other's code.
# cmake -D NM=... -D LIBRARY=... -P exports.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^ \n]+\n" names "${symbols}")
if(NOT names STREQUAL "RegisterCustomOps\n")
  message(FATAL_ERROR "exported: ${names}")
endif()
