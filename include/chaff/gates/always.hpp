// SPDX-License-Identifier: MIT
/// A gate that is always open: what a bare perturbation stands behind.
#ifndef CHAFF_GATES_ALWAYS_HPP
#define CHAFF_GATES_ALWAYS_HPP

#include "chaff/posterior/row.hpp"

namespace chaff {

/// alpha = 1.
struct always {
  void check(const policy&) const {}

  template <class T>
  double operator()(const row<T>&) const {
    return 1;
  }
};

}  // namespace chaff

#endif
