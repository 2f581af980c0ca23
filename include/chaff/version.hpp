// SPDX-License-Identifier: MIT
/// The version of the library: the one place where it is written. CMake reads it from here.
#ifndef CHAFF_VERSION_HPP
#define CHAFF_VERSION_HPP

#define CHAFF_VERSION_MAJOR 0
#define CHAFF_VERSION_MINOR 1
#define CHAFF_VERSION_PATCH 0

#endif
