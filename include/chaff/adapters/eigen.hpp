// SPDX-License-Identifier: MIT
/// Defends logits in Eigen's vectors and matrices.
#ifndef CHAFF_ADAPTERS_EIGEN_HPP
#define CHAFF_ADAPTERS_EIGEN_HPP

#include "chaff/abi.hpp"
// the build is checked first
#if !__has_include(<Eigen/Core>)
#error "chaff/chaff.hpp and chaff/adapters/eigen.hpp need Eigen 3.4 or newer; chaff/core.hpp does without"
#include <chaff/stops_here>
#endif
#include <Eigen/Core>

#if EIGEN_WORLD_VERSION < 3 || (EIGEN_WORLD_VERSION == 3 && EIGEN_MAJOR_VERSION < 4)
#error "chaff/chaff.hpp and chaff/adapters/eigen.hpp need Eigen 3.4 or newer; chaff/core.hpp does without"
#include <chaff/stops_here>
#endif

#include "chaff/adapters/strided.hpp"
#include "chaff/apply.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The class that an Eigen object is of, which a function that takes Eigen::MatrixBase<D> has as its base.
template <class D>
const D& eigen_class_of(const Eigen::EigenBase<D>&);
template <class R>
using eigen_class = std::remove_cvref_t<decltype(eigen_class_of(std::declval<const std::remove_cvref_t<R>&>()))>;

/// Whether the values are in memory, at strides: those of a matrix, array, map, block, Ref, or transposed one.
template <class D>
inline constexpr bool has_memory = (D::Flags & Eigen::DirectAccessBit) != 0;

/// Whether values of a type, with its const, may be written through it.
template <class R>
inline constexpr bool is_writable = !std::is_const_v<std::remove_reference_t<R>> && has_memory<eigen_class<R>> &&
                                    (eigen_class<R>::Flags & Eigen::LvalueBit) != 0;

/// Whether an argument of type R&& is a matrix that nobody sees after the call.
template <class R>
inline constexpr bool is_lost =
    !std::is_reference_v<R> && std::derived_from<eigen_class<R>, Eigen::PlainObjectBase<eigen_class<R>>>;

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// A dense Eigen vector, matrix, array or expression of float or double.
template <class R>
concept EigenValues = requires {
  typename detail::eigen_class<R>::Scalar;
}
&&std::derived_from<detail::eigen_class<R>, Eigen::DenseBase<detail::eigen_class<R>>> &&
    (std::same_as<typename detail::eigen_class<R>::Scalar, float> ||
     std::same_as<typename detail::eigen_class<R>::Scalar, double>);

}  // namespace chaff::inline CHAFF_ABI

namespace chaff::detail::inline CHAFF_ABI {

/// The sizes and strides of Eigen values.
struct eigen_layout {
  std::size_t rows, columns;
  std::ptrdiff_t row_stride, column_stride;

  template <class D>
  explicit eigen_layout(const D& values)
      : rows(static_cast<std::size_t>(values.rows())),
        columns(static_cast<std::size_t>(values.cols())),
        row_stride(D::IsRowMajor ? values.outerStride() : values.innerStride()),
        column_stride(D::IsRowMajor ? values.innerStride() : values.outerStride()) {}

