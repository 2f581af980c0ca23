// SPDX-License-Identifier: MIT
/// Chooses tau and beta of a defense from held-out data and a budget.
#ifndef CHAFF_CALIBRATE_HPP
#define CHAFF_CALIBRATE_HPP

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "chaff/apply.hpp"
#include "chaff/calibration/rows_by_score.hpp"
#include "chaff/defenses/dcp.hpp"
#include "chaff/effect.hpp"

namespace chaff {

/// Logits that a model returned for data that it was not trained on.
///
/// logits: N x classes, row-major, of inputs such as customers send. truth: their N true labels, or none. strange:
/// M x classes, of inputs such as a thief sends, or none. They are what policy.input says; all are read, none is kept.
template <std::floating_point T>
struct held_out {
  std::span<const T> logits;
  std::size_t classes = 0;
  std::span<const int> truth = {};
  std::span<const T> strange = {};
};

/// What a defense may cost customers. Each is a limit of its own; the defaults limit nothing.
struct budget {
  double touched = 1;            ///< share of their answers that may be touched, in [0, 1]; see effect
  double l1 = 2;                 ///< mean |answer - posterior|_1 over all of their answers, in [0, 2]
  double changed = 1;            ///< share of their answers that may name another label, in [0, 1]
  double calibration_error = 1;  ///< by how much their expected calibration error may rise, in [0, 1]; needs truth

  /// How many standard errors of sampling are kept free below each limit, in [0, 10], so that it holds for customers
  /// who are not in the held-out data: for shares and L1 by the upper end of Wilson's interval (1927), for the
  /// calibration error by that of the normal approximation. 0 fits the data at hand and promises nothing of others.
  double sigmas = 2;

  /// The largest beta that may be chosen, in [0, 1000]; the paper's largest is 1.5.
  double most_beta = 1.5;

  /// Raises std::invalid_argument for a value outside of its range.
  void check() const {
    check_range("budget.touched", touched, 0, 1);
    check_range("budget.l1", l1, 0, 2);
    check_range("budget.changed", changed, 0, 1);
    check_range("budget.calibration_error", calibration_error, 0, 1);
    check_range("budget.sigmas", sigmas, 0, 10);
    check_range("budget.most_beta", most_beta, 0, 1000);
  }
};

/// A defense with its parameters chosen, and what they do on the data that they were chosen from.
template <class Defense>
struct calibrated {
  Defense defense;
  double tau;
  double beta;       ///< NaN where the perturbation has none
  effect customers;  ///< on held_out.logits
  effect strangers;  ///< on held_out.strange, or where there are none on the tenth of the logits that the gate opens
                     ///< for first, which then stands for them
};

/// A gate with a threshold in [least_tau, most_tau]: alpha = falling_step(nu (score(seen) - tau)).
/// Satisfied by confidence_gate and energy_gate.
template <class G, class T = float>
concept threshold_gate = gate<G, T> && requires(G part, const row<T>& seen) {
  { part.score(seen) } -> std::convertible_to<double>;
  part.tau = 0.5;
  { part.nu } -> std::convertible_to<double>;
  { part.least_tau + part.most_tau } -> std::convertible_to<double>;
};

/// A defense with another tau and, where its perturbation has one, another beta.
constexpr dcp with_parameters(dcp used, double tau, double beta) {
  used.tau = tau;
  used.beta = beta;
  return used;
}
/// The same of a gate and a perturbation.
template <class G, class P>
constexpr gated<G, P> with_parameters(gated<G, P> used, double tau, double beta) {
  used.gate.tau = tau;
  if constexpr (requires { used.perturbation.beta = beta; }) used.perturbation.beta = beta;
  return used;
}
/// The upper end of Wilson's interval for a share of n, z standard errors wide; also above the mean of numbers in
/// [0, 1], whose variance is that of a share at most. Source: Wilson 1927, "Probable inference".
inline double wilson_upper(double share, double n, double z) {
  const double spread = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return std::min(1.0, (share + z * z / (2 * n) + spread) / (1 + z * z / n));
}

/// The search for the parameters that do most to strangers within what the budget allows on customers.
template <class Defense, class T>
class calibration {
 public:
  /// Raises what calibrate raises.
  calibration(const held_out<T>& data, const budget& allowed, const Defense& used, const policy& promised)
      : allowed_(allowed), used_(used), promised_(promised) {
    allowed.check();
    check(used, promised);
    customers_ = rows_by_score<T>(used, data.logits, data.classes, data.truth, promised);
    if (!data.strange.empty()) strangers_ = rows_by_score<T>(used, data.strange, data.classes, {}, promised);
    if (allowed.calibration_error < 1 && data.truth.empty()) {
      fail<std::invalid_argument>("chaff: budget.calibration_error is %g, which needs held_out.truth",
                                  allowed.calibration_error);
    }
    if (allowed.calibration_error < 1) {
      for_each_named("calibrate", customers_.posteriors(customers_.rows()), data.classes, customers_.label,
                     [&](double confidence, bool right) {
                       before_.push_back({confidence, right});
                     });
    }
    const double least = std::min({allowed.touched, allowed.changed, allowed.l1 / 2});
    const double z2 = allowed.sigmas * allowed.sigmas;
    if (z2 > 0 && wilson_upper(0, rows(), allowed.sigmas) > least) {
      fail<std::invalid_argument>("chaff: %zu held-out rows hold no budget of %g by %g standard errors, it takes %.0f",
                                  customers_.rows(), least, allowed.sigmas, std::ceil(z2 * (1 / least - 1)));
    }
  }

