# SPDX-License-Identifier: MIT
# Compiles a header that includes the library, once for all snippets: as GCC finds it by itself, HEADERS.gch; Clang finds
# that by itself, too.
# cmake -D COMPILER=... -D INCLUDE=... -D EIGEN=... -D HEADERS=... -P headers.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${COMPILER} -std=c++20 -I ${INCLUDE} -isystem ${EIGEN} -x c++-header ${HEADERS} -o ${HEADERS}.gch
                COMMAND_ERROR_IS_FATAL ANY)
