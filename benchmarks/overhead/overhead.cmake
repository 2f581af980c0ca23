# SPDX-License-Identifier: MIT
# Runs all benchmarks of the overhead, one after another, prints them and writes results/overhead.csv and .svg beside the
# programs, or overhead_avx512.* where the machine has AVX-512. The figures of PyTorch and the chart are left out where
# python3-torch or gnuplot is missing.
cmake_minimum_required(VERSION 3.25)
set(cpu)
foreach(field "model name" "cpu family" "model")  # a name alone may not tell the generation
  file(STRINGS /proc/cpuinfo value REGEX "^${field}[\t ]*:" LIMIT_COUNT 1)
  string(REGEX REPLACE ".*: " "" value "${value}")
  list(APPEND cpu "${value}")
endforeach()
list(JOIN cpu " / " cpu)
file(STRINGS /proc/cpuinfo features REGEX "^flags" LIMIT_COUNT 1)
file(MAKE_DIRECTORY ${PROGRAMS}/results)
set(results ${PROGRAMS}/results/overhead)
if(features MATCHES " avx512f ")
  string(APPEND results _avx512)
endif()
set(csv ${results}.csv)
foreach(feature avx2 avx512f)
  if(features MATCHES " ${feature} ")
    string(APPEND cpu ", ${feature}")
  endif()
endforeach()
execute_process(COMMAND ${COMPILER} --version OUTPUT_VARIABLE compiler)
string(REGEX REPLACE "\n.*" "" compiler "${compiler}")
execute_process(COMMAND git describe --always --dirty WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE commit
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
file(WRITE ${csv} "# ${cpu}; ${compiler}; commit ${commit}; one thread; medians of pieces of 20 microseconds over 0.03 s, "
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

# Debian's interpreter, since python3-torch is its package
execute_process(COMMAND /usr/bin/python3 -c "import torch" RESULT_VARIABLE no_torch OUTPUT_QUIET ERROR_QUIET)
if(no_torch)
  message(STATUS "PyTorch is left out: python3-torch is not installed")
else()
  execute_process(COMMAND /usr/bin/python3 ${SOURCE}/peer_pytorch.py ${PROGRAMS}/overhead_native ${csv}
                  COMMAND_ERROR_IS_FATAL ANY)
endif()
find_program(gnuplot gnuplot)
if(gnuplot)
  execute_process(COMMAND ${gnuplot} -e "csv='${csv}'" -e "svg='${results}.svg'" ${SOURCE}/overhead.gnuplot
                  COMMAND_ERROR_IS_FATAL ANY)
else()
  message(STATUS "the chart is left out: gnuplot is not installed")
endif()
message(STATUS "written: ${csv}")
