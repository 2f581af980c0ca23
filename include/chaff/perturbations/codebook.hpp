// SPDX-License-Identifier: MIT
/// A codebook: a table of posteriors made in advance, one of which is the answer (ModelGuard-S, frozen).
#ifndef CHAFF_PERTURBATIONS_CODEBOOK_HPP
#define CHAFF_PERTURBATIONS_CODEBOOK_HPP

#include <algorithm>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "chaff/error.hpp"
#include "chaff/posterior/argmax.hpp"
#include "chaff/posterior/row.hpp"
#include "chaff/simd/row_sum.hpp"
#include "chaff/simd/widen.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A block of a centroid, of which `count` classes are left; 0 past those.
template <class T>
[[gnu::always_inline]] inline simd::vec<T> load_centroid(const float* from, std::size_t count) {
  if constexpr (std::is_same_v<T, float>) {
    return simd::load_some<float>(from, count, 0);
  } else {
    return simd::widen(simd::load<float>(from, (std::min)(count, simd::width<double>), 0))[0];
  }
}

/// The posterior of a row, with the bits of block<T>::p. Up to `max_held` classes are held; of a longer row, each
/// distance computes them anew.
template <class T>
class codebook_row {
 public:
  static constexpr std::size_t max_held = 1024;

  explicit codebook_row(const row<T>& row) : row_(row), scale_(static_cast<T>(1 / row.mass())) {
    if (row.classes() > max_held) return;
    for (std::size_t i = 0; i < row.classes(); i += simd::width<T>) simd::store<T>(p_ + i, block_of(i));
  }

  double l1_distance(const float* centroid) const {
    const std::size_t classes = row_.classes();
    const bool is_held = classes <= max_held;
    return simd::sum_over_row<T>(classes, [&](std::size_t first, auto) CHAFF_INLINE {
      const simd::vec<T> p = is_held ? simd::load<T>(p_ + first) : block_of(first);
      return simd::absolute<T>(load_centroid<T>(centroid + first, classes - first) - p);
    });
  }

 private:
  /// p of a block; 0 for masked classes and lanes past the row's end.
  [[gnu::always_inline]] simd::vec<T> block_of(std::size_t first) const {
    const simd::vec<T> z = simd::load_some<T>(row_.values.data() + first, row_.classes() - first, row_.masked_value());
    return (row_.input == form::probabilities ? z : simd::exp_nonpositive<T>(z - row_.label_value)) * scale_;
  }

  const row<T>& row_;
  T scale_;
  alignas(simd::vector_bytes) T p_[max_held];
};

/// A centroid and its L1 distance from a posterior.
struct codebook_entry {
  const float* centroid;  ///< null where there is none
  double distance;
};

/// Of centroids that lie one after another, the first within epsilon of the row's posterior; where there is none, the
/// nearest, and of equally near ones the first.
template <class T>
CHAFF_NO_IPA codebook_entry find_centroid(const row<T>& row, std::span<const float> centroids, double epsilon) {
  const codebook_row<T> p(row);
  codebook_entry nearest{nullptr, std::numeric_limits<double>::infinity()};
  for (std::size_t from = 0; from < centroids.size(); from += row.classes()) {
    const codebook_entry each{&centroids[from], p.l1_distance(&centroids[from])};
    if (each.distance < nearest.distance) nearest = each;
    if (each.distance <= epsilon) return each;
  }
  return nearest;
}

template <class T>
struct codebook_weights {
  T label;                ///< w_k
  T share;                ///< how far p is moved towards the centroid; 1 is all the way
  T kept;                 ///< 1 - share
  const float* centroid;  ///< null for the one-hot row of the label
  std::size_t classes;

