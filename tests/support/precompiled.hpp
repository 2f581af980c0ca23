// SPDX-License-Identifier: MIT
/// What the tests include, compiled once.
#ifndef CHAFF_TESTS_SUPPORT_PRECOMPILED_HPP
#define CHAFF_TESTS_SUPPORT_PRECOMPILED_HPP

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <chaff/chaff.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/shared_code.hpp"

#endif
