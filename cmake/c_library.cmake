# SPDX-License-Identifier: MIT
# chaff::c: libchaff, the C interface of chaff/c.h, as a shared library that exports its functions and nothing else.
# It is compiled for the instruction set of CMAKE_CXX_FLAGS; chaff_version() names it.
include(CheckLinkerFlag)

add_library(chaff_c SHARED ${CMAKE_CURRENT_LIST_DIR}/c_library/chaff.cpp)
add_library(chaff::c ALIAS chaff_c)
target_link_libraries(chaff_c PRIVATE $<BUILD_INTERFACE:chaff_core>)
target_include_directories(chaff_c INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
set_target_properties(chaff_c PROPERTIES
  OUTPUT_NAME chaff EXPORT_NAME c VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
  CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON CXX_EXTENSIONS OFF)

# the instantiations of the standard library are hidden, too
set(exports ${CMAKE_CURRENT_LIST_DIR}/c_library/exports.map)
check_linker_flag(CXX -Wl,--version-script=${exports} chaff_has_version_scripts)
if(chaff_has_version_scripts)
  target_link_options(chaff_c PRIVATE -Wl,--version-script=${exports})
  set_target_properties(chaff_c PROPERTIES LINK_DEPENDS ${exports})
endif()

if(CHAFF_INSTALL)
  include(GNUInstallDirs)
  target_include_directories(chaff_c INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  install(TARGETS chaff_c EXPORT chaffCTargets)
  install(EXPORT chaffCTargets NAMESPACE chaff:: DESTINATION ${CMAKE_INSTALL_DATADIR}/cmake/chaff)

  # the prefix follows from where the .pc file lies; a folder that is given as an absolute path stays where it is
  set(pc_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  cmake_path(ABSOLUTE_PATH pc_folder BASE_DIRECTORY /prefix OUTPUT_VARIABLE pc_from_prefix)
  file(RELATIVE_PATH prefix_from_c_pc ${pc_from_prefix} /prefix)
  foreach(folder INCLUDE LIB)
    string(TOLOWER ${folder} name)
    if(IS_ABSOLUTE "${CMAKE_INSTALL_${folder}DIR}")
      set(chaff_c_${name} "${CMAKE_INSTALL_${folder}DIR}")
    else()
      set(chaff_c_${name} "\${prefix}/${CMAKE_INSTALL_${folder}DIR}")
    endif()
  endforeach()
  configure_file(${CMAKE_CURRENT_LIST_DIR}/c_library/chaff-c.pc.in chaff-c.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/chaff-c.pc DESTINATION ${pc_folder})
endif()
