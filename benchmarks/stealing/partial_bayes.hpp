// SPDX-License-Identifier: MIT
/// Recovers posteriors from responses by a table of simulated pairs, as the partial Bayes attack does (Tang et al.
/// 2024, "ModelGuard: information-theoretic defense against model extraction attacks").
#ifndef CHAFF_BENCHMARKS_STEALING_PARTIAL_BAYES_HPP
#define CHAFF_BENCHMARKS_STEALING_PARTIAL_BAYES_HPP

#include <algorithm>
#include <limits>
#include <numeric>

#include "simulation.hpp"

/// A table of clean and defended rows, searched by their defended form.
/// Its rows are sorted by label, then by the label's probability. |a - b|_1 is at least the difference of these
/// probabilities where a and b have one label, so that a search reads a part of the table alone.
class table_of_pairs {
 public:
  explicit table_of_pairs(const simulation::pairs& rows) {
    const auto [top, label] = rows.defended.max(1);
    const auto [sorted, order] = (label.to(torch::kDouble) * label_step + top.to(torch::kDouble)).sort();
    keys_ = sorted.contiguous();
    defended_ = rows.defended.index_select(0, order).t().contiguous();
    clean_ = rows.clean.index_select(0, order).t().contiguous();
  }

  /// For each response, the mean of the clean rows of its label whose defended form lies within `radius` of it in L1.
  /// Where there is none, the clean row whose defended form is nearest; the response where no row has its label.
  torch::Tensor recovered(const torch::Tensor& responses, double radius) const {
    const torch::NoGradGuard no_gradients;
    const torch::Tensor dense = responses.contiguous();
    torch::Tensor found = torch::empty_like(dense);
    const auto classes = static_cast<std::size_t>(dense.size(1));
    std::vector<sure_rows> sure;
    for (std::size_t label = 0; label < classes; ++label) sure.push_back(sure_rows_of(label, radius));
    for (std::size_t at = 0; at < static_cast<std::size_t>(dense.numel()); at += classes) {
      recover(values_of(dense).subspan(at, classes), radius, sure, found.data_ptr<float>() + at);
    }
    return found;
  }

 private:
  static constexpr double label_step = 4;  ///< between the keys of two labels; a probability is far less
  static constexpr double slack = 1e-5;    ///< for rounding in sums of distances
  static constexpr std::size_t block_size = 256;
  using block = Eigen::ArrayXf;

  /// The rows of a label whose probability of it is so near to 1 that they are all near a response that is so sure,
  /// too: most rows, where a model is sure of most queries. With e_a the excess of a's sum over 1, |a - b|_1 <= |a_k -
  /// b_k| + (1 + e_a - a_k) + sum of b_j, j not k.
  struct sure_rows {
    std::size_t begin = 0, end = 0;
    double min_top = 1, max_excess = 0;
    std::vector<double> sums{};  ///< of the clean rows

    bool are_all_near(double top, double others, double radius) const {
      if (begin == end || top < min_top) return false;
      return std::max(1 - top, 1 + top - 2 * min_top) + max_excess + others + slack <= radius;
    }
  };

  sure_rows sure_rows_of(std::size_t label, double radius) const {
    const double own = label_step * static_cast<double>(label), min_top = 1 - radius / 2 + 10 * slack;
    sure_rows rows{place_of(own + min_top), place_of(own + 2), min_top};
    rows.sums.resize(static_cast<std::size_t>(clean_.size(0)));
    if (rows.begin >= rows.end) return {};
    const auto from = static_cast<std::int64_t>(rows.begin), count = static_cast<std::int64_t>(rows.end) - from;
    const torch::Tensor clean = clean_.narrow(1, from, count).sum(1, false, torch::kDouble).contiguous();
    std::copy_n(clean.data_ptr<double>(), rows.sums.size(), rows.sums.begin());
    const double largest = defended_.narrow(1, from, count).sum(0, false, torch::kDouble).max().item<double>();
    rows.max_excess = std::max(0.0, largest - 1);
    return rows;
  }

  std::span<const double> keys() const { return {keys_.data_ptr<double>(), static_cast<std::size_t>(keys_.size(0))}; }
  std::size_t place_of(double key) const {
    return static_cast<std::size_t>(std::lower_bound(keys().begin(), keys().end(), key) - keys().begin());
  }

  /// A class's probabilities in a block of rows.
  static auto column(const torch::Tensor& rows, std::size_t c, std::size_t first, std::size_t count) {
    return Eigen::Map<const Eigen::ArrayXf>(rows.data_ptr<float>() + c * static_cast<std::size_t>(rows.size(1)) + first,
                                            static_cast<Eigen::Index>(count));
  }

