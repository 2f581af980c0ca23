// SPDX-License-Identifier: MIT
/// Adds noise that is the same whenever the same row is answered.
#ifndef CHAFF_REDUCTIONS_GAUSSIAN_NOISE_HPP
#define CHAFF_REDUCTIONS_GAUSSIAN_NOISE_HPP

#include "chaff/noise/normal.hpp"
#include "chaff/posterior/label_lead.hpp"

namespace chaff {

/// y_i -> max(0, y_i + sigma n_i), n_i standard normal, then the label's cap, normalised. An entry of 0 stays 0.
///
/// sigma in [0, 10]; 0.2 is ART's default. Raises std::invalid_argument for any other. The noise is drawn from the key
/// and the row's logits rounded to 1/64: asking again, or asking another replica, gives the same answer, so its mean is
/// no better. What that does and does not keep from an attacker: keyed_noise.
/// Known elsewhere as: GaussianNoise (ART), which draws anew at each call.
struct gaussian_noise {
  double sigma = 0.2;
  chaff::key key;

  void check(const policy&) const { check_range("sigma", sigma, 0, 10); }

  /// Of one row.
  struct noise_of_row {
    double sigma;
    keyed_noise noise;

    template <class T>
    void operator()(std::span<T> answer, kept_label kept) const {
      const T deviation = static_cast<T>(sigma);
      for_each_block<T>(answer.size(), [&](std::size_t first, auto count) {
        const lanes<T> y = load<T>(answer.data() + first, count, T(0));
        const lanes<T> noisy = most<T>(y + deviation * normal_at<T>(noise, first), lanes<T>{});
        store<T>(answer.data() + first, select<T>(y > T(0), noisy, lanes<T>{}), count);
      });
      normalise_behind_label(answer, kept);
    }
  };

  template <class T>
  noise_of_row of_row(const row<T>& seen) const {
    return {sigma, keyed_noise(key, noise_purpose::gaussian, seen)};
  }
};

}  // namespace chaff

#endif