  /// step() is called before each try, of a few hundred.
  template <class Step>
  calibrated<Defense> find(Step step) const {
    constexpr int betas = has_beta ? 12 : 1;
    const double lowest = clamped(std::min(customers_.score[0], strangers().score[0]) - 40 / gate().nu);
    const std::vector<double> taus = some_taus(lowest);
    const double most_beta = has_beta ? allowed_.most_beta : 0;
    point best{lowest, 0, 0};
    const auto consider = [&](double tau, double beta) {
      if (!(tau >= lowest && tau <= clamped(tau) && beta >= 0 && beta <= most_beta)) return false;
      step();
      const Defense tried = with_parameters(used_, tau, beta);
      const double gain = mean_l1(tried, strangers(), strange_rows());
      if (!(gain > best.gain + 1e-9) || !allows(tried)) return false;
      best = {tau, beta, gain};
      return true;
    };

    // a grid, since neither L1 nor the calibration error need rise with beta
    for (const double tau : taus) {
      for (int i = betas; i > 0; --i) consider(tau, most_beta * i / betas);
    }
    // then from the best of it by steps that are halved where none helps
    double tau_step = (taus.back() - taus.front()) / static_cast<double>(taus.size());
    double beta_step = most_beta / betas;
    for (int halvings = 0; halvings < 16;) {
      bool helped = false;
      for (const double t : {1.0, 0.0, -1.0}) {
        for (const double b : {1.0, 0.0, -1.0}) {
          if ((t != 0 || b != 0) && (has_beta || b == 0)) {
            helped |= consider(best.tau + t * tau_step, best.beta + b * beta_step);
          }
        }
      }
      if (helped) continue;
      tau_step /= 2;
      beta_step /= 2;
      ++halvings;
    }

    const Defense chosen = with_parameters(used_, best.tau, best.beta);
    if (best.gain == 0 && !allows(chosen)) {
      fail<std::invalid_argument>(
          "chaff: no tau and beta keep the budget; is nu, %g, too small for a gate that closes?", gate().nu);
    }
    return {chosen, best.tau, has_beta ? best.beta : std::numeric_limits<double>::quiet_NaN(),
            customers_.effect_on(chosen, customers_.rows(), promised_),
            strangers().effect_on(chosen, strange_rows(), promised_)};
  }

 private:
  static constexpr bool has_beta = requires(Defense d) { parts_of(d).perturbation.beta; };

  struct point {
    double tau, beta, gain;
  };

