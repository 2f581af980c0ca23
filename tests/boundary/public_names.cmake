# SPDX-License-Identifier: MIT
# What a programmer is offered after `chaff::` is the public API and nothing else: Clang's completion is compared with a
# list. A name that is to become public is added to the list on purpose.
# cmake -D CLANG=... -D INCLUDE=... -D EIGEN=... -D WORK=... -D NAMES=... -P public_names.cmake
cmake_minimum_required(VERSION 3.25)
file(GLOB_RECURSE headers RELATIVE ${INCLUDE} ${INCLUDE}/chaff/*.hpp)
list(FILTER headers EXCLUDE REGEX "/int8/|/adapters/(opencv|torch)")
set(program)
foreach(header IN LISTS headers)
  string(APPEND program "#include <${header}>\n")
endforeach()
list(LENGTH headers lines)
math(EXPR line "${lines} + 1")
file(WRITE ${WORK}/completed.cpp "${program}auto value = chaff::\n")
execute_process(
  COMMAND ${CLANG} -std=c++20 -I ${INCLUDE} -isystem ${EIGEN} -fsyntax-only
          -Xclang -code-completion-at=${WORK}/completed.cpp:${line}:21 ${WORK}/completed.cpp
  OUTPUT_VARIABLE completions ERROR_QUIET)
string(REGEX MATCHALL "COMPLETION: [A-Za-z_0-9|]+" names "${completions}")
list(TRANSFORM names REPLACE "COMPLETION: " "")
list(FILTER names EXCLUDE REGEX "^v[0-9]+_[0-9]+_")  # the inline namespace
list(REMOVE_DUPLICATES names)
list(SORT names)
file(STRINGS ${NAMES} expected REGEX "^[^#]")
list(SORT expected)
list(LENGTH names count)
if(count LESS 50)
  message(FATAL_ERROR "Clang offered only ${count} names after chaff::")
endif()
foreach(name IN LISTS names)
  if(NOT name IN_LIST expected)
    message(SEND_ERROR "chaff::${name} is not in ${NAMES}: if users are to call it, add it there, and document it")
  endif()
endforeach()
foreach(name IN LISTS expected)
  if(NOT name IN_LIST names)
    message(SEND_ERROR "chaff::${name} is in ${NAMES}, but no header has it")
  endif()
endforeach()
message(STATUS "${count} public names")
