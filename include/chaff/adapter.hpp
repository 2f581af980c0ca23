// SPDX-License-Identifier: MIT
/// How logits in a container that is not a contiguous range are read and answered: the door for Eigen, cv::Mat, tensors
/// and containers of the user.
#ifndef CHAFF_ADAPTER_HPP
#define CHAFF_ADAPTER_HPP

#include <vector>

#include "chaff/policy.hpp"
#include "chaff/posterior/contiguous.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// How logits in a container R are read and answered. Specialise it for a container of your own, with two static
/// functions:
/// `template <class Defense> static auto apply(const Defense&, const R& logits, const policy&)` returns a container of
/// the same kind with the outputs; it calls apply_rows on the memory that it knows of.
/// `static void copy(const R& values, std::vector<double>& rows)` appends the values, row after row: what a decoy or a
/// surrogate returned.
/// Specialised by chaff/adapters/eigen.hpp, opencv.hpp and torch.hpp.
template <class R>
struct adapter {
  static constexpr bool is_missing = true;
};

/// A container with an adapter.
template <class R>
concept Adapted = !requires {
  adapter<std::remove_cvref_t<R>>::is_missing;
};

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
