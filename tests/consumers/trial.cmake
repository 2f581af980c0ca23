# SPDX-License-Identifier: MIT
# Functions for the scripts of this folder, which write small projects and build them as somebody else would.
# Each script is run by cmake -D SOURCE=(this project) -D VERSION=(its version) -D PACKAGE=(an installed and moved copy)
# -D WORK=(a scratch folder) -D EIGEN=(Eigen's headers) -D COMPILER=... -D C_COMPILER=... -D GENERATOR=...
# -D MAKE_PROGRAM=... -D PKG_CONFIG=... -P script.cmake
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE "${WORK}")

# run(SUCCEEDS|FAILS text command...): runs a command that must succeed or fail and whose output must contain the text, at
# whatever column CMake breaks its lines. The output is in `output`.
function(run outcome text)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output TIMEOUT 120)
  string(REGEX REPLACE "[ \n]+" " " line "${output}")
  string(FIND "${line}" "${text}" found)
  if((result EQUAL 0 AND outcome STREQUAL "FAILS") OR (NOT result EQUAL 0 AND outcome STREQUAL "SUCCEEDS"))
    message(SEND_ERROR "The command should have ended otherwise (${result}): ${ARGN}\n${output}")
  elseif(found EQUAL -1)
    message(SEND_ERROR "The output should contain \"${text}\": ${ARGN}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# configure(SUCCEEDS|FAILS text source build arguments...)
macro(configure outcome text source build)
  run(${outcome} "${text}" "${CMAKE_COMMAND}" -S "${source}" -B "${build}" -G "${GENERATOR}" -Wno-dev --no-warn-unused-cli
      "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
      "-DCMAKE_C_COMPILER=${C_COMPILER}" ${ARGN})
endmacro()

# project_with(folder lines): a project in WORK/folder with these lines in its CMakeLists.txt, and the C++ files that the
# consumers compile.
function(project_with folder lines)
  file(COPY "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/foreign/" DESTINATION "${WORK}/${folder}")
  file(WRITE "${WORK}/${folder}/CMakeLists.txt" "cmake_minimum_required(VERSION 3.25)\n${lines}")
endfunction()

# eigen_package(prefix version): a package of Eigen that says it has this version, with Eigen's own kind of version file.
function(eigen_package prefix version)
  include(CMakePackageConfigHelpers)
  file(WRITE "${prefix}/share/eigen3/cmake/Eigen3Config.cmake" "
if(NOT TARGET Eigen3::Eigen)
  add_library(Eigen3::Eigen INTERFACE IMPORTED)
  set_target_properties(Eigen3::Eigen PROPERTIES INTERFACE_INCLUDE_DIRECTORIES \"${EIGEN}\")
endif()
")
  write_basic_package_version_file("${prefix}/share/eigen3/cmake/Eigen3ConfigVersion.cmake" VERSION ${version}
                                   COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
endfunction()
