// SPDX-License-Identifier: MIT
/// ModelGuard-W: of the outputs within a distance of the posterior, the one that tells least about it.
#ifndef CHAFF_PERTURBATIONS_MODELGUARD_W_HPP
#define CHAFF_PERTURBATIONS_MODELGUARD_W_HPP

#include "chaff/perturbations/modelguard_w_program.hpp"
#include "chaff/policy.hpp"

CHAFF_BEGIN

namespace chaff {

/// ModelGuard-W: of the outputs within epsilon of the posterior, in L1, the one that tells least about it.
/// Formula: w minimises sum_j w_j log(p_j + 1e-6) over the simplex with |w - p|_1 <= epsilon and a label that leads by
/// 1e-4. The classes are lowered to a cap of w_label - 1e-4; mass goes from the label and the most probable classes to
/// the least probable ones, each up to the cap. Classes of equal p stay equal. A masked class receives nothing. Where
/// no output within epsilon has the lead, w = p.
/// The optimum is exact up to rounding. Label caps and margins of the policy come after it.
/// Range: epsilon in [0, 2].
/// Throws: std::invalid_argument for any other value, when bound to a model and at apply.
/// Allocates: nothing. Up to 1,024 classes are held on the stack, in 8 KiB of float or 16 KiB of double.
/// Cost: 10 to 40 passes over the row, counted on random rows of up to 20,000 classes: about 10 softmaxes at K = 1000.
/// Of rows of more than 1,024 classes each pass computes the exponentials anew, which makes it 40 to 100 softmaxes.
/// Source: Tang et al. 2024, "ModelGuard: Information-Theoretic Defense Against Model Extraction Attacks", USENIX
/// Security. The authors solve K linear programs a row; the passes over the row are this library's.
struct modelguard_w {
  double epsilon = 1;

  [[gnu::always_inline]] constexpr parameter_error check(const policy&) const {
    return check_ranges(parameter_range{"epsilon", epsilon, 0, 2});
  }

  template <class T>
  detail::modelguard_w_weights<T> weights(const row<T>& row) const {
    return detail::modelguard_w_program<T>(row, epsilon).solve();
  }
};

}  // namespace chaff

CHAFF_END

#endif
