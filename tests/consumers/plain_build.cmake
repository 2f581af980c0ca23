# SPDX-License-Identifier: MIT
# Configured without any option and without the libraries of the tests, the project builds and installs, and has no tests.
include(${CMAKE_CURRENT_LIST_DIR}/trial.cmake)

configure(SUCCEEDS "" "${SOURCE}" "${WORK}/build" -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON
          -DCMAKE_DISABLE_FIND_PACKAGE_rapidcheck=ON -DCMAKE_DISABLE_FIND_PACKAGE_Threads=ON
          -DCMAKE_DISABLE_FIND_PACKAGE_Python3=ON)
run(SUCCEEDS "" "${CMAKE_COMMAND}" --build "${WORK}/build")
run(SUCCEEDS "Total Tests: 0" "${CMAKE_CTEST_COMMAND}" --test-dir "${WORK}/build" -N)

# All files belong to one component, by which a project that has chaff as a part can leave them out or pick them.
run(SUCCEEDS "" "${CMAKE_COMMAND}" --install "${WORK}/build" --prefix "${WORK}/all")
run(SUCCEEDS "" "${CMAKE_COMMAND}" --install "${WORK}/build" --prefix "${WORK}/component" --component chaff)
file(GLOB_RECURSE all RELATIVE "${WORK}/all" "${WORK}/all/*")
file(GLOB_RECURSE component RELATIVE "${WORK}/component" "${WORK}/component/*")
if(NOT all STREQUAL component)
  message(SEND_ERROR "The component chaff has other files than the whole installation:\n${component}\n${all}")
endif()
file(GLOB_RECURSE missing RELATIVE "${SOURCE}" "${SOURCE}/include/*")
list(APPEND missing share/cmake/chaff/chaffConfig.cmake share/pkgconfig/chaff.pc)
list(REMOVE_ITEM missing ${all})
if(missing)
  message(SEND_ERROR "These files were not installed: ${missing}")
endif()
