# SPDX-License-Identifier: MIT
# What users of other header-only libraries report about their CMake.
include(${CMAKE_CURRENT_LIST_DIR}/trial.cmake)

# A copy whose path has a blank, a plus sign, and names of folders that the headers have too.
set(copy "${WORK}/a b+c/adapters/int8/chaff")
file(COPY "${SOURCE}/CMakeLists.txt" "${SOURCE}/cmake" "${SOURCE}/include" DESTINATION "${copy}")

# Two dependencies which both bring chaff, in a parent that sets C++17, leaves out what it does not need, and prefers
# packages to modules. The standard that chaff needs reaches the consumer.
project_with(twice [[
project(twice LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_FIND_PACKAGE_PREFER_CONFIG ON)
file(WRITE "${CMAKE_BINARY_DIR}/dependency/CMakeLists.txt" "add_subdirectory(\"${CHAFF}\" chaff EXCLUDE_FROM_ALL)")
add_subdirectory("${CMAKE_BINARY_DIR}/dependency" first)
add_subdirectory("${CMAKE_BINARY_DIR}/dependency" second)
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE chaff::chaff)
]])
configure(SUCCEEDS "" "${WORK}/twice" "${WORK}/twice build+" "-DCHAFF=${copy}")
run(SUCCEEDS "" "${CMAKE_COMMAND}" --build "${WORK}/twice build+")
run(SUCCEEDS "class 1" "${WORK}/twice build+/consumer")
configure(SUCCEEDS "" "${copy}" "${WORK}/copy build")
run(SUCCEEDS "" "${CMAKE_COMMAND}" --install "${WORK}/copy build" --prefix "${WORK}/copy prefix")
file(GLOB_RECURSE here RELATIVE "${copy}/include" "${copy}/include/*")
file(GLOB_RECURSE there RELATIVE "${WORK}/copy prefix/include" "${WORK}/copy prefix/include/*")
if(NOT here STREQUAL there)
  message(SEND_ERROR "The installed headers are not those of the copy:\n${there}\n${here}")
endif()

# The package is looked for twice, in the parent and in a subdirectory, and beside chaff as a part of the build.
project_with(both [[
project(both LANGUAGES CXX)
if(PART_FIRST)
  add_subdirectory("${CHAFF}" chaff)
endif()
find_package(chaff REQUIRED COMPONENTS core)
find_package(chaff REQUIRED)
find_package(chaff REQUIRED)
file(WRITE "${CMAKE_BINARY_DIR}/dependency/CMakeLists.txt" "find_package(chaff 0.1 REQUIRED)")
add_subdirectory("${CMAKE_BINARY_DIR}/dependency" dependency)
if(NOT PART_FIRST)
  add_subdirectory("${CHAFF}" chaff)
endif()
add_library(consumer OBJECT main.cpp)
target_link_libraries(consumer PRIVATE chaff::chaff)
]])
foreach(first ON OFF)
  configure(SUCCEEDS "" "${WORK}/both" "${WORK}/both_${first}" -DPART_FIRST=${first} "-DCHAFF=${SOURCE}"
            "-DCMAKE_PREFIX_PATH=${PACKAGE}")
endforeach()

# A parent that exports a library of its own, which links chaff::chaff, with chaff as a part of the build. Its users find
# both.
project_with(exports [[
project(exports LANGUAGES CXX)
add_subdirectory("${CHAFF}" chaff)
add_library(server INTERFACE)
target_link_libraries(server INTERFACE chaff::chaff)
export(TARGETS server NAMESPACE exports:: FILE serverTargets.cmake)
if(CHAFF_INSTALL)
  install(TARGETS server EXPORT exportsTargets)
  install(EXPORT exportsTargets NAMESPACE exports:: DESTINATION share/cmake/exports)
  file(WRITE "${CMAKE_BINARY_DIR}/exportsConfig.cmake" "include(CMakeFindDependencyMacro)\nfind_dependency(chaff 0.1)\n"
       "include(\"\${CMAKE_CURRENT_LIST_DIR}/exportsTargets.cmake\")\n")
  install(FILES "${CMAKE_BINARY_DIR}/exportsConfig.cmake" DESTINATION share/cmake/exports)
endif()
]])
configure(SUCCEEDS "" "${WORK}/exports" "${WORK}/exports_tree" "-DCHAFF=${SOURCE}")
configure(SUCCEEDS "" "${WORK}/exports" "${WORK}/exports_build" "-DCHAFF=${SOURCE}" -DCHAFF_INSTALL=ON)
run(SUCCEEDS "" "${CMAKE_COMMAND}" --install "${WORK}/exports_build" --prefix "${WORK}/exports_prefix")
project_with(user [[
project(user LANGUAGES CXX)
find_package(exports REQUIRED)
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE exports::server)
]])
configure(SUCCEEDS "" "${WORK}/user" "${WORK}/user_build" "-DCMAKE_PREFIX_PATH=${WORK}/exports_prefix")
run(SUCCEEDS "" "${CMAKE_COMMAND}" --build "${WORK}/user_build")
run(SUCCEEDS "class 1" "${WORK}/user_build/consumer")

# The package straight from the build tree, without installation.
project_with(tree [[
project(tree LANGUAGES CXX)
find_package(chaff 0.1 REQUIRED)
add_library(consumer OBJECT main.cpp)
target_link_libraries(consumer PRIVATE chaff::chaff)
]])
configure(SUCCEEDS "" "${WORK}/tree" "${WORK}/tree_build" "-Dchaff_DIR=${WORK}/copy build")
run(SUCCEEDS "" "${CMAKE_COMMAND}" --build "${WORK}/tree_build")

# A parent whose FetchContent stands in for the package, for itself and for its dependencies.
project_with(override [[
project(override LANGUAGES CXX)
include(FetchContent)
FetchContent_Declare(chaff SOURCE_DIR "${CHAFF}" OVERRIDE_FIND_PACKAGE)
find_package(chaff 0.1 REQUIRED COMPONENTS core)
find_package(chaff REQUIRED)
add_library(consumer OBJECT main.cpp)
target_link_libraries(consumer PRIVATE chaff::chaff)
]])
configure(SUCCEEDS "" "${WORK}/override" "${WORK}/override_build" "-DCHAFF=${SOURCE}")

# A parent of the days of CMake 3.0, whose policies are in force while the package is read.
project_with(old "")
file(WRITE "${WORK}/old/CMakeLists.txt" [[
cmake_minimum_required(VERSION 3.0)
project(old NONE)
set(chaff "a variable of the parent")
find_package(chaff REQUIRED COMPONENTS core)
find_package(chaff REQUIRED)
]])
configure(SUCCEEDS "" "${WORK}/old" "${WORK}/old_build" "-DCMAKE_PREFIX_PATH=${PACKAGE}")

# A C project whose C++ file is the edge path's implementation; and one that has no C++ at all, for the declarations.
project_with(c [[
project(c LANGUAGES C)
find_package(chaff REQUIRED COMPONENTS int8)
file(WRITE "${CMAKE_BINARY_DIR}/user.c" "#include <chaff/int8/c.h>\n")
add_library(user OBJECT "${CMAKE_BINARY_DIR}/user.c")
target_link_libraries(user PRIVATE chaff::int8)
]])
configure(SUCCEEDS "" "${WORK}/c" "${WORK}/c_build" "-DCMAKE_PREFIX_PATH=${PACKAGE}")
run(SUCCEEDS "" "${CMAKE_COMMAND}" --build "${WORK}/c_build")
