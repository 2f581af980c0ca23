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

/// Whether rows are answered faster out of place than in place: where they are too long to be held in a passage's
/// blocks.
template <class T>
constexpr bool better_apart(std::size_t classes) {
  return classes > held_blocks<T, held::in_blocks>::size;
}

/// The memory of Eigen values where they lie row after row without a gap, and otherwise null.
template <class Derived>
const typename Derived::Scalar* contiguous_rows(const Eigen::DenseBase<Derived>& values) {
  if constexpr ((Derived::Flags & Eigen::DirectAccessBit) != 0) {
    const Derived& own = values.derived();
    const bool gapless = own.innerStride() == 1 && (Derived::IsVectorAtCompileTime || own.outerStride() == own.cols());
    if ((Derived::IsVectorAtCompileTime || Derived::IsRowMajor) && gapless) return own.data();
  }
  return nullptr;
}

/// A copy of Eigen values, row after row.
template <class Rows, class Derived>
Rows as_rows(const Derived& values) {
  if constexpr (std::same_as<Rows, typename Derived::PlainObject>) {
    return values;
  } else {
    return values.array();
  }
}

/// Answers Eigen logits, as an owned vector or matrix of the same kind.
///
/// Shapes: a vector, row or column, is one row of K classes; a matrix has a row for each sample and a column for each
/// class, in either storage order; expressions, blocks and maps are evaluated once.
/// Errors: as apply_rows; std::invalid_argument for a vector of no entries or a matrix of no columns.
/// Allocation: the answer; a row-major copy of logits that are not row after row in memory, such as a row of a
/// column-major matrix; and one of an answer in a column-major matrix.
template <class Defense, class Derived>
auto apply(const Defense& used, const Eigen::DenseBase<Derived>& logits, const policy& promised = {}) {
  using T = typename Derived::Scalar;
  static_assert(eigen_values<Derived>, "chaff answers Eigen vectors and matrices of float or of double");
  using Answer = typename Derived::PlainObject;
  using Rows = std::conditional_t<Derived::IsVectorAtCompileTime || Answer::IsRowMajor, Answer,
                                  Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
  const auto size = static_cast<std::size_t>(logits.size());
  const auto classes = Derived::IsVectorAtCompileTime ? size : static_cast<std::size_t>(logits.cols());
  const auto answer_to = [&](const T* from, T* to) {
    if (Derived::IsVectorAtCompileTime) {
      apply<Defense, T>(used, std::span<const T>(from, size), std::span<T>(to, size), promised);
    } else {
      apply_rows<Defense, T>(used, std::span<const T>(from, size), classes, std::span<T>(to, size), promised);
    }
  };
  const auto answered = [&]() -> Rows {
    constexpr bool always_contiguous = std::same_as<Derived, Answer> && std::same_as<Rows, Answer>;
    if constexpr (!always_contiguous) {
      if (contiguous_rows(logits) == nullptr) {
        Rows rows = as_rows<Rows>(logits.derived());
        if (!better_apart<T>(classes)) {
          answer_to(rows.data(), rows.data());
          return rows;
        }
        Rows answer(logits.rows(), logits.cols());
        answer_to(rows.data(), answer.data());
        return answer;
      }
    }
    Rows answer(logits.rows(), logits.cols());
    answer_to(contiguous_rows(logits), answer.data());
    return answer;
  };
  if constexpr (std::same_as<Rows, Answer>) {
    return answered();
  } else {
    Answer answer(logits.rows(), logits.cols());
    answer = answered();
    return answer;
  }
}

}  // namespace chaff

#endif