  [[gnu::always_inline]] simd::vec<T> operator()(const block<T>& block) const {
    const simd::vec<T> c =
        centroid == nullptr ? simd::vec<T>{} : load_centroid<T>(centroid + block.first, classes - block.first);
    return simd::multiply_add<T>(c, simd::broadcast(share), block.p * kept);
  }
};

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// A table of posteriors, the centroids, made in advance: a row is answered with a centroid of its label.
/// It is ModelGuard-S with its table frozen. chaff::codebook_of makes one from held-out rows.
/// Formula: w is the first centroid c of the label with |c - p|_1 <= epsilon. Where none is that near, w = (1 - a) p +
/// a c, a = epsilon / |c - p|_1, c the label's nearest centroid, of equally near ones the first; where the label has no
/// centroid, the same with c = e_label and a = min(1, epsilon / |c - p|_1).
/// An answer that is a centroid holds nothing else of p, in any of its bits. One that lies between p and a centroid
/// gives p to whoever knows the codebook.
/// A row has the same answer whatever rows came before it, and any number of threads may share a codebook.
/// The label cap of the policy comes after it, and moves an answer by at most 1/32 more, in L1.
/// Shapes: the centroids have K classes, as the rows have; K = 2 for a model with one sigmoid output.
/// Range: see the constructor.
/// Error: distances are taken in T, within 64 eps of T, so a centroid so close to epsilon may count as either.
/// Throws: at a call, std::invalid_argument for an open row of another number of classes.
/// Allocates: nothing at a call. Up to 1,024 classes are held on the stack, in 4 KiB of float or 8 KiB of double.
/// Cost: a pass over the row for each centroid of its label, up to the first that is near enough: about a softmax each,
/// measured at 10 and 1,000 classes. Of rows of more than 1,024 classes each pass computes the exponentials anew, which
/// makes it two.
/// Source: Tang et al. 2024, "ModelGuard: Information-Theoretic Defense Against Model Extraction Attacks", USENIX
/// Security. The authors' table grows with the queries, so that answers depend on their order. Of a table that is
/// frozen they give the nearest centroid however far it is, and p itself for a label without one; here both stay within
/// epsilon, and tell something of p instead.
class codebook {
 public:
  /// Centroids of `classes` classes each, row-major. The label of each is its argmax; of one label they keep their
  /// order. None at all is allowed.
  /// Range: epsilon in (0, 2]; classes at least 2; each centroid at least 0, with a sum of 1 within 1e-4.
  /// Throws: std::invalid_argument for any other value, and where the centroids are not whole rows.
  codebook(std::vector<float> centroids, std::size_t classes, double epsilon = 1)
      : centroids_(std::move(centroids)), classes_(classes), epsilon_(epsilon) {
    if (!(epsilon > 0 && epsilon <= 2)) {
      detail::fail<std::invalid_argument>("chaff: epsilon of a codebook is %g, allowed is more than 0, up to 2",
                                          epsilon);
    }
    if (classes < 2) {
      detail::fail<std::invalid_argument>("chaff: a codebook has centroids of %zu classes, allowed is 2 or more",
                                          classes);
    }
    if (centroids_.size() % classes != 0) {
      detail::fail<std::invalid_argument>(
          "chaff: a codebook has %zu entries, which are not a whole number of centroids of %zu classes",
          centroids_.size(), classes);
    }
    sort_by_label();
  }

  /// The centroids, row-major, those of a lower label first. A codebook that is made of them is the same one.
  const std::vector<float>& centroids() const { return centroids_; }
  /// K.
  std::size_t classes() const { return classes_; }
  /// The largest L1 distance of an answer from the posterior.
  double epsilon() const { return epsilon_; }

  /// The centroids of a label, row-major.
  std::span<const float> centroids_of(std::size_t label) const {
    return std::span(centroids_).subspan(begins_[label], begins_[label + 1] - begins_[label]);
  }

  template <class T>
  detail::codebook_weights<T> weights(const row<T>& row) const {
    if (row.classes() != classes_) {
      detail::fail<std::invalid_argument>("chaff: the codebook has centroids of %zu classes, but the row has %zu",
                                          classes_, row.classes());
    }
    auto [centroid, distance] = detail::find_centroid<T>(row, centroids_of(row.label), epsilon_);
    if (centroid == nullptr) distance = 2 * (row.other_mass / row.mass());
    const double share = distance > epsilon_ ? epsilon_ / distance : 1;
    const double c = centroid == nullptr ? 1.0 : static_cast<double>(centroid[row.label]);
    return {static_cast<T>(share * c + (1 - share) * row.confidence()), static_cast<T>(share),
            static_cast<T>(1 - share), centroid, classes_};
  }

 private:
  /// The label of a centroid.
  /// Throws: std::invalid_argument for what is no distribution.
  std::size_t label_of(std::size_t index) const {
    const std::span<const float> centroid = std::span(centroids_).subspan(index * classes_, classes_);
    double sum = 0;
    bool is_valid = true;
    for (const float each : centroid) {
      is_valid &= each >= 0;  // NaN is not
      sum += static_cast<double>(each);
    }
    if (!(is_valid && sum >= 1 - 1e-4 && sum <= 1 + 1e-4)) {
      detail::fail<std::invalid_argument>(
          "chaff: centroid %zu of a codebook is no distribution: its entries are 0 or more and sum to 1 within 1e-4",
          index);
    }
    return argmax(centroid);
  }

  void sort_by_label() {
    std::vector<std::size_t> labels(centroids_.size() / classes_);
    begins_.resize(classes_ + 1);
    for (std::size_t i = 0; i < labels.size(); ++i) begins_[(labels[i] = label_of(i)) + 1] += classes_;
    for (std::size_t label = 0; label < classes_; ++label) begins_[label + 1] += begins_[label];
    std::vector<float> sorted(centroids_.size());
    std::vector<std::size_t> next = begins_;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      std::copy_n(&centroids_[i * classes_], classes_, &sorted[next[labels[i]]]);
      next[labels[i]] += classes_;
    }
    centroids_ = std::move(sorted);
  }

  std::vector<float> centroids_;
  std::vector<std::size_t> begins_;  ///< where the centroids of each label begin, and where the last ones end
  std::size_t classes_;
  double epsilon_;
};

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
