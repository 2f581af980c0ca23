# SPDX-License-Identifier: MIT
# The package and the .pc files are right wherever their parts are installed: folders may be absolute, as Nix has them, and
# with relative ones the installed copy can be moved.
include(${CMAKE_CURRENT_LIST_DIR}/trial.cmake)

project_with(user [[
project(user LANGUAGES CXX)
find_package(chaff REQUIRED COMPONENTS int8)
add_library(firmware OBJECT firmware.cpp)
target_link_libraries(firmware PRIVATE chaff::int8)
]])
file(WRITE "${WORK}/core.cpp" "#include <chaff/core.hpp>\n")
file(WRITE "${WORK}/eigen.cpp" "#include <chaff/version.hpp>\n#include <Eigen/Core>\n")
# A shell splits what pkg-config prints, as a makefile's would.
file(WRITE "${WORK}/preprocess.sh" "set -e\nflags=$('${PKG_CONFIG}' --cflags $1)\neval \"'${COMPILER}' -std=c++20 -M $flags '$2'\" 2>&1\n")

# check_package(name share include): the installed package and .pc files lead to these headers.
function(check_package name share include)
  file(REAL_PATH "${include}" include)
  configure(SUCCEEDS "" "${WORK}/user" "${WORK}/user_${name}" "-Dchaff_DIR=${share}/cmake/chaff"
            -DCMAKE_EXPORT_COMPILE_COMMANDS=ON)
  run(SUCCEEDS "" "${CMAKE_COMMAND}" --build "${WORK}/user_${name}")
  file(READ "${WORK}/user_${name}/compile_commands.json" commands)
  string(FIND "${commands}" "${include}" found)
  if(found EQUAL -1)
    message(SEND_ERROR "The headers are not taken from ${include}: ${commands}")
  endif()
  # pkg-config where there is Eigen, then where there is none
  set(ENV{PKG_CONFIG_PATH} "${share}/pkgconfig")
  run(SUCCEEDS "${VERSION}" "${PKG_CONFIG}" --modversion chaff)
  run(SUCCEEDS "" sh "${WORK}/preprocess.sh" chaff "${WORK}/eigen.cpp")
  run(FAILS "Eigen/Core" sh "${WORK}/preprocess.sh" chaff-core "${WORK}/eigen.cpp")
  set(ENV{PKG_CONFIG_LIBDIR} "${share}/pkgconfig")
  run(SUCCEEDS "" sh "${WORK}/preprocess.sh" chaff-core "${WORK}/core.cpp")
  run(FAILS "eigen3" "${PKG_CONFIG}" --cflags chaff)
  unset(ENV{PKG_CONFIG_LIBDIR})
  unset(ENV{PKG_CONFIG_PATH})
endfunction()

# A copy, since CMake refuses to export paths that lie inside of the project, as WORK does.
file(COPY "${SOURCE}/CMakeLists.txt" "${SOURCE}/cmake" "${SOURCE}/include" DESTINATION "${WORK}/source")
function(install_chaff name)
  configure(SUCCEEDS "" "${WORK}/source" "${WORK}/chaff_${name}" ${ARGN})
  run(SUCCEEDS "" "${CMAKE_COMMAND}" --install "${WORK}/chaff_${name}")
endfunction()

# Relative folders: moved twice, into a path with a blank and a plus sign, and with the .pc file at another depth.
install_chaff(relative "-DCMAKE_INSTALL_PREFIX=${WORK}/relative" -DCMAKE_INSTALL_INCLUDEDIR=headers/c++ -DCMAKE_INSTALL_DATADIR=a/b/share)
file(MAKE_DIRECTORY "${WORK}/moved to")
file(RENAME "${WORK}/relative" "${WORK}/moved to/c++")
check_package(relative "${WORK}/moved to/c++/a/b/share" "${WORK}/moved to/c++/headers/c++")

# Absolute folders, inside of the prefix and outside.
install_chaff(nix "-DCMAKE_INSTALL_PREFIX=${WORK}/nix/out" "-DCMAKE_INSTALL_INCLUDEDIR=${WORK}/nix/dev/include"
              "-DCMAKE_INSTALL_LIBDIR=${WORK}/nix/out/lib")
check_package(nix "${WORK}/nix/out/share" "${WORK}/nix/dev/include")
install_chaff(absolute "-DCMAKE_INSTALL_PREFIX=${WORK}/ab solute" "-DCMAKE_INSTALL_INCLUDEDIR=${WORK}/ab solute/include"
              "-DCMAKE_INSTALL_LIBDIR=${WORK}/ab solute/lib" "-DCMAKE_INSTALL_DATADIR=${WORK}/else where/share")
check_package(absolute "${WORK}/else where/share" "${WORK}/ab solute/include")
install_chaff(data "-DCMAKE_INSTALL_PREFIX=${WORK}/data" "-DCMAKE_INSTALL_DATADIR=${WORK}/data_share")
check_package(data "${WORK}/data_share" "${WORK}/data/include")
