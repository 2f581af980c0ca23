// SPDX-License-Identifier: MIT
/// Defends logits in Eigen's vectors and matrices.
#ifndef CHAFF_ADAPTERS_EIGEN_HPP
#define CHAFF_ADAPTERS_EIGEN_HPP

#include "chaff/abi.hpp"
// the build is checked first
#if !__has_include(<Eigen/Core>)
#error "chaff/chaff.hpp and chaff/adapters/eigen.hpp need Eigen 3.4 or newer; chaff/core.hpp does without"
#endif
#include <Eigen/Core>

#if EIGEN_WORLD_VERSION < 3 || (EIGEN_WORLD_VERSION == 3 && EIGEN_MAJOR_VERSION < 4)
#error "chaff/chaff.hpp and chaff/adapters/eigen.hpp need Eigen 3.4 or newer; chaff/core.hpp does without"
#endif

#include "chaff/apply.hpp"

namespace chaff::inline CHAFF_ABI {

/// An Eigen vector, matrix, array or expression of float or double.
template <class R>
concept EigenValues = std::derived_from<std::remove_cvref_t<R>, Eigen::DenseBase<std::remove_cvref_t<R>>> &&
    (std::same_as<typename std::remove_cvref_t<R>::Scalar, float> ||
     std::same_as<typename std::remove_cvref_t<R>::Scalar, double>);

}  // namespace chaff::inline CHAFF_ABI

namespace chaff::detail::inline CHAFF_ABI {

/// The memory of Eigen values whose rows lie one after another without a gap, and otherwise null.
template <class Derived>
const typename Derived::Scalar* contiguous_rows(const Eigen::DenseBase<Derived>& values) {
  if constexpr ((Derived::Flags & Eigen::DirectAccessBit) != 0) {
    const Derived& own = values.derived();
    const bool is_gapless =
        own.innerStride() == 1 && (Derived::IsVectorAtCompileTime || own.outerStride() == own.cols());
    if ((Derived::IsVectorAtCompileTime || Derived::IsRowMajor) && is_gapless) return own.data();
  }
  return nullptr;
}

/// A copy of Eigen values, row after row.
template <class Rows, class Derived>
Rows copy_rows(const Derived& values) {
  if constexpr (std::same_as<Rows, typename Derived::PlainObject>) {
    return values;
  } else {
    return values.array();
  }
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// Answers Eigen logits, as an owned vector or matrix of the same kind.
/// Shapes: a vector, row or column, is one row of K classes, or the batch that policy.classes makes of it. A matrix has
/// a row for each sample and a column for each class, in either storage order. Expressions, blocks and maps are
/// evaluated once.
/// Throws: what apply_rows does; std::invalid_argument for a vector of no entries or a matrix of no columns.
/// Allocates: the output; a row-major copy of logits that are not row after row in memory, such as a row of a
/// column-major matrix; and a row-major copy of an output in a column-major matrix.
template <EigenValues Logits>
struct adapter<Logits> {
  using T = typename Logits::Scalar;
  using Output = typename Logits::PlainObject;

  template <class Defense>
  static Output apply(const Defense& defense, const Logits& logits, const policy& policy) {
    using Rows = std::conditional_t<Logits::IsVectorAtCompileTime || Output::IsRowMajor, Output,
                                    Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
    const auto size = static_cast<std::size_t>(logits.size());
    const auto write = [&](const T* from, T* to) {
      if (Logits::IsVectorAtCompileTime && policy.classes == 0) {
        chaff::apply<Defense, T>(defense, std::span<const T>(from, size), std::span<T>(to, size), policy);
      } else {
        const auto classes = Logits::IsVectorAtCompileTime ? policy.classes : static_cast<std::size_t>(logits.cols());
        chaff::apply_rows<Defense, T>(defense, std::span<const T>(from, size), classes, std::span<T>(to, size), policy);
      }
    };
    Rows output(logits.rows(), logits.cols());
    if (const T* const memory = detail::contiguous_rows(logits)) {
      write(memory, output.data());
    } else {
      const Rows copy = detail::copy_rows<Rows>(logits);
      write(copy.data(), output.data());
    }
    if constexpr (std::same_as<Rows, Output>) {
      return output;
    } else {
      return Output(output);
    }
  }

  static void copy(const Logits& values, std::vector<double>& rows) {
    const auto& evaluated = values.derived().eval();
    rows.reserve(static_cast<std::size_t>(evaluated.size()));
    for (Eigen::Index i = 0; i < evaluated.rows(); ++i) {
      for (Eigen::Index j = 0; j < evaluated.cols(); ++j) rows.push_back(static_cast<double>(evaluated.coeff(i, j)));
    }
  }
};

}  // namespace chaff::inline CHAFF_ABI

#endif