  double rows() const { return static_cast<double>(customers_.rows()); }
  auto gate() const { return parts_of(used_).gate; }
  double clamped(double tau) const { return std::clamp(tau, gate().least_tau, gate().most_tau); }
  const rows_by_score<T>& strangers() const { return strangers_.rows() > 0 ? strangers_ : customers_; }
  std::size_t strange_rows() const { return strangers_.rows() > 0 ? strangers_.rows() : (customers_.rows() + 9) / 10; }

  /// How many of the first `count` rows the gate is not closed for, so that the others' answers are their posteriors.
  std::size_t open_rows(const Defense& tried, const rows_by_score<T>& all, std::size_t count) const {
    if (promised_.label_margin > 0) return count;  // behind a closed gate answers are moved to meet it
    const auto opened = parts_of(tried).gate;
    const auto end = all.score.begin() + static_cast<std::ptrdiff_t>(count);
    return static_cast<std::size_t>(std::upper_bound(all.score.begin(), end, opened.tau + 40 / opened.nu) -
                                    all.score.begin());
  }

  /// The thresholds that open the gate for so many of the rows, up to where more customers than allowed are touched.
  std::vector<double> some_taus(double lowest) const {
    constexpr std::size_t levels = 24;
    std::vector<double> scores(customers_.score);
    scores.insert(scores.end(), strangers_.score.begin(), strangers_.score.end());
    std::sort(scores.begin(), scores.end());
    // what is touched rises with tau: by bisection, at a beta that touches all that the gate lets through
    double highest = clamped(scores.back() + 40 / gate().nu);
    const auto touches_too_many = [&](double tau) {
      const Defense tried = with_parameters(used_, tau, allowed_.most_beta);
      return wilson_upper(costs_of(tried).touched, rows(), allowed_.sigmas) > allowed_.touched;
    };
    if (touches_too_many(highest)) {
      double low = lowest, high = highest;
      for (int i = 0; i < 40; ++i) {
        const double middle = (low + high) / 2;
        (touches_too_many(middle) ? high : low) = middle;
      }
      highest = low;
    }
    std::vector<double> taus{highest};
    const auto below =
        static_cast<std::size_t>(std::lower_bound(scores.begin(), scores.end(), highest) - scores.begin());
    for (std::size_t i = 1; i < levels && below > 0; ++i) taus.push_back(scores[(below - 1) * i / levels]);
    taus.push_back(lowest);
    std::sort(taus.begin(), taus.end());
    taus.erase(std::unique(taus.begin(), taus.end()), taus.end());
    return taus;
  }

  double mean_l1(const Defense& tried, const rows_by_score<T>& all, std::size_t count) const {
    const std::size_t open = open_rows(tried, all, count);
    if (open == 0) return 0;
    return l1_distance(all.answers(tried, open, promised_), all.posteriors(open), all.classes()) *
           static_cast<double>(open) / static_cast<double>(count);
  }

  struct costs {
    double touched = 0, l1 = 0, changed = 0;
    double calibration_error = 0, its_error = 0;  ///< its rise, and the standard error of that
  };

  costs costs_of(const Defense& tried) const {
    const std::size_t open = open_rows(tried, customers_, customers_.rows());
    if (open == 0) return {};
    const std::vector<T> answers = customers_.answers(tried, open, promised_);
    const effect found = effect_of(answers, customers_.posteriors(open), customers_.classes());
    const double share = static_cast<double>(open) / rows();
    costs all{found.touched * share, found.l1 * share, found.changed * share};
    if (allowed_.calibration_error < 1) {
      const auto [rise, error] = calibration_rise(answers);
      all.calibration_error = rise;
      all.its_error = error;
    }
    return all;
  }

  /// The mean rise of the expected calibration error where the first rows have these answers, and its standard error
  /// with the sign of each bin's gap held fixed: each row then adds a number of its own.
  std::pair<double, double> calibration_rise(const std::vector<T>& answers) const {
    std::vector<named> after = before_;
    std::size_t at = 0;
    for_each_named("calibrate", answers, customers_.classes(),
                   std::span(customers_.label).first(answers.size() / customers_.classes()),
                   [&](double confidence, bool right) {
                     after[at++] = {confidence, right};
                   });
    const calibration_bins gaps_before = gaps_of(before_), gaps_after = gaps_of(after);
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < after.size(); ++i) {
      const double d = share_of(after[i], gaps_after) - share_of(before_[i], gaps_before);
      sum += d;
      squares += d * d;
    }
    const double mean = sum / rows();
    return {mean, std::sqrt(std::max(0.0, squares / rows() - mean * mean) / rows())};
  }

