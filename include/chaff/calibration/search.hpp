// SPDX-License-Identifier: MIT
/// The search for the tau and beta that move the outputs of OOD queries furthest within a budget.
#ifndef CHAFF_CALIBRATION_SEARCH_HPP
#define CHAFF_CALIBRATION_SEARCH_HPP

#include <algorithm>
#include <vector>

#include "chaff/calibration/ece_increase.hpp"
#include "chaff/calibration/limits.hpp"
#include "chaff/calibration/rows_by_score.hpp"
#include "chaff/calibration/threshold_gate.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A setting of a defense's parameters, and how far it moves the outputs of OOD queries, in mean L1.
struct setting {
  double tau;
  double beta;
  double ood_l1;
};

/// The search for the tau and beta that move the outputs of OOD queries furthest within a budget on benign ones.
/// Without OOD data, the tenth of the benign rows that the gate opens for first stands for it.
template <class Defense, std::floating_point T>
class parameter_search {
 public:
  /// Throws: what calibrate raises for data that do not fit the budget or one another.
  parameter_search(const calibration_data<T>& data, const utility_budget& budget, const Defense& defense,
                   const policy& policy)
      : budget_(budget), defense_(defense), policy_(policy) {
    benign_ = rows_by_score<T>("logits", gate(), data.logits, data.classes, data.labels, policy);
    if (!data.ood_logits.empty()) {
      ood_ = rows_by_score<T>("ood_logits", gate(), data.ood_logits, data.classes, {}, policy);
    }
    if (budget.ece_increase < 1) {
      if (data.labels.size == 0) {
        fail<std::invalid_argument>("chaff: budget.ece_increase is %g, which needs calibration_data.labels",
                                    budget.ece_increase);
      }
      predictions_ = std::vector<prediction>(benign_.rows());
      write_predictions(benign_.posteriors(benign_.rows()), data.classes, benign_.labels(benign_.rows()), predictions_);
    }
    check_sample_size(budget, benign_.rows());
  }

  /// The best setting. step() is called before each of some hundred settings is measured.
  /// Throws: std::invalid_argument where no setting keeps the budget.
  template <class Step>
  setting best(Step& step) const {
    const double min_tau = clamp_tau((std::min)(benign_.scores()[0], ood().scores()[0]) - 40 / gate().nu);
    const double max_beta = has_beta<Defense> ? budget_.max_beta : 0;
    setting best{min_tau, 0, 0};
    const auto improve = [&](double tau, double beta) {
      if (!(tau >= min_tau && tau <= clamp_tau(tau) && beta >= 0 && beta <= max_beta)) return false;
      step();
      const double l1 = mean_ood_l1(tau, beta);
      if (!(l1 > best.ood_l1 + 1e-9) || !keeps_budget(costs(tau, beta), benign_count(), budget_)) return false;
      best = {tau, beta, l1};
      return true;
    };

    // a grid, since neither L1 nor the calibration error need rise with beta
    const std::vector<double> taus = grid_of_taus(min_tau);
    constexpr int betas = has_beta<Defense> ? 12 : 1;
    for (const double tau : taus) {
      for (int i = betas; i > 0; --i) improve(tau, max_beta * i / betas);
    }
    // then, from the best of the grid, steps that are halved where none of them improves it
    double tau_step = (taus.back() - taus.front()) / static_cast<double>(taus.size());
    double beta_step = max_beta / betas;
    for (int halvings = 0; halvings < 16;) {
      bool is_better = false;
      for (const int t : {1, 0, -1}) {
        for (const int b : {1, 0, -1}) {
          if ((t != 0 || b != 0) && (has_beta<Defense> || b == 0)) {
            is_better |= improve(best.tau + t * tau_step, best.beta + b * beta_step);
          }
        }
      }
      if (is_better) continue;
      tau_step /= 2;
      beta_step /= 2;
      ++halvings;
    }

    if (!(best.ood_l1 > 0) && !keeps_budget(costs(best.tau, best.beta), benign_count(), budget_)) {
      fail<std::invalid_argument>(
          "chaff: no tau and beta keep the budget; is nu, %g, too small for a gate that closes?",
          static_cast<double>(gate().nu));
    }
    return best;
  }

  /// The utility of the outputs for all benign rows.
  utility benign_utility(const setting& at) const {
    return benign_.utility_under(defense_with(at.tau, at.beta), benign_.rows(), policy_);
  }

