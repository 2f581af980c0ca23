// SPDX-License-Identifier: MIT
/// A reduction that adds noise, the same for equal rows.
#ifndef CHAFF_REDUCTIONS_GAUSSIAN_NOISE_HPP
#define CHAFF_REDUCTIONS_GAUSSIAN_NOISE_HPP

#include "chaff/noise/normal.hpp"
#include "chaff/reductions/normalise.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The noise of one row.
struct gaussian_noise_for_row {
  double sigma;
  keyed_noise noise;

  template <class T>
  void operator()(std::span<T> output, kept_label kept) const {
    constexpr std::size_t chunk = random_words::chunk_size;
    std::uint32_t words[chunk];
    T normal[chunk];
    if (output.size() <= 16) {
      noise.write_16(words);
      write_normals<T>(words, 8, output.size(), normal);
      add_to(output, normal);
    } else {
      const random_words random = noise.in_bulk();
      for (std::size_t from = 0; from < output.size(); from += chunk) {
        const std::span<T> part = output.subspan(from, (std::min)(chunk, output.size() - from));
        random.fill(from / chunk, words);
        write_normals<T>(words, chunk / 2, part.size(), normal);
        add_to(part, normal);
      }
    }
    normalise_with_label_ahead(output, kept);
  }

 private:
  template <class T>
  [[gnu::always_inline]] void add_to(std::span<T> output, const T* normal) const {
    const simd::vec<T> deviation = simd::broadcast(static_cast<T>(sigma));
    simd::for_each_block_compact<T>(output.size(), [&](std::size_t first, std::size_t count) CHAFF_INLINE {
      const simd::vec<T> y = simd::load_some<T>(output.data() + first, count, T(0));
      const simd::vec<T> noisy =
          simd::maximum<T>(simd::multiply_add<T>(deviation, simd::load<T>(normal + first), y), simd::vec<T>{});
      simd::store_some<T>(output.data() + first, simd::select<T>(y > T(0), noisy, simd::vec<T>{}), count);
    });
  }
};

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff {

/// A reduction that adds normal noise, the same for equal rows.
/// Formula: y_i -> max(0, y_i + sigma n_i), n_i standard normal; then every other entry is capped at 63/64 of the
/// label's, and the row is normalised. An entry of 0 stays 0.
/// The noise is drawn from the key and from the logits rounded to 1/64: repeating a query, or sending it to another
/// replica, gives the same output, so that averaging gains nothing. The class key says what an attacker can learn.
/// Range: sigma in [0, 10]; 0.2 is the default of ART.
/// Throws: std::invalid_argument for any other value, when bound to a model and at apply.
/// Source: known as GaussianNoise in ART, which draws anew at each call.
struct gaussian_noise {
  double sigma = 0.2;
  chaff::key key;

  [[gnu::always_inline]] constexpr parameter_error check(const policy&) const {
    return check_ranges(parameter_range{"sigma", sigma, 0, 10});
  }

  template <class T>
  detail::gaussian_noise_for_row for_row(const row<T>& row) const {
    return {sigma, detail::keyed_noise(key, detail::noise_purpose::gaussian, row)};
  }
};

}  // namespace chaff

CHAFF_END

#endif
