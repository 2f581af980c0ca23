// SPDX-License-Identifier: MIT
/// An attack that undoes a defense by a table: what an attacker who knows the defense recovers of the posteriors.
#ifndef CHAFF_EXAMPLES_AUDIT_UNDO_HPP
#define CHAFF_EXAMPLES_AUDIT_UNDO_HPP

#include <Eigen/Core>
#include <algorithm>
#include <chaff/metrics/compare.hpp>
#include <chaff/metrics/utility.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace audit {

/// The mean L1 distance between perturbed answers and their posteriors: as answered, after an attack by a table, and
/// guessed from the label alone. NaN where too few answers are perturbed.
struct table_attack {
  std::size_t rows = 0;
  double answered = std::numeric_limits<double>::quiet_NaN();
  double restored = std::numeric_limits<double>::quiet_NaN();
  double by_label = std::numeric_limits<double>::quiet_NaN();
};

/// Runs the attack. The attacker runs the defense on data of their own, keeps the pairs (answer, posterior) of
/// perturbed answers in a table, and estimates the posterior of a new answer as the mean over the eight nearest answers
/// in the table, in L2. Here the table holds every second row, and the other rows are attacked; both are cut so that
/// 2e9 products suffice. Source: the partial Bayes attacker of Tang et al. 2024, "ModelGuard", USENIX Security.
inline table_attack attack_by_table(const std::vector<float>& answers, const std::vector<float>& posteriors,
                                    std::size_t classes) {
  using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  constexpr std::size_t neighbours = 8, min_rows = 40;
  std::vector<std::size_t> perturbed[2];
  for (std::size_t i = 0; i < answers.size() / classes; ++i) {
    const auto row = [&](const std::vector<float>& all) { return std::span(all).subspan(i * classes, classes); };
    if (chaff::l1_distance(row(answers), row(posteriors)) > chaff::min_perturbed_l1) perturbed[i % 2].push_back(i);
  }
  table_attack result;
  result.rows = perturbed[0].size() + perturbed[1].size();
  if (std::min(perturbed[0].size(), perturbed[1].size()) < min_rows) return result;
  const auto max_rows = static_cast<std::size_t>(std::sqrt(2e9 / static_cast<double>(classes)));
  const auto gather = [&](const std::vector<float>& all, const std::vector<std::size_t>& rows) {
    matrix some(static_cast<Eigen::Index>(std::min(rows.size(), std::max(max_rows, min_rows))),
                static_cast<Eigen::Index>(classes));
    for (Eigen::Index i = 0; i < some.rows(); ++i) {
      some.row(i) =
          Eigen::Map<const Eigen::RowVectorXf>(&all[rows[static_cast<std::size_t>(i)] * classes], some.cols());
    }
    return some;
  };
  const matrix table = gather(answers, perturbed[0]), table_posteriors = gather(posteriors, perturbed[0]);
  const matrix attacked = gather(answers, perturbed[1]), targets = gather(posteriors, perturbed[1]);

  // by the label alone: the mean posterior of the label's rows in the table
  const auto label_of = [&](const matrix& rows, Eigen::Index i) {
    return static_cast<Eigen::Index>(chaff::predicted_label(std::span<const float>(rows.row(i).data(), classes)));
  };
  const Eigen::Index outcomes = classes == 1 ? 2 : static_cast<Eigen::Index>(classes);
  matrix mean_of_label = matrix::Zero(outcomes, table.cols());
  Eigen::VectorXf count = Eigen::VectorXf::Zero(outcomes);
  for (Eigen::Index i = 0; i < table.rows(); ++i) {
    mean_of_label.row(label_of(table, i)) += table_posteriors.row(i);
    ++count[label_of(table, i)];
  }
  const Eigen::VectorXf squares = table.rowwise().squaredNorm();
  std::vector<Eigen::Index> order(static_cast<std::size_t>(table.rows()));
  result.answered = result.restored = result.by_label = 0;
  for (Eigen::Index i = 0; i < attacked.rows(); ++i) {
    // |t - a|^2 without |a|^2, which is the same for all rows t of the table
    const Eigen::VectorXf distances = squares - 2 * (table * attacked.row(i).transpose());
    std::iota(order.begin(), order.end(), Eigen::Index{0});
    std::nth_element(order.begin(), order.begin() + (neighbours - 1), order.end(),
                     [&](Eigen::Index a, Eigen::Index b) { return distances[a] < distances[b]; });
    Eigen::RowVectorXf restored = Eigen::RowVectorXf::Zero(attacked.cols());
    for (std::size_t n = 0; n < neighbours; ++n) restored += table_posteriors.row(order[n]) / float(neighbours);
    const Eigen::Index label = label_of(attacked, i);
    const auto distance = [&](const auto& row) {
      const double l1 = static_cast<double>((row - targets.row(i)).template lpNorm<1>());
      return classes == 1 ? 2 * l1 : l1;
    };
    result.answered += distance(attacked.row(i));
    result.restored += distance(restored);
    result.by_label += count[label] > 0 ? distance(mean_of_label.row(label) / count[label]) : distance(attacked.row(i));
  }
  const auto rows = static_cast<double>(attacked.rows());
  result.answered /= rows;
  result.restored /= rows;
  result.by_label /= rows;
  return result;
}

}  // namespace audit

#endif
