// SPDX-License-Identifier: MIT
/// The gradient that a surrogate predicts for outputs spread evenly over a set of classes.
#ifndef CHAFF_PERTURBATIONS_SURROGATE_GRADIENT_HPP
#define CHAFF_PERTURBATIONS_SURROGATE_GRADIENT_HPP

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "chaff/abi.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// sum_i a_i b_i, in one fixed order.
inline double inner_product(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// The clone's gradient, by a Jacobian, for outputs that are spread evenly over a set of m classes,
/// y = (1/m) sum_(i in S) e_i. A class is added or removed in O(P).
class jacobian_gradient {
 public:
  jacobian_gradient(std::span<const double> g, std::span<const double> p)
      : g_(g), columns_(g.size() / p.size()), of_posterior_(columns_), sum_(columns_) {
    for (std::size_t i = 0; i < p.size(); ++i) {
      for (std::size_t c = 0; c < columns_; ++c) of_posterior_[c] += p[i] * row(i)[c];
    }
    length_ = std::sqrt(inner_product(of_posterior_, of_posterior_));
  }

  void change(std::size_t i, double sign) {
    m_ += sign;
    for (std::size_t c = 0; c < columns_; ++c) sum_[c] += sign * row(i)[c];
  }

  double size() const { return m_; }
  double length_of_posterior() const { return length_; }
  double square() const { return inner_product(sum_, sum_) / (m_ * m_); }
  double with_posterior() const { return inner_product(sum_, of_posterior_) / m_; }

 private:
  std::span<const double> row(std::size_t i) const { return g_.subspan(i * columns_, columns_); }

  std::span<const double> g_;
  std::size_t columns_;
  std::vector<double> of_posterior_, sum_;
  double length_ = 0, m_ = 0;
};

/// The clone's gradient, by the closed form of the last layer with |h| left out, for outputs that are spread evenly
/// over a set of classes. A class is added or removed in O(1). y - s = (y - e_t) - (s - e_t), t the class with the
/// largest s_t, so that nothing cancels where s is close to a vertex.
class last_layer_gradient {
 public:
  last_layer_gradient(std::span<const double> s, std::span<const double> p)
      : top_(static_cast<std::size_t>(std::max_element(s.begin(), s.end()) - s.begin())), s_(s), p_(p) {
    double square = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (i != top_) {
        above_top_ -= s[i];
        s_square_ += s[i] * s[i];
        s_with_p_ += s[i] * (p[i] - s[i]);
      }
      square += (p[i] - s[i]) * (p[i] - s[i]);
    }
    s_square_ += above_top_ * above_top_;
    s_with_p_ += above_top_ * (p[top_] - s[top_]);
    length_ = std::sqrt(square);
  }

  void change(std::size_t i, double sign) {
    m_ += sign;
    sum_p_ += sign * (p_[i] - s_[i]);
    if (i == top_) {
      tops_ += sign;
    } else {
      sum_s_ += sign * s_[i];
    }
  }

  double size() const { return m_; }
  double length_of_posterior() const { return length_; }
  double square() const {
    const double u_square = tops_ > 0 ? 1 - 1 / m_ : 1 + 1 / m_;
    const double u_with_s = (sum_s_ + tops_ * above_top_) / m_ - above_top_;
    return u_square - 2 * u_with_s + s_square_;
  }
  double with_posterior() const { return sum_p_ / m_ - (p_[top_] - s_[top_]) - s_with_p_; }

 private:
  std::size_t top_;  // t
  std::span<const double> s_, p_;
  double above_top_ = 0;                             // s_t - 1
  double s_square_ = 0, s_with_p_ = 0, length_ = 0;  // |s - e_t|^2, <s - e_t, p - s>, |p - s|
  double m_ = 0, tops_ = 0, sum_s_ = 0, sum_p_ = 0;  // of the set: size, whether t is in, sums of s - e_t and p - s
};

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