  /// The utility of the outputs for all OOD rows, or for what stands for them.
  utility ood_utility(const setting& at) const {
    return ood().utility_under(defense_with(at.tau, at.beta), ood_rows(), policy_);
  }

 private:
  auto gate() const { return parts_of(defense_).gate; }

  static double clamp_tau(double tau) {
    return std::clamp<double>(tau, gate_of<Defense>::min_tau, gate_of<Defense>::max_tau);
  }

  Defense defense_with(double tau, double beta) const {
    Defense defense = defense_;
    set_parameters(defense, tau, beta);
    return defense;
  }

  double benign_count() const { return static_cast<double>(benign_.rows()); }
  const rows_by_score<T>& ood() const { return ood_.rows() > 0 ? ood_ : benign_; }
  std::size_t ood_rows() const { return ood_.rows() > 0 ? ood_.rows() : (benign_.rows() + 9) / 10; }

  /// How many of the first `count` rows are not behind a closed gate. The outputs of all others are their posteriors.
  std::size_t open_rows(double tau, const rows_by_score<T>& rows, std::size_t count) const {
    if (policy_.label_margin > 0) return count;  // a margin also moves outputs behind a closed gate
    const auto first = rows.scores().begin();
    const auto end = first + static_cast<std::ptrdiff_t>(count);
    return static_cast<std::size_t>(std::upper_bound(first, end, tau + 40 / gate().nu) - first);
  }

  /// The largest tau that keeps the limit on the perturbed share, by bisection: that share rises with tau. It is taken
  /// at a beta that perturbs each row for which the gate is open.
  double max_tau(double min_tau, double max_score) const {
    const auto perturbs_too_many = [&](double tau) {
      return wilson_upper(costs(tau, budget_.max_beta).perturbed, benign_count(), budget_.sigmas) > budget_.perturbed;
    };
    double high = clamp_tau(max_score + 40 / gate().nu);
    if (!perturbs_too_many(high)) return high;
    double low = min_tau;
    for (int i = 0; i < 40; ++i) {
      const double middle = (low + high) / 2;
      (perturbs_too_many(middle) ? high : low) = middle;
    }
    return low;
  }

  /// Thresholds between min_tau and max_tau, among which the number of rows with an open gate rises evenly.
  std::vector<double> grid_of_taus(double min_tau) const {
    constexpr std::size_t levels = 24;
    std::vector<double> scores(benign_.scores());
    scores.insert(scores.end(), ood_.scores().begin(), ood_.scores().end());
    std::sort(scores.begin(), scores.end());
    const double highest = max_tau(min_tau, scores.back());
    std::vector<double> taus{highest};
    const auto below =
        static_cast<std::size_t>(std::lower_bound(scores.begin(), scores.end(), highest) - scores.begin());
    for (std::size_t i = 1; i < levels && below > 0; ++i) taus.push_back(scores[(below - 1) * i / levels]);
    taus.push_back(min_tau);
    std::sort(taus.begin(), taus.end());
    taus.erase(std::unique(taus.begin(), taus.end()), taus.end());
    return taus;
  }

  /// How far the outputs of OOD rows lie from their posteriors, in mean L1.
  double mean_ood_l1(double tau, double beta) const {
    const std::size_t open = open_rows(tau, ood(), ood_rows());
    if (open == 0) return 0;
    const std::vector<T> outputs = ood().outputs(defense_with(tau, beta), open, policy_);
    return l1_distance(outputs, ood().posteriors(open), ood().classes()) * static_cast<double>(open) /
           static_cast<double>(ood_rows());
  }

  /// What a setting costs benign users.
  utility_costs costs(double tau, double beta) const {
    const std::size_t open = open_rows(tau, benign_, benign_.rows());
    if (open == 0) return {};
    const std::vector<T> outputs = benign_.outputs(defense_with(tau, beta), open, policy_);
    const utility of_open = utility_of(outputs, benign_.posteriors(open), benign_.classes());
    const double share = static_cast<double>(open) / benign_count();
    utility_costs all{of_open.perturbed * share, of_open.l1 * share, of_open.label_changes * share, {}};
    if (budget_.ece_increase < 1) {
      std::vector<prediction> after = predictions_;
      write_predictions(outputs, benign_.classes(), benign_.labels(open), after);
      all.ece_increase = ece_increase(predictions_, after);
    }
    return all;
  }

  utility_budget budget_;
  Defense defense_;
  policy policy_;
  rows_by_score<T> benign_, ood_;
  std::vector<prediction> predictions_;  ///< of the benign posteriors, where the budget limits the calibration error
};

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