  bool is_line() const { return rows == 1 || columns == 1; }
  std::ptrdiff_t line_stride() const { return rows == 1 ? column_stride : row_stride; }
};

/// The rows of logits: of a vector, one row or the batch that policy.classes makes of it; of a matrix, its own, or
/// those that policy.classes makes of a single column. Of any other, rows of no classes.
template <class T>
strided_rows<T> rows_of_logits(T* data, const eigen_layout& layout, bool is_vector, std::size_t classes) {
  const std::size_t size = layout.rows * layout.columns;
  if (is_vector && classes == 0) classes = size;
  if (!is_vector && (classes == 0 || classes == layout.columns)) {
    return {data, layout.rows, layout.columns, layout.row_stride, layout.column_stride};
  }
  if (classes == 0 || size % classes != 0 || !(is_vector || layout.columns == 1)) return {data, 0, 0, 0, 0};
  const std::ptrdiff_t stride = is_vector ? layout.line_stride() : layout.row_stride;
  return {data, size / classes, classes, static_cast<std::ptrdiff_t>(classes) * stride, stride};
}

/// The rows of an output for logits of given rows and classes: those of a matrix of these, or a vector of all.
/// Of any other, rows of no classes.
template <class T>
strided_rows<T> rows_of_output(T* data, const eigen_layout& layout, std::size_t rows, std::size_t classes) {
  if (layout.rows == rows && layout.columns == classes) {
    return {data, rows, classes, layout.row_stride, layout.column_stride};
  }
  if (!layout.is_line() || layout.rows * layout.columns != rows * classes) return {data, 0, 0, 0, 0};
  const std::ptrdiff_t stride = layout.line_stride();
  return {data, rows, classes, static_cast<std::ptrdiff_t>(classes) * stride, stride};
}

/// Zeroes the output, then says what is wrong with the sizes.
template <class T>
[[noreturn, gnu::cold, gnu::noinline]] void fail_eigen_sizes(const eigen_layout& logits, std::size_t classes,
                                                             bool are_rows, T* data, const eigen_layout& output) {
  zero(strided_rows<T>{data, output.rows, output.columns, output.row_stride, output.column_stride});
  if (are_rows) {
    fail<std::invalid_argument>("chaff: logits are %zu x %zu, but the output is %zu x %zu", logits.rows, logits.columns,
                                output.rows, output.columns);
  }
  if (classes == 0) fail<std::invalid_argument>("chaff: a row has 0 classes, allowed is 1 or more");
  fail<std::invalid_argument>("chaff: logits of %zu x %zu have no rows of %zu classes", logits.rows, logits.columns,
                              classes);
}

/// Answers Eigen logits in Eigen memory. `classes` is policy.classes, or what takes its place.
template <class Defense, class In, class Out>
void apply_eigen(const Defense& defense, const In& logits, std::size_t classes, Out& output, const policy& policy) {
  using T = typename In::Scalar;
  const eigen_layout in(logits), out(output);
  const auto from = rows_of_logits<const T>(logits.data(), in, In::IsVectorAtCompileTime, classes);
  const auto to = rows_of_output<T>(output.data(), out, from.rows, from.classes);
  if (from.classes == 0 || to.classes == 0) [[unlikely]]
    fail_eigen_sizes<T>(in, classes, from.classes != 0, output.data(), out);
  apply_strided_rows<Defense, T>(defense, from, to, policy);
}

/// Whether logits and an output may be Eigen's arguments; where they may not, a sentence says why.
template <class Defense, class Logits, class Output>
consteval bool check_eigen_arguments() {
  if constexpr (!has_defense_first<Defense>()) {
    return false;
  } else if constexpr (!(EigenLike<Logits> && EigenLike<Output>)) {
    static_assert(
        is_never<Logits>,
        "chaff: of logits and output, one is Eigen's and one is not: pass an Eigen::Map of the other's memory");
  } else if constexpr (!EigenValues<Logits>) {
    static_assert(is_never<Logits>,
                  "chaff: logits are dense Eigen values of float or double: of integers or halves, pass "
                  "logits.cast<float>().eval()");
  } else if constexpr (!has_memory<eigen_class<Logits>>) {
    static_assert(is_never<Logits>,
                  "chaff: the logits are an expression, whose values are not in memory: pass logits.eval(), or call "
                  "chaff::apply(defense, logits), which returns the output");
  } else if constexpr (!requires {
                         requires std::same_as < typename eigen_class<Output>::Scalar,
                         typename eigen_class<Logits>::Scalar > ;
                       }) {
    static_assert(is_never<Logits>,
                  "chaff: the output has another element type than the logits: give it that of the logits");
  } else if constexpr (is_lost<Output>) {
    static_assert(is_never<Logits>,
                  "chaff: the output is a temporary matrix, which ends with the call: pass one with a name");
  } else if constexpr (!is_writable<Output>) {
    static_assert(
        is_never<Logits>,
        "chaff: the output cannot be written: pass a Matrix, Array, Map, Ref or block of one that is not const");
  } else {
    return true;
  }
  return false;
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// Answers Eigen logits into an Eigen output: vectors, matrices, arrays, maps, Refs and blocks, in either storage order
/// and at any strides. Temporaries such as output.row(2) may be written.
/// Shapes: a vector, row or column, is one row of K classes, or the batch that policy.classes makes of it. A matrix has
/// a row for each sample and a column for each class; only one of a single column may be one row of K, or rows of more
/// than one class, where policy.classes says so. The output has the rows and columns of the logits; where these are one
/// row or a vector, it may be any vector of that size. It is never resized.
/// Logits and output are the same object or memory, or share no entry: two blocks of one matrix, for example.
/// Throws: what apply_rows does, and zeroes the output as it does; std::invalid_argument for sizes that do not match,
/// and for rows of more than 32768 classes of float (16384 of double) whose classes are apart in the output's memory,
/// as in a column-major matrix.
/// Allocates: nothing. Rows whose classes follow one another are not copied; others are gathered on the stack.
template <class Defense, class Logits, class Output>
requires(!std::same_as<std::remove_cvref_t<Output>, policy> &&
         (detail::EigenLike<Logits> || detail::EigenLike<Output>)) void apply(const Defense& defense,
                                                                              const Logits& logits, Output&& output,
                                                                              const policy& policy = {}) {
  if constexpr (detail::check_eigen_arguments<Defense, Logits, Output>()) {
    detail::apply_eigen(defense, logits.derived(), policy.classes, output.derived(), policy);
  }
}

/// Answers Eigen logits into an Eigen output, as apply does: there, too, a matrix is a batch.
template <class Defense, class Logits, class Output>
requires(!std::same_as<std::remove_cvref_t<Output>, policy> &&
         (detail::EigenLike<Logits> ||
          detail::EigenLike<Output>)) void apply_rows(const Defense& defense, const Logits& logits, Output&& output,
                                                      const policy& policy = {}) {
  if constexpr (detail::check_eigen_arguments<Defense, Logits, Output>()) {
    detail::apply_eigen(defense, logits.derived(), policy.classes, output.derived(), policy);
  }
}

/// Answers Eigen logits into an Eigen output, with `classes` in place of policy.classes.
/// Throws: also std::invalid_argument where classes is 0.
template <class Defense, class Logits, class Output>
requires(detail::EigenLike<Logits> ||
         detail::EigenLike<Output>) void apply_rows(const Defense& defense, const Logits& logits, std::size_t classes,
                                                    Output&& output, const policy& policy = {}) {
  if constexpr (detail::check_eigen_arguments<Defense, Logits, Output>()) {
    if (classes == 0) {
      detail::fail_eigen_sizes(detail::eigen_layout(logits.derived()), 0, false, output.derived().data(),
                               detail::eigen_layout(output.derived()));
    }
    detail::apply_eigen(defense, logits.derived(), classes, output.derived(), policy);
  }
}

/// Eigen objects that have no output: a sentence says what to pass instead.
template <class Defense, class Logits>
requires(detail::EigenLike<Logits> && !EigenValues<Logits>) void apply(const Defense&, const Logits&,
                                                                       const policy& = {}) {
  static_assert(
      detail::is_never<Logits>,
      "chaff: logits are dense Eigen values of float or double: of integers or halves, pass logits.cast<float>()");
}

/// Answers Eigen logits, as an owned vector or matrix of the same kind.
/// Shapes: those of apply with an output. Expressions are evaluated once.
/// Throws: what apply with an output does, but rows may be of any length.
/// Allocates: the output; where an expression is a column-major matrix of rows that are too long for the stack, or
/// where a column-major matrix has such rows, a row-major copy as well.
template <EigenValues Logits>
struct adapter<Logits> {
  using Values = detail::eigen_class<Logits>;
  using T = typename Values::Scalar;
  using Output = typename Values::PlainObject;

  template <class Defense>
  static Output apply(const Defense& defense, const Logits& logits, const policy& policy) {
    const Values& values = logits.derived();
    Output output;
    output.resize(values.rows(), values.cols());
    if constexpr (!Values::IsVectorAtCompileTime && !Output::IsRowMajor) {
      if (static_cast<std::size_t>(values.cols()) > detail::max_gathered_bytes / sizeof(T)) {
        Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows = values.array();
        detail::apply_eigen(defense, rows, policy.classes, rows, policy);
        output.array() = rows;
        return output;
      }
    }
    if constexpr (detail::has_memory<Values>) {
      detail::apply_eigen(defense, values, policy.classes, output, policy);
    } else {
      output = values;
      detail::apply_eigen(defense, output, policy.classes, output, policy);
    }
    return output;
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

CHAFF_END

#endif
