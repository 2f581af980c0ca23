// SPDX-License-Identifier: MIT
/// A gate that is always open: the gate of a bare perturbation.
#ifndef CHAFF_GATES_ALWAYS_HPP
#define CHAFF_GATES_ALWAYS_HPP

#include "chaff/posterior/row.hpp"

namespace chaff {

/// A gate that is always open.
/// Formula: alpha = 1.
struct always {
  template <class T>
  [[gnu::always_inline]] double operator()(const row<T>&) const {
    return 1;
  }
};

}  // namespace chaff

#endif
