# SPDX-License-Identifier: MIT
# Each part that the README's table of defenses names runs in the tests of the guarantees and in the example, where it is a
# type or a word of a defense's text.
# cmake -D README=... -D GUARANTEES=... -D EXAMPLE=... -P readme_table.cmake
cmake_minimum_required(VERSION 3.25)
file(STRINGS ${README} lines)
file(READ ${GUARANTEES} guarantees)
file(READ ${EXAMPLE} example)
set(parts 0)
foreach(line IN LISTS lines)
  if(line MATCHES "^\\| `([a-z_0-9]+)[{(]")
    set(part ${CMAKE_MATCH_1})
    math(EXPR parts "${parts} + 1")
    foreach(where guarantees example)
      if(NOT ${where} MATCHES "chaff::${part}[{(]" AND NOT (where STREQUAL "example" AND example MATCHES "[\" (]${part}[\" (]"))
        message(SEND_ERROR "${part} is in the README's table, but does not run in the ${where}")
      endif()
    endforeach()
  endif()
endforeach()
if(parts LESS 15)
  message(SEND_ERROR "only ${parts} parts were found in the README's table")
endif()
message(STATUS "${parts} parts")
