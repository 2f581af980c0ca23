// SPDX-License-Identifier: MIT
/// What a thief who knows the defense restores of the posteriors by a table.
#ifndef CHAFF_EXAMPLES_AUDIT_UNDO_HPP
#define CHAFF_EXAMPLES_AUDIT_UNDO_HPP

#include <Eigen/Core>
#include <algorithm>
#include <chaff/chaff.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace audit {

/// Mean L1 from the posterior of answers that are touched: as answered, as a table undoes them, and as the label alone
/// would tell. NaN where too few are touched to say.
struct undone {
  std::size_t rows = 0;
  double answered = std::numeric_limits<double>::quiet_NaN();
  double restored = std::numeric_limits<double>::quiet_NaN();
  double by_label = std::numeric_limits<double>::quiet_NaN();
};

/// The thief runs the defense on data of his own, keeps the pairs (answer, posterior) of the touched ones in a table,
/// and takes for a new answer the mean posterior of the eight nearest answers in the table, in L2. Here every second
/// row is his and the others are what he undoes; of each the first so many that 2e9 products suffice. Source: the
/// partial Bayes attacker of Tang et al. 2024, "ModelGuard", USENIX Security.
inline undone undo(const std::vector<float>& answers, const std::vector<float>& posteriors, std::size_t classes) {
  using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  constexpr std::size_t neighbours = 8, least_rows = 40;
  std::vector<std::size_t> touched[2];
  for (std::size_t i = 0; i < answers.size() / classes; ++i) {
    const auto row = [&](const std::vector<float>& all) { return std::span(all).subspan(i * classes, classes); };
    if (chaff::l1_distance(row(answers), row(posteriors)) > chaff::touched_l1) touched[i % 2].push_back(i);
  }
  undone found;
  found.rows = touched[0].size() + touched[1].size();
  if (std::min(touched[0].size(), touched[1].size()) < least_rows) return found;
  const auto most = static_cast<std::size_t>(std::sqrt(2e9 / static_cast<double>(classes)));
  const auto gathered = [&](const std::vector<float>& all, const std::vector<std::size_t>& rows) {
    matrix some(static_cast<Eigen::Index>(std::min(rows.size(), std::max(most, least_rows))),
                static_cast<Eigen::Index>(classes));
    for (Eigen::Index i = 0; i < some.rows(); ++i) {
      some.row(i) =
          Eigen::Map<const Eigen::RowVectorXf>(&all[rows[static_cast<std::size_t>(i)] * classes], some.cols());
    }
    return some;
  };
  const matrix table = gathered(answers, touched[0]), truth_of_table = gathered(posteriors, touched[0]);
  const matrix seen = gathered(answers, touched[1]), truth = gathered(posteriors, touched[1]);

  // by the label alone: the mean posterior of the label's rows in the table
  const auto label_of = [&](const matrix& rows, Eigen::Index i) {
    return static_cast<Eigen::Index>(chaff::named_label(std::span<const float>(rows.row(i).data(), classes)));
  };
  const Eigen::Index outcomes = classes == 1 ? 2 : static_cast<Eigen::Index>(classes);
  matrix mean_of_label = matrix::Zero(outcomes, table.cols());
  Eigen::VectorXf count = Eigen::VectorXf::Zero(outcomes);
  for (Eigen::Index i = 0; i < table.rows(); ++i) {
    mean_of_label.row(label_of(table, i)) += truth_of_table.row(i);
    ++count[label_of(table, i)];
  }
  const Eigen::VectorXf squares = table.rowwise().squaredNorm();
  std::vector<Eigen::Index> order(static_cast<std::size_t>(table.rows()));
  found.answered = found.restored = found.by_label = 0;
  for (Eigen::Index i = 0; i < seen.rows(); ++i) {
    // |t - a|^2 but for |a|^2, which is the same for all of the table
    const Eigen::VectorXf far = squares - 2 * (table * seen.row(i).transpose());
    std::iota(order.begin(), order.end(), Eigen::Index{0});
    std::nth_element(order.begin(), order.begin() + (neighbours - 1), order.end(),
                     [&](Eigen::Index a, Eigen::Index b) { return far[a] < far[b]; });
    Eigen::RowVectorXf restored = Eigen::RowVectorXf::Zero(seen.cols());
    for (std::size_t n = 0; n < neighbours; ++n) restored += truth_of_table.row(order[n]) / float(neighbours);
    const Eigen::Index label = label_of(seen, i);
    const auto distance = [&](const auto& row) {
      const double l1 = static_cast<double>((row - truth.row(i)).template lpNorm<1>());
      return classes == 1 ? 2 * l1 : l1;
    };
    found.answered += distance(seen.row(i));
    found.restored += distance(restored);
    found.by_label += count[label] > 0 ? distance(mean_of_label.row(label) / count[label]) : distance(seen.row(i));
  }
  const auto rows = static_cast<double>(seen.rows());
  found.answered /= rows;
  found.restored /= rows;
  found.by_label /= rows;
  return found;
}

}  // namespace audit

#endif
