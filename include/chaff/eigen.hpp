// SPDX-License-Identifier: MIT
/// Defends logits in Eigen's vectors and matrices.
#ifndef CHAFF_EIGEN_HPP
#define CHAFF_EIGEN_HPP

#include <Eigen/Core>

#include "chaff/apply.hpp"

namespace chaff {

/// An Eigen vector, matrix, array or expression of float or double.
template <class R>
concept eigen_values = std::derived_from<std::remove_cvref_t<R>, Eigen::DenseBase<std::remove_cvref_t<R>>> &&
    (std::same_as<typename std::remove_cvref_t<R>::Scalar, float> ||
     std::same_as<typename std::remove_cvref_t<R>::Scalar, double>);

/// Answers Eigen logits, as an owned vector or matrix of the same kind.
///
/// Shapes: a vector, row or column, is one row of K classes; a matrix has a row for each sample and a column for each
/// class, in either storage order; expressions, blocks and maps are evaluated once.
/// Errors: as apply_rows; std::invalid_argument for a vector of no entries or a matrix of no columns.
/// Allocation: the answer, and where a matrix is column-major a row-major copy of it.
template <class Defense, class Derived>
auto apply(const Defense& used, const Eigen::DenseBase<Derived>& logits, const policy& promised = {}) {
  using T = typename Derived::Scalar;
  static_assert(eigen_values<Derived>, "chaff answers Eigen vectors and matrices of float or of double");
  using Answer = typename Derived::PlainObject;
  const auto size = static_cast<std::size_t>(logits.size());
  if constexpr (Derived::IsVectorAtCompileTime) {
    Answer answer = logits.derived();
    apply<Defense, T>(used, std::span<const T>(answer.data(), size), std::span<T>(answer.data(), size), promised);
    return answer;
  } else {
    using Rows = Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const auto classes = static_cast<std::size_t>(logits.cols());
    if constexpr (Answer::IsRowMajor) {
      Answer answer = logits.derived();
      apply_rows<Defense, T>(used, std::span<const T>(answer.data(), size), classes, std::span<T>(answer.data(), size),
                             promised);
      return answer;
    } else {
      Rows rows = logits.derived().array();
      apply_rows<Defense, T>(used, std::span<const T>(rows.data(), size), classes, std::span<T>(rows.data(), size),
                             promised);
      Answer answer(logits.rows(), logits.cols());
      answer = rows.template cast<T>();
      return answer;
    }
  }
}

}  // namespace chaff

#endif
