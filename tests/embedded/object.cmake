# SPDX-License-Identifier: MIT
# Looks into an object file: no floating point, heap or unwinding, and code, tables and stack within their limits.
# cmake -D OBJECT=... -D NM=... -D SIZE=... -D CPU=... -P object.cmake
execute_process(COMMAND ${NM} --undefined-only ${OBJECT} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
if(symbols MATCHES "(__aeabi_[fd][a-z0-9_]*|__aeabi_[a-z0-9]*2[fd]|malloc|_Zn[wa]|_Unwind|__cxa)")
  message(SEND_ERROR "the object needs ${CMAKE_MATCH_0}")
endif()

# Bytes of all sections whose names begin so.
execute_process(COMMAND ${SIZE} -A ${OBJECT} OUTPUT_VARIABLE sections COMMAND_ERROR_IS_FATAL ANY)
function(bytes_of prefix result)
  string(REGEX MATCHALL "\n${prefix}[^ \n]* +[0-9]+" lines "${sections}")
  set(sum 0)
  foreach(line IN LISTS lines)
    string(REGEX MATCH "[0-9]+$" size "${line}")
    math(EXPR sum "${sum} + ${size}")
  endforeach()
  set(${result} ${sum} PARENT_SCOPE)
endfunction()
bytes_of("\\.text" code)
bytes_of("\\.rodata" tables)
bytes_of("\\.(data|bss)" memory)

# All frames together are more than any path of calls needs: none of the functions calls itself.
string(REGEX REPLACE "\\.o$" ".su" usage ${OBJECT})
file(STRINGS ${usage} frames)
set(stack 0)
foreach(frame IN LISTS frames)
  string(REGEX MATCH "\t([0-9]+)\tstatic" found "${frame}")
  if(NOT found)
    message(SEND_ERROR "a frame without a fixed size: ${frame}")
  endif()
  math(EXPR stack "${stack} + ${CMAKE_MATCH_1}")
endforeach()

message(STATUS "Cortex-${CPU}, DCP, -Os: ${code} bytes of code, ${tables} of tables, ${memory} of data, stack at most ${stack}")
if(code EQUAL 0 OR tables EQUAL 0 OR stack EQUAL 0)
  message(SEND_ERROR "nothing was measured")
endif()
set(most_code 2560)
set(most_stack 1536)
if(CPU STREQUAL "m0")
  # it has fewer registers, and multiplies 32 bits by 32 to 64 in software
  set(most_code 3072)
  set(most_stack 1792)
endif()
if(code GREATER most_code OR tables GREATER 3072 OR memory GREATER 0 OR stack GREATER most_stack)
  message(SEND_ERROR "over the limits: ${most_code} bytes of code, 3072 of tables, no data, ${most_stack} of stack")
endif()
