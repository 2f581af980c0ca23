# SPDX-License-Identifier: MIT
# Runs the comparison with other libraries, prints it and writes peers.csv and its chart, peers.svg, to a folder.
# cmake -D PROGRAM=... -D RESULTS=... -D SOURCE=... -D COMPILER=... -D FLAGS=... -P peers.cmake
# PROGRAM is empty where a library is missing. The chart is left out where gnuplot is missing.
cmake_minimum_required(VERSION 3.25)
if(NOT PROGRAM)
  return()
endif()
include(${CMAKE_CURRENT_LIST_DIR}/machine.cmake)
set(csv ${RESULTS}/peers.csv)
file(MAKE_DIRECTORY ${RESULTS})
file(WRITE ${csv} "# ${machine}; ${FLAGS}; one thread; medians of pieces of 20 microseconds, or of one call where that is longer, by "
                  "turns over 4 s a shape; ratio is to the Eigen softmax of the same turn; cycles are of the core's clock, "
                  "measured by turns as well; gb_s counts the bytes that the code reads and writes, where it is known\n")
execute_process(COMMAND ${PROGRAM} --csv ${csv} COMMAND_ERROR_IS_FATAL ANY)
find_program(gnuplot gnuplot)
if(gnuplot)
  execute_process(COMMAND ${gnuplot} -e "csv='${csv}'" -e "svg='${RESULTS}/peers.svg'" ${SOURCE}/peers.gnuplot
                  COMMAND_ERROR_IS_FATAL ANY)
else()
  message(STATUS "the chart is left out: gnuplot is not installed")
endif()
message(STATUS "written: ${csv}")
