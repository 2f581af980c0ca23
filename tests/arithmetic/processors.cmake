# SPDX-License-Identifier: MIT
# One binary gives the same bits where the loader picks libm's functions for an older processor.
# cmake -D PROGRAM=... -P processors.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE expected COMMAND_ERROR_IS_FATAL ANY)
set(ENV{GLIBC_TUNABLES} "glibc.cpu.hwcaps=-FMA,-AVX2_Usable,-AVX2,-FMA_Usable")
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
string(LENGTH "${expected}" length)
if(length LESS 500 OR NOT output STREQUAL expected)
  message(FATAL_ERROR "other bits on an older processor:\n${output}here:\n${expected}")
endif()
