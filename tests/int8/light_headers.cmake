# SPDX-License-Identifier: MIT
# The edge path's headers pull in neither Eigen nor heavy parts of the standard library, where they are built as firmware.
# cmake -D COMPILER=... -D INCLUDE=... -P light_headers.cmake
file(GLOB headers ${INCLUDE}/chaff/int8/*)
list(LENGTH headers count)
if(count LESS 8)
  message(FATAL_ERROR "only ${count} headers were found")
endif()
foreach(header IN LISTS headers)
  file(READ ${header} text)
  string(REGEX MATCHALL "#include \"chaff/[^\"]*\"" own "${text}")
  foreach(line IN LISTS own)
    if(NOT line MATCHES "chaff/int8/")
      message(SEND_ERROR "${header} includes ${line}")
    endif()
  endforeach()
  execute_process(COMMAND ${COMPILER} -std=c++20 -fno-exceptions -fno-rtti -M -x c++ -I ${INCLUDE} ${header}
                  OUTPUT_VARIABLE included COMMAND_ERROR_IS_FATAL ANY)
  if(included MATCHES "Eigen|/cmath|/ranges[ \n]|/algorithm|/stdexcept|/cstdio|/math\\.h|/string[ \n]")
    message(SEND_ERROR "${header} includes ${CMAKE_MATCH_0}")
  endif()
endforeach()
message(STATUS "${count} headers")
