# SPDX-License-Identifier: MIT
# ONNX Runtime, which Debian 12 does not have: npm has the headers and the library in one package.
set(onnxruntime_package com.github.asus4.onnxruntime@0.4.9)

# chaff_locate_onnxruntime(folder headers library): sets two variables to where the package is in a folder that npm
# installed it into with `--prefix folder`, and to "" where it is not.
function(chaff_locate_onnxruntime folder headers library)
  set(package ${folder}/node_modules/com.github.asus4.onnxruntime/Plugins)
  set(found_headers "${package}/iOS~/onnxruntime.xcframework/ios-arm64/onnxruntime.framework/Headers")
  set(found_library ${package}/Linux/x64/libonnxruntime.so)
  if(NOT EXISTS "${found_headers}/onnxruntime_cxx_api.h" OR NOT EXISTS ${found_library})
    set(found_headers "")
    set(found_library "")
  endif()
  set(${headers} "${found_headers}" PARENT_SCOPE)
  set(${library} "${found_library}" PARENT_SCOPE)
endfunction()
