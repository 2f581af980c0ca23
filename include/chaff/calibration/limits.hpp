// SPDX-License-Identifier: MIT
/// Whether costs that were measured on a sample keep a budget.
#ifndef CHAFF_CALIBRATION_LIMITS_HPP
#define CHAFF_CALIBRATION_LIMITS_HPP

#include <algorithm>
#include <cmath>

#include "chaff/calibration/data.hpp"
#include "chaff/error.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A mean over a sample and its standard error.
struct estimate {
  double mean = 0;
  double standard_error = 0;
};

/// What a defense costs benign users: means over a sample of their outputs.
struct utility_costs {
  double perturbed = 0;
  double l1 = 0;
  double label_changes = 0;
  estimate ece_increase = {};
};

/// The upper end of Wilson's interval for a share of n, z standard errors wide.
/// It also bounds the mean of numbers in [0, 1], whose variance is at most that of a share.
/// Formula: (p + z^2 / 2n + z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n).
/// Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
inline double wilson_upper(double share, double n, double z) {
  const double spread = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return (std::min)(1.0, (share + z * z / (2 * n) + spread) / (1 + z * z / n));
}

/// Checks a budget.
/// Throws: std::invalid_argument for a value out of its range, or a budget without a limit.
inline void check_budget(const utility_budget& budget) {
  raise(check_ranges(parameter_range{"budget.perturbed", budget.perturbed, 0, 1},
                     parameter_range{"budget.l1", budget.l1, 0, 2},
                     parameter_range{"budget.label_changes", budget.label_changes, 0, 1},
                     parameter_range{"budget.ece_increase", budget.ece_increase, 0, 1},
                     parameter_range{"budget.sigmas", budget.sigmas, 0, 10},
                     parameter_range{"budget.max_beta", budget.max_beta, 0, 1000}));
  if (budget.perturbed >= 1 && budget.l1 >= 2 && budget.label_changes >= 1 && budget.ece_increase >= 1) {
    fail<std::invalid_argument>("chaff: the budget limits nothing: set perturbed, l1, label_changes or ece_increase");
  }
}

/// Checks that a sample of `rows` is large enough: that the interval around a cost of 0 fits below the smallest limit.
/// Throws: std::invalid_argument where it is too small.
inline void check_sample_size(const utility_budget& budget, std::size_t rows) {
  const double min_limit = (std::min)({budget.perturbed, budget.label_changes, budget.l1 / 2});
  if (budget.sigmas > 0 && !(min_limit > 0)) {
    fail<std::invalid_argument>("chaff: no number of rows shows a cost of 0: a limit of 0 needs budget.sigmas = 0");
  }
  const double z2 = budget.sigmas * budget.sigmas;
  if (z2 > 0 && wilson_upper(0, static_cast<double>(rows), budget.sigmas) > min_limit) {
    fail<std::invalid_argument>(
        "chaff: calibration_data has %zu rows, but a limit of %g with budget.sigmas = %g needs %.0f rows or more", rows,
        min_limit, budget.sigmas, std::ceil(z2 * (1 / min_limit - 1)));
  }
}

/// Whether costs on a sample of n rows keep a budget, with room for its sampling error: for shares and L1 the upper end
/// of Wilson's interval, for the calibration error that of the normal approximation.
inline bool keeps_budget(const utility_costs& costs, double n, const utility_budget& budget) {
  const auto is_within = [&](double mean, double limit) {
    return limit >= 1 || wilson_upper(mean, n, budget.sigmas) <= limit;
  };
  return is_within(costs.perturbed, budget.perturbed) && is_within(costs.l1 / 2, budget.l1 / 2) &&
         is_within(costs.label_changes, budget.label_changes) &&
         (budget.ece_increase >= 1 ||
          costs.ece_increase.mean + budget.sigmas * costs.ece_increase.standard_error <= budget.ece_increase);
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
