# SPDX-License-Identifier: MIT
# Weighs the code of programs that use the library, at -O2, and prints how long they take to compile beside a plain
# Eigen softmax. The bytes are held to a limit; the times are printed alone, since a machine's load moves them. The quick
# way weighs the program with one defense alone.
# cmake [-D QUICK=ON] -D COMPILER=... -D SIZE=... -D INCLUDE=... -D EIGEN=... -D WORK=... -P weight.cmake
cmake_minimum_required(VERSION 3.25)
set(limit_one_defense 36000)
set(limit_four_defenses 72000)
file(MAKE_DIRECTORY ${WORK})
set(programs one_defense)
if(NOT QUICK)
  set(programs eigen_softmax one_defense four_defenses)
endif()
foreach(program IN LISTS programs)
  string(TIMESTAMP start "%s%f")
  execute_process(COMMAND ${COMPILER} -std=c++20 -O2 -I ${INCLUDE} -isystem ${EIGEN}
                          ${CMAKE_CURRENT_LIST_DIR}/${program}.cpp -o ${WORK}/${program} COMMAND_ERROR_IS_FATAL ANY)
  string(TIMESTAMP end "%s%f")
  math(EXPR milliseconds_${program} "(${end} - ${start}) / 1000")
  execute_process(COMMAND ${SIZE} ${WORK}/${program} OUTPUT_VARIABLE table COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCH "\n *([0-9]+)" found "${table}")
  set(text ${CMAKE_MATCH_1})
  set(beside)
  if(NOT QUICK)
    math(EXPR percent "100 * ${milliseconds_${program}} / ${milliseconds_eigen_softmax}")
    set(beside ", ${percent} % of the Eigen softmax")
  endif()
  message(STATUS "${program}: ${text} bytes of text, compiled in ${milliseconds_${program}} ms${beside}")
  if(DEFINED limit_${program} AND text GREATER limit_${program})
    message(SEND_ERROR "${program} has ${text} bytes of text, the limit is ${limit_${program}}")
  endif()
endforeach()
