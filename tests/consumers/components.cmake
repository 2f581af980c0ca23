# SPDX-License-Identifier: MIT
# chaff::core and chaff::int8 are there where Eigen is not; a request that needs it says so.
include(${CMAKE_CURRENT_LIST_DIR}/trial.cmake)
set(no_eigen -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON)

project_with(request [[
project(request LANGUAGES NONE)
separate_arguments(REQUEST)
find_package(chaff ${REQUEST})
foreach(component chaff core int8)
  if(TARGET chaff::${component})
    string(APPEND targets " ${component}")
  endif()
endforeach()
message(STATUS "found ${chaff_FOUND}, components ${chaff_chaff_FOUND} ${chaff_core_FOUND} ${chaff_int8_FOUND}, targets${targets}.")
]])
macro(request outcome text)
  configure(${outcome} "${text}" "${WORK}/request" "${WORK}/request_build" --fresh "-DCMAKE_PREFIX_PATH=${PACKAGE}" ${ARGN})
endmacro()
request(SUCCEEDS "found 1, components TRUE TRUE TRUE, targets chaff core int8." -DREQUEST=REQUIRED)
request(SUCCEEDS "found 1, components FALSE TRUE TRUE, targets core int8." "-DREQUEST=REQUIRED core")
request(SUCCEEDS "found 1, components FALSE TRUE TRUE, targets core int8." "-DREQUEST=COMPONENTS int8" ${no_eigen})
request(SUCCEEDS "found 1, components FALSE TRUE TRUE, targets core int8."
        "-DREQUEST=REQUIRED core int8 OPTIONAL_COMPONENTS chaff" ${no_eigen})
set(sentence "The component chaff needs Eigen 3.4 or newer, but Eigen was not found")
request(FAILS "${sentence}" -DREQUEST=REQUIRED ${no_eigen})
request(FAILS "${sentence}" "-DREQUEST=REQUIRED core chaff" ${no_eigen})
request(SUCCEEDS "${sentence}" "-DREQUEST=COMPONENTS chaff" ${no_eigen})
request(SUCCEEDS "found 0, components FALSE" "-DREQUEST=COMPONENTS chaff" ${no_eigen})
request(SUCCEEDS "found 0, components FALSE" -DREQUEST=QUIET ${no_eigen})
if(output MATCHES "Eigen")
  message(SEND_ERROR "A quiet request was answered aloud: ${output}")
endif()
# Not disabled but absent.
request(FAILS "${sentence}" -DREQUEST=REQUIRED -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF
        -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF)
# Components that nobody has heard of.
set(sentence "chaff has no component torch; its components are chaff, core, int8 and c")
request(FAILS "${sentence}" "-DREQUEST=REQUIRED core torch")
request(SUCCEEDS "${sentence}" "-DREQUEST=COMPONENTS torch")
request(SUCCEEDS "found 1, components FALSE TRUE TRUE" "-DREQUEST=REQUIRED core OPTIONAL_COMPONENTS torch")

# As part of a build, and as a package whose every target compiles.
project_with(without [[
project(without LANGUAGES CXX)
if(PACKAGED)
  find_package(chaff REQUIRED COMPONENTS core int8)
else()
  add_subdirectory("${CHAFF}" chaff)
endif()
if(TARGET chaff::chaff)
  message(SEND_ERROR "There is a target chaff::chaff without Eigen")
endif()
file(WRITE "${CMAKE_BINARY_DIR}/core.cpp" "#include <chaff/apply.hpp>\n")
add_library(core OBJECT "${CMAKE_BINARY_DIR}/core.cpp")
target_link_libraries(core PRIVATE chaff::core)
add_library(firmware OBJECT firmware.cpp)
target_link_libraries(firmware PRIVATE chaff::int8)
]])
foreach(packaged ON OFF)
  configure(SUCCEEDS "" "${WORK}/without" "${WORK}/without_${packaged}" -DPACKAGED=${packaged} "-DCHAFF=${SOURCE}"
            "-DCMAKE_PREFIX_PATH=${PACKAGE}" ${no_eigen})
  run(SUCCEEDS "" "${CMAKE_COMMAND}" --build "${WORK}/without_${packaged}")
endforeach()

# A package made without Eigen offers chaff::chaff where there is an Eigen. Tests cannot be built without it.
configure(SUCCEEDS "Eigen was not found" "${SOURCE}" "${WORK}/chaff" ${no_eigen})
run(SUCCEEDS "" "${CMAKE_COMMAND}" --build "${WORK}/chaff")
run(SUCCEEDS "" "${CMAKE_COMMAND}" --install "${WORK}/chaff" --prefix "${WORK}/made_without")
configure(SUCCEEDS "targets chaff core int8." "${WORK}/request" "${WORK}/request_build" --fresh -DREQUEST=REQUIRED
          "-DCMAKE_PREFIX_PATH=${WORK}/made_without")
configure(FAILS "need Eigen 3.4 or newer" "${SOURCE}" "${WORK}/chaff_tests" ${no_eigen} -DCHAFF_BUILD_TESTS=ON)
