# SPDX-License-Identifier: MIT
# A build whose flags let a compiler change what arithmetic means is refused by a sentence of chaff's, or has the same
# bits as one without them.
# cmake -D COMPILER=... -D CLANG=TRUE|FALSE -D INCLUDE=... -D PROGRAM=answers.cpp -D LEVEL=-O2 -D WORK=... -P flags.cmake
cmake_minimum_required(VERSION 3.25)
file(MAKE_DIRECTORY ${WORK})
set(base ${COMPILER} -std=c++20 ${LEVEL} -Wfatal-errors -I ${INCLUDE})

# digests(variable flags...): what the program prints when it is compiled with the flags; "" where chaff refuses them.
function(digests variable)
  set(${variable} "" PARENT_SCOPE)
  execute_process(COMMAND ${base} ${ARGN} ${PROGRAM} -o ${WORK}/answers RESULT_VARIABLE failed ERROR_VARIABLE errors)
  if(failed)
    string(REGEX MATCH "[^\n]*error: [^\n]*" first "${errors}")
    if(NOT first MATCHES "chaff cannot keep its guarantees")
      message(SEND_ERROR "${ARGN}: neither compiled nor refused by chaff: ${errors}")
    endif()
    message(STATUS "refused: ${ARGN}")
    return()
  endif()
  execute_process(COMMAND ${WORK}/answers RESULT_VARIABLE failed OUTPUT_VARIABLE output)
  if(failed)
    message(SEND_ERROR "${ARGN}: ${output}")
  endif()
  set(${variable} "${output}" PARENT_SCOPE)
endfunction()

digests(expected)
if(expected STREQUAL "")
  message(FATAL_ERROR "the program does not compile without flags")
endif()
set(refused -ffast-math -Ofast)  # by every compiler
set(any "-fno-signed-zeros -fno-trapping-math -fno-math-errno")
if(CLANG)
  # what these leave out of -ffast-math is what Clang has a macro for
  list(APPEND any "-ffast-math -fno-finite-math-only" "-ffast-math -fhonor-infinities" "-ffast-math -fhonor-nans")
  if(LEVEL STREQUAL "-O2")  # each part by itself
    list(APPEND any "-fassociative-math -fno-signed-zeros -fno-trapping-math" -funsafe-math-optimizations
         -freciprocal-math -fapprox-func -fno-honor-nans -fno-honor-infinities)
  endif()
else()
  list(APPEND refused "-ffast-math -fno-finite-math-only" "-Ofast -fno-finite-math-only" -funsafe-math-optimizations
       "-fassociative-math -fno-signed-zeros -fno-trapping-math" -freciprocal-math -ffinite-math-only
       -fsingle-precision-constant)
endif()
foreach(flags IN LISTS refused)
  separate_arguments(list UNIX_COMMAND "${flags}")
  digests(output ${list})
  if(NOT output STREQUAL "")
    message(SEND_ERROR "${flags}: accepted")
  endif()
endforeach()
set(accepted 0)
foreach(flags IN LISTS any)
  separate_arguments(list UNIX_COMMAND "${flags}")
  digests(output ${list})
  if(NOT output STREQUAL "")
    math(EXPR accepted "${accepted} + 1")
    if(NOT output STREQUAL expected)
      message(SEND_ERROR "${flags}: other bits\n${output}expected\n${expected}")
    endif()
  endif()
endforeach()
if(accepted EQUAL 0)
  message(FATAL_ERROR "no flag was accepted")
endif()
message(STATUS "${accepted} sets of flags have the same bits")
