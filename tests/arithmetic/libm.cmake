# SPDX-License-Identifier: MIT
# No output depends on a function of libm whose result IEEE 754 does not fix: its versions differ between processors and
# libraries, and replicas would answer with other bits. Headers that compute outputs are searched for calls, and a program
# that uses them for symbols.
# cmake -D NM=... -D INCLUDE=... -D OBJECT=(answers.cpp, compiled with optimisation) -P libm.cmake
cmake_minimum_required(VERSION 3.25)
set(inexact "exp|exp2|expm1|log|log2|log10|log1p|pow|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|cbrt|hypot|erf|erfc|tgamma|lgamma")
set(headers)
foreach(folder simd posterior noise gates perturbations reductions defenses pipeline)
  file(GLOB found ${INCLUDE}/chaff/${folder}/*.hpp)
  list(APPEND headers ${found})
endforeach()
foreach(header IN LISTS headers)
  file(STRINGS ${header} calls REGEX "(${inexact})f?\\(")
  list(TRANSFORM calls REPLACE "//.*" "")
  list(FILTER calls INCLUDE REGEX "(std::|__builtin_|[^a-zA-Z_:.])(${inexact})f?\\(")
  if(calls)
    message(SEND_ERROR "${header} calls libm: ${calls}")
  endif()
endforeach()
list(LENGTH headers count)
if(count LESS 40)
  message(FATAL_ERROR "only ${count} headers were found")
endif()

execute_process(COMMAND ${NM} -u ${OBJECT} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
if(NOT symbols MATCHES "memcpy|printf|puts")
  message(FATAL_ERROR "${NM} lists no symbols: ${symbols}")
endif()
string(REGEX MATCHALL " (${inexact})f?l?[\n@]" called "${symbols}\n")
if(called)
  message(SEND_ERROR "the program calls libm:${called}")
endif()
