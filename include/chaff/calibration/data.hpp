// SPDX-License-Identifier: MIT
/// What calibrate reads: held-out data, and how much utility a defense may cost.
#ifndef CHAFF_CALIBRATION_DATA_HPP
#define CHAFF_CALIBRATION_DATA_HPP

#include <concepts>
#include <cstdint>
#include <span>

#include "chaff/error.hpp"
#include "chaff/posterior/contiguous.hpp"

namespace chaff::detail::inline CHAFF_ABI {

/// Label i of an array of integers of type I. A label of 2^63 or more wraps, and is no class either way.
template <class Int>
std::int64_t read_label(const void* labels, std::size_t i) {
  return static_cast<std::int64_t>(static_cast<const Int*>(labels)[i]);
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff {

/// True labels of any integer type, which stay where they are: the array must outlive the view.
/// Made from any contiguous range of integers, such as std::vector<int> or std::span<const std::uint8_t>; Eigen's
/// types, which have strides, are passed as a std::span.
struct label_view {
  const void* data = nullptr;
  std::size_t size = 0;
  std::int64_t (*read)(const void* labels, std::size_t i) = nullptr;

  [[gnu::always_inline]] constexpr label_view() = default;

  template <class Labels>
  requires(!detail::EigenLike<Labels> &&
           requires(const Labels& labels) {
             requires std::integral<detail::element_of<const Labels>>;
             { std::size(labels) } -> std::convertible_to<std::size_t>;
           }) [[gnu::always_inline]] constexpr label_view(const Labels& labels)
      : data(std::data(labels)),
        size(static_cast<std::size_t>(std::size(labels))),
        read(&detail::read_label<detail::element_of<const Labels>>) {}
};

/// What a model returned for data that it was not trained on.
/// Shapes: logits are N x classes, row-major, for inputs such as benign users send. labels holds their N true labels,
/// or none. ood_logits are M x classes, for inputs such as attackers send; where there are none, the tenth of the N
/// rows that the gate opens for first stands for them.
/// Units: logits and ood_logits are in the form that policy.input names.
template <std::floating_point T>
struct calibration_data {
  std::span<const T> logits = {};
  std::size_t classes = 0;
  label_view labels = {};
  std::span<const T> ood_logits = {};
};

/// How much utility a defense may cost benign users. The members perturbed, l1, label_changes and ece_increase are
/// limits, and all of them must hold; a limit at its default limits nothing.
struct utility_budget {
  double perturbed = 1;      ///< the share of outputs that may be perturbed, in [0, 1]; see utility
  double l1 = 2;             ///< the mean of |output - posterior|_1 over all outputs, in [0, 2]
  double label_changes = 1;  ///< the share of outputs that may predict another label, in [0, 1]
  double ece_increase = 1;   ///< by how much the expected calibration error may rise, in [0, 1]; needs true labels

  /// How many standard errors of sampling stay free below each limit, in [0, 10], so that the limit also holds for
  /// benign users whose queries are not in the data. With 0, the parameters fit the data at hand, and a limit holds for
  /// other data only by chance.
  double sigmas = 2;

  /// The largest beta that may be chosen, in [0, 1000]; the paper's largest is 1.5.
  double max_beta = 1.5;
};

}  // namespace chaff

namespace chaff::detail::inline CHAFF_ABI {

/// Checks the numbers of logits and of labels, or of no labels. `name` is what an error calls the logits.
/// Throws: std::invalid_argument for sizes that do not match, or no rows.
inline void check_calibration_data(const char* name, std::size_t logits, std::size_t classes, std::size_t labels) {
  if (classes == 0) fail<std::invalid_argument>("chaff: calibration_data.classes is 0, allowed is 1 or more");
  if (logits == 0) fail<std::invalid_argument>("chaff: calibration_data.%s is empty", name);
  if (logits % classes != 0) {
    fail<std::invalid_argument>(
        "chaff: calibration_data.%s has %zu entries, which are not a whole number of rows of %zu classes", name, logits,
        classes);
  }
  if (labels != 0 && labels != logits / classes) {
    fail<std::invalid_argument>("chaff: calibration_data has %zu rows, but %zu labels", logits / classes, labels);
  }
}

}  // namespace chaff::detail::inline CHAFF_ABI

#endif