  struct named {
    double confidence;
    bool right;

    double gap() const { return (right ? 1 : 0) - confidence; }
  };
  static calibration_bins gaps_of(const std::vector<named>& all) {
    calibration_bins gaps{};
    for (const named& one : all) gaps[calibration_bin(one.confidence)] += one.gap();
    return gaps;
  }
  static double share_of(const named& one, const calibration_bins& gaps) {
    return gaps[calibration_bin(one.confidence)] < 0 ? -one.gap() : one.gap();
  }

  bool allows(const Defense& tried) const {
    const costs found = costs_of(tried);
    const auto within = [&](double mean, double limit) {
      return limit >= 1 || wilson_upper(mean, rows(), allowed_.sigmas) <= limit;
    };
    return within(found.touched, allowed_.touched) && within(found.l1 / 2, allowed_.l1 / 2) &&
           within(found.changed, allowed_.changed) &&
           (allowed_.calibration_error >= 1 ||
            found.calibration_error + allowed_.sigmas * found.its_error <= allowed_.calibration_error);
  }

  budget allowed_;
  Defense used_;
  policy promised_;
  rows_by_score<T> customers_, strangers_;
  std::vector<named> before_;  ///< of the customers' posteriors
};

/// Chooses tau, and beta where the perturbation has one, of a defense behind a confidence_gate or an energy_gate: of
/// all settings that keep the budget on the held-out data, the one that moves strangers' answers furthest, in mean L1.
/// All else (gamma, nu, rule, key, reductions) is as given; what tau and beta the defense came with does not matter.
///
/// Shapes: see held_out; where it has no strange inputs, the tenth of its rows that the gate opens for first stands for
/// them. Search: a grid over tau and beta, up to the largest tau that the share of touched answers allows, which is
/// found by bisection; then steps from the best of it. A finer grid finds at most 1 % more L1 (tested). The budget is
/// kept by what was measured there, not by what was expected. Where nothing is allowed, the gate stays closed.
/// step(), if given, is called before each of some hundred tries. Cost: a try answers the rows that the gate opens for.
/// Errors: std::invalid_argument for sizes that do not match, a parameter out of range, a limit on the calibration
/// error without truth, too few rows to hold a budget by so many standard errors, or a gate so flat that none keeps the
/// budget; std::domain_error for logits that apply refuses. Allocation: twice the data.
template <class Defense, std::floating_point T, class Step>
calibrated<Defense> calibrate(const held_out<T>& data, const budget& allowed, const Defense& used,
                              const policy& promised, Step step) {
  static_assert(threshold_gate<std::remove_cvref_t<decltype(parts_of(used).gate)>, T>,
                "calibrate chooses the tau of a gate: pass chaff::dcp, or chaff::gated{gate, perturbation} with a "
                "confidence_gate or an energy_gate");
  return calibration<Defense, T>(data, allowed, used, promised).find(step);
}
/// The same of a defense with reductions. As policy.max_l1 does, budget and effects speak of answers before those.
template <class Defense, class... Reductions, std::floating_point T, class Step>
calibrated<reduced<Defense, Reductions...>> calibrate(const held_out<T>& data, const budget& allowed,
                                                      const reduced<Defense, Reductions...>& used,
                                                      const policy& promised, Step step) {
  const auto found = calibrate(data, allowed, used.defense, promised, step);
  return {{found.defense, used.reductions}, found.tau, found.beta, found.customers, found.strangers};
}
/// Both, in silence.
template <class Defense, std::floating_point T>
calibrated<Defense> calibrate(const held_out<T>& data, const budget& allowed, const Defense& used = {},
                              const policy& promised = {}) {
  return calibrate(data, allowed, used, promised, [] {});
}
}  // namespace chaff

#endif
