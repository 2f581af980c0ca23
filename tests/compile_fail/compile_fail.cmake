# SPDX-License-Identifier: MIT
# Builds a target that must not compile, and looks for a sentence in the first line of its errors: what comes later, a
# reader has to search for.
# cmake -D BUILD=... -D TARGET=... -D SENTENCE=... [-D CANDIDATES=ON] -P compile_fail.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --target ${TARGET}
                RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "${TARGET} was built, but must not compile")
endif()
string(REGEX MATCH "[^\n]*error:[^\n]*" first "${output}")
string(FIND "${first}" "${SENTENCE}" position)
if(position EQUAL -1)
  message(FATAL_ERROR "The first error is\n${first}\nwithout the sentence\n${SENTENCE}\nThe whole output:\n${output}")
endif()
if(NOT CANDIDATES AND output MATCHES "note: candidate")
  message(FATAL_ERROR "A list of candidates follows the sentence:\n${output}")
endif()
