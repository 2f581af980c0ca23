# SPDX-License-Identifier: MIT
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/chaff)
install(TARGETS chaff_core chaff_int8 EXPORT chaffTargets FILE_SET HEADERS FILE_SET adapters)
install(EXPORT chaffTargets NAMESPACE chaff:: DESTINATION ${package_dir})
configure_package_config_file(cmake/chaffConfig.cmake.in chaffConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(chaffConfigVersion.cmake COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/chaffConfig.cmake ${PROJECT_BINARY_DIR}/chaffConfigVersion.cmake
        DESTINATION ${package_dir})

# The prefix follows from where the .pc file lies, so the installed tree can be moved.
file(RELATIVE_PATH prefix_from_pc "/prefix/${CMAKE_INSTALL_DATADIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" prefix_from_pc "${prefix_from_pc}")
configure_file(cmake/chaff.pc.in chaff.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/chaff.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
