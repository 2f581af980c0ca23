# SPDX-License-Identifier: MIT
# chaff::chaff takes Eigen 3.4, Eigen 5, and a target that the parent project already has; it refuses an older Eigen.
include(${CMAKE_CURRENT_LIST_DIR}/trial.cmake)

eigen_package("${WORK}/eigen5" 5.0.0)
eigen_package("${WORK}/eigen3.3" 3.3.9)
project_with(installed [[
project(installed LANGUAGES NONE)
find_package(chaff REQUIRED)
get_target_property(libraries chaff::chaff INTERFACE_LINK_LIBRARIES)
if(NOT "Eigen3::Eigen" IN_LIST libraries OR NOT "chaff::core" IN_LIST libraries)
  message(SEND_ERROR "chaff::chaff links ${libraries}")
endif()
message(STATUS "Eigen ${Eigen3_VERSION} from ${Eigen3_DIR}")
]])
project_with(part [[
project(part LANGUAGES CXX)
add_subdirectory("${CHAFF}" chaff)
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE chaff::chaff)
]])

# Eigen 5, although its version file refuses a request for 3.4.
configure(SUCCEEDS "Eigen 5.0.0 from ${WORK}/eigen5" "${WORK}/installed" "${WORK}/installed_5"
          "-Dchaff_DIR=${PACKAGE}/share/cmake/chaff"
          "-DCMAKE_PREFIX_PATH=${WORK}/eigen5")
configure(SUCCEEDS "" "${WORK}/part" "${WORK}/part_5" "-DCHAFF=${SOURCE}" "-DCMAKE_PREFIX_PATH=${WORK}/eigen5")
run(SUCCEEDS "" "${CMAKE_COMMAND}" --build "${WORK}/part_5")
run(SUCCEEDS "class 1" "${WORK}/part_5/consumer")

# An older one, which is found first.
set(too_old "Eigen 3.3.9 in ${WORK}/eigen3.3/share/eigen3/cmake is older than 3.4")
configure(FAILS "${too_old}" "${WORK}/installed" "${WORK}/installed_3.3" "-Dchaff_DIR=${PACKAGE}/share/cmake/chaff"
          "-DCMAKE_PREFIX_PATH=${WORK}/eigen3.3")
configure(FAILS "${too_old}" "${WORK}/part" "${WORK}/part_3.3" "-DCHAFF=${SOURCE}" "-DCMAKE_PREFIX_PATH=${WORK}/eigen3.3")
# One that CMake knows nothing about.
file(WRITE "${WORK}/headers3.3/Eigen/Core" "#define EIGEN_WORLD_VERSION 3\n#define EIGEN_MAJOR_VERSION 3\n#define EIGEN_MINOR_VERSION 9\n")
run(FAILS "need Eigen 3.4 or newer" "${COMPILER}" -std=c++20 -fsyntax-only "-I${WORK}/headers3.3" "-I${SOURCE}/include"
    "${WORK}/part/whole.cpp")

# The parent's own target, a real one and an imported one, where an older package could be found.
set(own_target [[
add_library(their_eigen INTERFACE)
target_include_directories(their_eigen INTERFACE "${EIGEN}")
add_library(Eigen3::Eigen ALIAS their_eigen)
]])
set(own_imported_target [[
add_library(Eigen3::Eigen INTERFACE IMPORTED)
target_include_directories(Eigen3::Eigen INTERFACE "${EIGEN}")
]])
foreach(own own_target own_imported_target)
  project_with(${own} "
project(own LANGUAGES CXX)
${${own}}
if(PACKAGED)
  find_package(chaff REQUIRED)
else()
  include(FetchContent)
  FetchContent_Declare(chaff SOURCE_DIR \"\${CHAFF}\")
  FetchContent_MakeAvailable(chaff)
endif()
add_library(consumer OBJECT main.cpp)
target_link_libraries(consumer PRIVATE chaff::chaff)
")
  foreach(packaged ON OFF)
    configure(SUCCEEDS "" "${WORK}/${own}" "${WORK}/${own}_${packaged}" -DPACKAGED=${packaged} "-DCHAFF=${SOURCE}"
              "-DEIGEN=${EIGEN}" "-Dchaff_DIR=${PACKAGE}/share/cmake/chaff" "-DCMAKE_PREFIX_PATH=${WORK}/eigen3.3" -DCHAFF_INSTALL=ON
              -DCMAKE_EXPORT_COMPILE_COMMANDS=ON)
    file(READ "${WORK}/${own}_${packaged}/compile_commands.json" commands)
    if(NOT commands MATCHES "${EIGEN}")
      message(SEND_ERROR "The parent's Eigen is not on the compiler's command line: ${commands}")
    endif()
  endforeach()
endforeach()
