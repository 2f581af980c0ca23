// SPDX-License-Identifier: MIT
/// What the tests include, compiled once. Of the library it has what nearly all of them use, so that few are compiled
/// anew where another header changes.
#ifndef CHAFF_TESTS_SUPPORT_PRECOMPILED_HPP
#define CHAFF_TESTS_SUPPORT_PRECOMPILED_HPP

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/shared_code.hpp"

#endif
