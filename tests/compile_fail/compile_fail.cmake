# SPDX-License-Identifier: MIT
# Compiles a snippet that must not compile, and looks for a sentence in the first line of its errors: what comes later, a
# reader has to search for.
# cmake -D COMPILER=... -D INCLUDE=... -D EIGEN=... -D SNIPPET=... -D SENTENCE=... [-D CANDIDATES=ON] [-D ALONE=ON]
#       [-D HEADERS=...] -P compile_fail.cmake
cmake_minimum_required(VERSION 3.25)
set(compiled_headers)
if(HEADERS)
  set(compiled_headers -include ${HEADERS})
endif()
execute_process(COMMAND ${COMPILER} -std=c++20 -Werror=unused-result -D BAD -fsyntax-only -I ${INCLUDE} -isystem ${EIGEN}
                        ${compiled_headers} ${SNIPPET}
                RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "${SNIPPET} was compiled, but must not compile")
endif()
string(REGEX MATCH "[^\n]*error:[^\n]*" first "${output}")
string(FIND "${first}" "${SENTENCE}" position)
if(position EQUAL -1)
  message(FATAL_ERROR "The first error is\n${first}\nwithout the sentence\n${SENTENCE}\nThe whole output:\n${output}")
endif()
if(NOT CANDIDATES AND output MATCHES "note: candidate")
  message(FATAL_ERROR "A list of candidates follows the sentence:\n${output}")
endif()
string(REGEX MATCHALL "(error|warning):" messages "${output}")
list(LENGTH messages count)
if(ALONE AND NOT count EQUAL 1)
  message(FATAL_ERROR "Other messages follow the sentence:\n${output}")
endif()
