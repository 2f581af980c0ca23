// SPDX-License-Identifier: MIT
/// Detects attackers by account, and answers flagged accounts in another way.
#ifndef CHAFF_MONITOR_HPP
#define CHAFF_MONITOR_HPP

#include "chaff/accounts/gate_monitor.hpp"   // IWYU pragma: export
#include "chaff/accounts/monitored.hpp"      // IWYU pragma: export
#include "chaff/accounts/query_monitor.hpp"  // IWYU pragma: export

#endif