  /// The L1 distances of a block of rows; once all are above `enough`, they may be less than the whole.
  block distances(std::span<const float> response, std::size_t first, std::size_t count, float enough) const {
    block sums = block::Zero(static_cast<Eigen::Index>(count));
    for (std::size_t c = 0; c < response.size(); ++c) {
      sums += (column(defended_, c, first, count) - response[c]).abs();
      if (c % 16 == 15 && sums.minCoeff() > enough) break;
    }
    return sums;
  }

  void recover(std::span<const float> response, double radius, const std::vector<sure_rows>& sure, float* found) const {
    const auto label = static_cast<std::size_t>(std::max_element(response.begin(), response.end()) - response.begin());
    const double own = label_step * static_cast<double>(label), top = static_cast<double>(response[label]);
    const std::size_t begin = place_of(own - 1), end = place_of(own + 2);
    if (begin == end) {
      std::copy(response.begin(), response.end(), found);
      return;
    }
    const std::size_t from = std::max(begin, place_of(own + top - radius - slack));
    std::size_t to = std::min(end, place_of(own + top + radius + slack));
    std::vector<double> sums(response.size());
    double count = 0;
    const double others = std::accumulate(response.begin(), response.end(), 0.0) - top;
    if (sure[label].are_all_near(top, others, radius)) {
      to = std::max(from, sure[label].begin);  // the others are added as a whole
      sums = sure[label].sums;
      count = static_cast<double>(end - to);
    }
    count += add_near(response, from, to, static_cast<float>(radius), sums);
    if (count == 0) return take_nearest(response, begin, end, own + top, found);
    for (std::size_t c = 0; c < sums.size(); ++c) found[c] = static_cast<float>(sums[c] / count);
  }

  /// Adds the clean rows of a part of the table that are near the response. Returns how many there are.
  double add_near(std::span<const float> response, std::size_t from, std::size_t to, float radius,
                  std::vector<double>& sums) const {
    double count = 0;
    for (std::size_t first = from; first < to; first += block_size) {
      const std::size_t rows = std::min(block_size, to - first);
      const block near = (distances(response, first, rows, radius) <= radius).cast<float>();
      const float here = near.sum();
      if (here == 0) continue;
      count += static_cast<double>(here);
      for (std::size_t c = 0; c < sums.size(); ++c) {
        sums[c] += static_cast<double>(column(clean_, c, first, rows).matrix().dot(near.matrix()));
      }
    }
    return count;
  }

  /// Reads blocks outwards from the response's own probability, until none can hold a nearer row.
  void take_nearest(std::span<const float> response, std::size_t begin, std::size_t end, double key,
                    float* found) const {
    std::size_t below = std::clamp(place_of(key), begin, end), above = below, nearest = begin;
    float best = std::numeric_limits<float>::infinity();
    const auto read = [&](std::size_t first, std::size_t count) {
      Eigen::Index at = 0;
      const float distance = distances(response, first, count, best).minCoeff(&at);
      if (distance >= best) return;
      best = distance;
      nearest = first + static_cast<std::size_t>(at);
    };
    const auto may_hold = [&](std::size_t row) { return std::abs(keys()[row] - key) < static_cast<double>(best); };
    while (true) {
      const bool up = above < end && may_hold(above), down = below > begin && may_hold(below - 1);
      if (!up && !down) break;
      if (up) {
        const std::size_t count = std::min(block_size, end - above);
        read(above, count);
        above += count;
      }
      if (down) {
        const std::size_t count = std::min(block_size, below - begin);
        read(below - count, count);
        below -= count;
      }
    }
    for (std::size_t c = 0; c < response.size(); ++c) found[c] = column(clean_, c, nearest, 1)[0];
  }

  torch::Tensor keys_, defended_, clean_;  ///< sorted; N, and a row for each class
};

/// Recovers posteriors by a table of `rows` rows: the mean of those clean rows of the response's label whose defended
/// form lies within 0.01, or else the nearest.
/// Half of the clean rows are drawn around the responses, as the authors do. Where a defense moves posteriors far, no
/// posterior lies there, and these rows alone tell less than the label does. The other half are the substitute model's.
inline torch::Tensor recovered_by_partial_bayes(simulation& simulated, const torch::Tensor& answers,
                                                std::int64_t rows = 1000000) {
  const simulation::pairs around = simulated.draw_around(answers, rows / 2), own = simulated.draw(rows - rows / 2);
  const table_of_pairs table({torch::cat({around.clean, own.clean}), torch::cat({around.defended, own.defended})});
  return table.recovered(answers, 0.01);
}

#endif
