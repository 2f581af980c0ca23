# SPDX-License-Identifier: MIT
# Runs all benchmarks of the overhead, one after another, prints them and writes results/overhead.csv beside the programs,
# or overhead_avx512.csv where the machine has AVX-512.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/machine.cmake)
file(MAKE_DIRECTORY ${PROGRAMS}/results)
set(csv ${PROGRAMS}/results/overhead.csv)
if(features MATCHES " avx512f ")
  set(csv ${PROGRAMS}/results/overhead_avx512.csv)
endif()
file(WRITE ${csv} "# ${machine}; one thread; medians of pieces of 20 microseconds over 0.03 s, "
                  "the baseline of `ratio` by turns in the same run: a plain Eigen softmax of the same rows, and for the "
                  "containers apply on spans\nflags;benchmark;ns;ns_class;ratio;aim\n")
separate_arguments(NETWORK)

set(sets sse2)
if(features MATCHES " avx2 ")
  list(APPEND sets avx2)
endif()
list(APPEND sets native)
foreach(set IN LISTS sets)
  execute_process(COMMAND ${PROGRAMS}/overhead_${set} --csv ${csv} COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${PROGRAMS}/end_to_end_${set} ${NETWORK} ${csv} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
execute_process(COMMAND ${CMAKE_COMMAND} -D COMPILER=${COMPILER} -D CHAFF=${CHAFF} -D EIGEN=${EIGEN}
                        -D WORK=${PROGRAMS}/compile_time -P ${SOURCE}/compile_time.cmake COMMAND_ERROR_IS_FATAL ANY)
message(STATUS "written: ${csv}")
