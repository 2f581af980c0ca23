# SPDX-License-Identifier: MIT
# What find_package(chaff) and pkg-config read, in the build tree and installed.

# The targets, for projects that export libraries of their own which link them. A parent's own Eigen may be in no export
# set; then chaff::chaff cannot be in one either.
export(TARGETS chaff_core chaff_int8 NAMESPACE chaff:: FILE ${PROJECT_BINARY_DIR}/chaffTargets.cmake)
set(chaff_eigen_is_package TRUE)
if(TARGET Eigen3::Eigen)
  get_target_property(chaff_eigen_is_package Eigen3::Eigen IMPORTED)
endif()
if(chaff_eigen_is_package)
  export(TARGETS chaff_chaff NAMESPACE chaff:: FILE ${PROJECT_BINARY_DIR}/chaffEigenTargets.cmake)
endif()
if(NOT CHAFF_INSTALL)
  return()
endif()

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/chaff)
set(pkgconfig_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)

install(DIRECTORY include/chaff DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT chaff
        FILES_MATCHING PATTERN *.hpp PATTERN *.h)
install(TARGETS chaff_core chaff_int8 EXPORT chaffTargets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS chaff_chaff EXPORT chaffEigenTargets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT chaffTargets NAMESPACE chaff:: DESTINATION ${package_dir} COMPONENT chaff)
install(EXPORT chaffEigenTargets NAMESPACE chaff:: DESTINATION ${package_dir} COMPONENT chaff)

configure_package_config_file(cmake/chaffConfig.cmake.in chaffConfig.cmake INSTALL_DESTINATION ${package_dir})
configure_file(cmake/eigen.cmake chaffEigen.cmake COPYONLY)
# While the major version is 0, each minor version may break a user's code.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
else()
  set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file(chaffConfigVersion.cmake COMPATIBILITY ${compatibility} ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/chaffConfig.cmake ${PROJECT_BINARY_DIR}/chaffConfigVersion.cmake
              ${PROJECT_BINARY_DIR}/chaffEigen.cmake
        DESTINATION ${package_dir} COMPONENT chaff)

# The prefix follows from where the .pc files lie, so that the installed tree can be moved, unless they lie at an absolute
# path. The headers' folder, too, may be absolute. pkg-config escapes blanks in ${pcfiledir}, and nowhere else.
if(IS_ABSOLUTE "${pkgconfig_dir}")
  set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH pc_prefix "/prefix/${pkgconfig_dir}" "/prefix")
  string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${pc_prefix}")
endif()
set(pc_includedir "\${prefix}")
cmake_path(APPEND pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")  # an absolute path replaces the prefix
string(REPLACE " " "\\ " pc_prefix "${pc_prefix}")
string(REPLACE " " "\\ " pc_includedir "${pc_includedir}")
foreach(pc chaff chaff-core)
  configure_file(cmake/${pc}.pc.in ${pc}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${pc}.pc DESTINATION ${pkgconfig_dir} COMPONENT chaff)
endforeach()
