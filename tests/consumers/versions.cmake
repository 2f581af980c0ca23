# SPDX-License-Identifier: MIT
# While the major version is 0, each minor version may break a user's code: only the same one is accepted.
include(${CMAKE_CURRENT_LIST_DIR}/trial.cmake)

project_with(versions [[
project(versions LANGUAGES NONE)
set(CMAKE_SIZEOF_VOID_P 4)  # the package serves every processor
macro(request outcome)
  unset(chaff_DIR CACHE)
  find_package(chaff ${ARGN} QUIET COMPONENTS core)
  if(NOT chaff_FOUND STREQUAL "${outcome}")
    message(SEND_ERROR "find_package(chaff ${ARGN}) gave chaff_FOUND = ${chaff_FOUND}")
  endif()
endmacro()
request(1 0.1)
request(1 0.1.0)
request(1 0.1.0 EXACT)
request(1 0.1...<0.2)
request(0 0.2)
request(0 0.0)
request(0 0.0.9)
request(0 0.1.1)
request(0 1)
request(0 1.1)
]])
configure(SUCCEEDS "" "${WORK}/versions" "${WORK}/build" "-DCMAKE_PREFIX_PATH=${PACKAGE}")
