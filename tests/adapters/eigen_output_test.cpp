// SPDX-License-Identifier: MIT
/// Eigen logits answered into Eigen outputs, and the allocations of that: there are none.
#include <gtest/gtest.h>

#include "support/allocations.hpp"
#include "support/stride.hpp"

// Eigen allocates by std::malloc, and asserts that it may
#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition) static_cast<void>((condition) || (++allocations, true))
#include <chaff/chaff.hpp>
#include <random>
#include <string>

namespace {

using Eigen::Dynamic;
using Eigen::Index;
template <class T>
using columns_of = Eigen::Matrix<T, Dynamic, Dynamic>;
template <class T>
using rows_of = Eigen::Matrix<T, Dynamic, Dynamic, Eigen::RowMajor>;
template <class T>
using strides = Eigen::Map<rows_of<T>, 0, Eigen::Stride<Dynamic, Dynamic>>;

/// How often a call allocates, by Eigen or otherwise.
std::size_t count_allocations(auto call) {
  const std::size_t before = allocations;
  Eigen::internal::set_is_malloc_allowed(false);
  call();
  Eigen::internal::set_is_malloc_allowed(true);
  return allocations - before;
}

constexpr chaff::dcp defense{.beta = 1.2};
constexpr double untouched = 77;

/// Rows of which some have an open gate and some a closed one.
template <class T>
columns_of<T> random_logits(Index rows, Index classes) {
  std::mt19937 engine(static_cast<unsigned>(100 * rows + classes));
  std::normal_distribution<double> normal(0, 3);
  columns_of<T> z(rows, classes);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < classes; ++j) z(i, j) = static_cast<T>(normal(engine) + (i % 2 == 1 && j == 0 ? 20 : 0));
  }
  return z;
}

/// The output of each row alone, through spans.
template <class T>
rows_of<T> alone(const auto& defended, const Eigen::Ref<const rows_of<T>>& logits, const chaff::policy& policy = {}) {
  rows_of<T> output = logits;
  const auto classes = static_cast<std::size_t>(logits.cols());
  for (Index i = 0; i < output.rows(); ++i) {
    const std::vector<T> row(output.row(i).begin(), output.row(i).end());
    chaff::apply(defended, std::span<const T>(row), std::span<T>(&output(i, 0), classes), policy);
  }
  return output;
}

/// Calls f with a column-major and a row-major matrix that hold `values`.
template <class T>
void for_each_order(const columns_of<T>& values, auto f) {
  {
    columns_of<T> m = values;
    f("column-major", m);
  }
  {
    rows_of<T> m = values;
    f("row-major", m);
  }
}

/// Calls f with a part of memory of each kind that holds `values`, and looks afterwards that the rest is untouched.
template <class T>
void for_each_memory(const columns_of<T>& values, auto f) {
  for_each_order<T>(values, f);
  const Index n = values.rows(), k = values.cols();
  const auto expect_rest_untouched = [&](const auto& whole, const char* name) {
    ASSERT_EQ((whole.array() == T(untouched)).count(), whole.size() - n * k) << name;
  };
  {
    columns_of<T> whole = columns_of<T>::Constant(n + 3, k + 2, T(untouched));
    auto m = whole.block(1, 1, n, k);
    m = values;
    f("block of a column-major matrix", m);
    expect_rest_untouched(whole, "block of a column-major matrix");
  }
  {
    rows_of<T> whole = rows_of<T>::Constant(n + 3, k + 2, T(untouched));
    auto m = whole.block(1, 1, n, k);
    m = values;
    f("block of a row-major matrix", m);
    expect_rest_untouched(whole, "block of a row-major matrix");
  }
  {
    Eigen::Array<T, Dynamic, 1> whole = Eigen::Array<T, Dynamic, 1>::Constant(n * (3 * k + 5), T(untouched));
    strides<T> m(whole.data(), n, k, {3 * k + 5, 3});
    m = values;
    f("map of both strides", m);
    expect_rest_untouched(whole, "map of both strides");
  }
  {
    rows_of<T> whole = values.transpose();
    auto m = whole.transpose();
    f("transposed matrix", m);
  }
}

/// for_each_memory in the preset test_exhaustive or where it is wanted, and otherwise for_each_order: each pair of
/// kinds is code of its own.
template <class T, bool all = is_exhaustive>
void for_each_sampled_memory(const columns_of<T>& values, auto f) {
  if constexpr (all) {
    for_each_memory<T>(values, f);
  } else {
    for_each_order<T>(values, f);
  }
}

/// The sizes that outputs are compared in: a single sigmoid, rows across lanes, short rows and long ones, alone and
/// not.
void for_each_size(auto f) {
  for (const Index classes : {1, 2, 5, 10, 32, 33, 257, 3001}) {
    for (const Index rows : {1, 2, 8, 19}) f(rows, classes);
  }
}

template <class T>
void expect_bits(const rows_of<T>& output, const rows_of<T>& expected, const std::string& where) {
  ASSERT_EQ(output, expected) << where << ", " << output.rows() << " x " << output.cols();
}

/// Expects the bits of each row alone in `logits` as memory of its own, without an allocation.
template <class T>
void expect_bits_in_place(const auto& defended, const chaff::policy& policy, auto& logits, const rows_of<T>& expected,
                          const char* where) {
  EXPECT_EQ(count_allocations([&] { chaff::apply(defended, logits, logits, policy); }), 0u) << where;
  expect_bits<T>(logits, expected, std::string(where) + " in place");
}

template <class T>
void expect_bits_in(const auto& defended, const chaff::policy& policy, const auto& logits, auto& output,
                    const rows_of<T>& expected, const char* from, const char* to) {
  EXPECT_EQ(count_allocations([&] { chaff::apply_rows(defended, logits, output, policy); }), 0u)
      << from << " to " << to;
  expect_bits<T>(output, expected, std::string(from) + " to " + to);
}

/// Every kind of memory to a matrix of either order, and every one from it; in the preset test_exhaustive to every
/// kind.
TEST(EigenOutput, HasTheBitsOfEachRowAloneInMemoryOfAnyKindWithoutAllocations) {
  for (const chaff::policy& policy :
       {chaff::policy{}, {.label_margin = 0.1, .max_l1 = 0.3}, {.answer = chaff::form::log_probabilities}}) {
    for_each_size([&](Index rows, Index classes) {
      const columns_of<float> z = random_logits<float>(rows, classes);
      const rows_of<float> expected = alone<float>(defense, z, policy);
      for_each_memory(z, [&](const char* from, auto& logits) {
        using in = std::remove_reference_t<decltype(logits)>;
        constexpr bool is_matrix = std::is_same_v<in, columns_of<float>> || std::is_same_v<in, rows_of<float>>;
        for_each_sampled_memory<float, is_exhaustive || is_matrix>(
            columns_of<float>::Constant(rows, classes, 3), [&](const char* to, auto& output) {
              expect_bits_in<float>(defense, policy, logits, output, expected, from, to);
            });
        expect_bits<float>(logits, z, from);
        expect_bits_in_place<float>(defense, policy, logits, expected, from);
      });
    });
  }
}

/// What depends on the type of the numbers or of the defense.
template <class T>
void expect_same_bits_in_sampled_memory(const auto& defended) {
  for_each_size([&](Index rows, Index classes) {
    const columns_of<T> z = random_logits<T>(rows, classes);
    const rows_of<T> expected = alone<T>(defended, z);
    for_each_sampled_memory<T>(z, [&](const char* from, auto& logits) {
      for_each_sampled_memory<T>(columns_of<T>::Constant(rows, classes, T(3)), [&](const char* to, auto& output) {
        expect_bits_in<T>(defended, {}, logits, output, expected, from, to);
      });
      expect_bits_in_place<T>(defended, {}, logits, expected, from);
    });
  });
}

TEST(EigenOutput, OfDoubleAndOfReductionsHasTheBitsOfEachRowAlone) {
  expect_same_bits_in_sampled_memory<double>(defense);
  expect_same_bits_in_sampled_memory<float>(defense | chaff::top_k{.k = 3});
}

TEST(EigenOutput, VectorsOfEveryKindAreOneRow) {
  const columns_of<float> z = random_logits<float>(9, 11);
  const rows_of<float> expected = alone<float>(defense, z);
  const Eigen::VectorXf row = z.row(4);
  const Eigen::VectorXf answer = expected.row(4);
  EXPECT_EQ(count_allocations([&] {
              Eigen::Matrix<float, 11, 1> fixed;
              chaff::apply(defense, row, fixed);
              EXPECT_EQ(fixed, answer);
              Eigen::Array<float, 1, 11> array;
              chaff::apply(defense, z.row(4), array);
              EXPECT_EQ(array.matrix().transpose(), answer);
              Eigen::Matrix<float, 20, 11> many;
              chaff::apply(defense, row, many.row(3));
              EXPECT_EQ(many.row(3).transpose(), answer);
              chaff::apply(defense, row, many.block(2, 0, 1, 11));
              EXPECT_EQ(many.row(2).transpose(), answer);
              chaff::apply(defense, z.row(4), many.col(5).head(11));
              EXPECT_EQ(many.col(5).head(11), answer);
              chaff::apply(defense, z.row(4), many.col(6).segment<11>(2).array());
              EXPECT_EQ(many.col(6).segment<11>(2), answer);
              Eigen::Matrix<float, 11, 11, Eigen::RowMajor> square = Eigen::Matrix<float, 11, 11>::Zero();
              chaff::apply_rows(defense, row, square.diagonal());
              EXPECT_EQ(square.diagonal(), answer);
              EXPECT_EQ(square.sum(), square.diagonal().sum());
              chaff::apply(defense, row, square.transpose().row(7));
              EXPECT_EQ(square.col(7), answer);
              float memory[33] = {};
              chaff::apply(defense, row, Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<3>>(memory, 11));
              EXPECT_EQ((Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<3>>(memory, 11)), answer);
              chaff::apply(defense, row, Eigen::Map<Eigen::RowVectorXf>(memory, 11));
              EXPECT_EQ(Eigen::Map<Eigen::VectorXf>(memory, 11), answer);
              chaff::apply(defense, row, Eigen::Ref<Eigen::VectorXf>(fixed));
              EXPECT_EQ(fixed, answer);
              chaff::apply(defense, z.row(4),
                           Eigen::Ref<Eigen::VectorXf, 0, Eigen::InnerStride<>>(many.col(1).head<11>()));
              EXPECT_EQ(many.col(1).head(11), answer);
              chaff::apply(defense, row, many.topRows<11>().leftCols<1>().reshaped());
              EXPECT_EQ(many.col(0).head(11), answer);
            }),
            0u);
}

template <class In, class Out>
void serve(const Eigen::MatrixBase<In>& logits, const Eigen::MatrixBase<Out>& output) {
  chaff::apply_rows(defense, logits, const_cast<Eigen::MatrixBase<Out>&>(output));
}

template <class In>
auto serve_new(const Eigen::DenseBase<In>& logits) {
  return chaff::apply(defense, logits);
}

TEST(EigenOutput, FunctionsThatTakeBaseClassesMayPassThemOn) {
  const columns_of<float> z = random_logits<float>(9, 11);
  columns_of<float> output(9, 11);
  serve(z, output);
  EXPECT_EQ(rows_of<float>(output), alone<float>(defense, z));
  serve(z.row(3), output.row(4));
  EXPECT_EQ(output.row(3), output.row(4));
  EXPECT_EQ(serve_new(z), chaff::apply(defense, z));
  EXPECT_EQ(serve_new(2 * z), chaff::apply(defense, 2 * z));
}

TEST(EigenOutput, BlocksOfOneMatrixThatShareNoEntryAreAnswered) {
  const columns_of<float> z = random_logits<float>(12, 7);
  const rows_of<float> expected = alone<float>(defense, z);
  const auto expect_answered = [&](auto whole, auto in, auto out) {
    in(whole) = z;
    chaff::apply_rows(defense, in(whole), out(whole));
    EXPECT_EQ(rows_of<float>(out(whole)), expected);
    EXPECT_EQ(columns_of<float>(in(whole)), z);
  };
  const auto left = [](auto& m) { return m.leftCols(7); };
  const auto right = [](auto& m) { return m.rightCols(7); };
  const auto top = [](auto& m) { return m.topRows(12); };
  const auto bottom = [](auto& m) { return m.bottomRows(12); };
  expect_answered(columns_of<float>(12, 14), left, right);
  expect_answered(rows_of<float>(12, 14), left, right);
  expect_answered(rows_of<float>(12, 15), right, left);
  expect_answered(columns_of<float>(24, 7), top, bottom);
  expect_answered(rows_of<float>(24, 7), bottom, top);
}

std::string refusal(auto call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(EigenOutput, MemoryThatOverlapsInPartIsRefusedAndZeroed) {
  const std::string expected = "chaff: logits and output overlap in part; allowed is the same or apart";
  columns_of<float> m = random_logits<float>(10, 10);
  EXPECT_EQ(refusal([&] { chaff::apply_rows(defense, m.leftCols(6), m.rightCols(6)); }), expected);
  EXPECT_EQ(m.rightCols(6).cwiseAbs().sum(), 0);
  EXPECT_GT(m.leftCols(4).cwiseAbs().minCoeff(), 0);
  m = random_logits<float>(10, 10);
  EXPECT_EQ(refusal([&] { chaff::apply_rows(defense, m, m.transpose()); }), expected);
  m = random_logits<float>(10, 10);
  EXPECT_EQ(refusal([&] { chaff::apply(defense, m.row(2), m.col(2)); }), expected);
  EXPECT_EQ(m.col(2).cwiseAbs().sum(), 0);
  Eigen::VectorXf z = Eigen::VectorXf::LinSpaced(10, 1, 2), windows(12);
  Eigen::Map<rows_of<float>, 0, Eigen::OuterStride<>> sliding(windows.data(), 4, 3, Eigen::OuterStride<>(2));
  EXPECT_EQ(refusal([&] { chaff::apply_rows(defense, random_logits<float>(4, 3), sliding); }), expected);
}

TEST(EigenOutput, SizesThatDoNotMatchAreRefusedAndZeroedAndNothingIsResized) {
  const columns_of<float> z = random_logits<float>(3, 4);
  const auto expect_refused = [](const auto& logits, auto output, const char* sizes) {
    const auto rows = output.rows(), cols = output.cols();
    output.setOnes();
    EXPECT_EQ(refusal([&] { chaff::apply_rows(defense, logits, output); }), std::string("chaff: logits are ") + sizes);
    EXPECT_EQ(output.rows(), rows);
    EXPECT_EQ(output.cols(), cols);
    EXPECT_EQ(output.cwiseAbs().sum(), 0);
  };
  expect_refused(z, columns_of<float>(3, 5), "3 x 4, but the output is 3 x 5");
  expect_refused(z, rows_of<float>(4, 3), "3 x 4, but the output is 4 x 3");
  expect_refused(z, columns_of<float>(0, 0), "3 x 4, but the output is 0 x 0");
  expect_refused(z, columns_of<float>(2, 4), "3 x 4, but the output is 2 x 4");
  expect_refused(z.row(0), Eigen::VectorXf(3), "1 x 4, but the output is 3 x 1");
  expect_refused(z.row(0), Eigen::Vector3f(), "1 x 4, but the output is 3 x 1");
  expect_refused(z.row(0), columns_of<float>(2, 2), "1 x 4, but the output is 2 x 2");
  Eigen::VectorXf none;
  EXPECT_NE(refusal([&] { chaff::apply(defense, none, none); }).find("a row has 0 classes"), std::string::npos);
  columns_of<float> no_columns(3, 0);
  EXPECT_NE(refusal([&] { chaff::apply(defense, no_columns, no_columns); }).find("0 classes"), std::string::npos);
  columns_of<float> no_rows(0, 3);
  chaff::apply(defense, no_rows, no_rows);
}

TEST(EigenOutput, PolicyAndArgumentSayHowManyClassesAVectorOrAColumnHas) {
  const rows_of<float> rows = random_logits<float>(6, 7);
  const rows_of<float> expected = alone<float>(defense, rows);
  const Eigen::VectorXf flat = rows.reshaped<Eigen::RowMajor>();
  Eigen::VectorXf output(42);
  chaff::apply(defense, flat, output, {.classes = 7});
  EXPECT_EQ(rows_of<float>(output.reshaped<Eigen::RowMajor>(6, 7)), expected);
  output.setZero();
  chaff::apply_rows(defense, flat, 7, output);
  EXPECT_EQ(rows_of<float>(output.reshaped<Eigen::RowMajor>(6, 7)), expected);
  columns_of<float> matrix(6, 7);
  chaff::apply_rows(defense, flat, 7, matrix);
  EXPECT_EQ(rows_of<float>(matrix), expected);
  chaff::apply_rows(defense, rows, 7, matrix.transpose().transpose());
  EXPECT_EQ(rows_of<float>(matrix), expected);
  // a dynamic matrix of one column, as a product of a matrix and a vector may be stored in
  const columns_of<float> column = rows.row(0).transpose();
  columns_of<float> answer(7, 1);
  chaff::apply(defense, column, answer, {.classes = 7});
  EXPECT_EQ(answer.transpose(), expected.row(0));
  EXPECT_EQ(chaff::apply(defense, column, {.classes = 7}), answer);
  EXPECT_EQ(refusal([&] { chaff::apply_rows(defense, flat, 5, output); }),
            "chaff: logits of 42 x 1 have no rows of 5 classes");
  EXPECT_EQ(refusal([&] { chaff::apply_rows(defense, rows, 6, matrix); }),
            "chaff: logits of 6 x 7 have no rows of 6 classes");
  EXPECT_EQ(refusal([&] { chaff::apply_rows(defense, rows, 0, matrix); }),
            "chaff: a row has 0 classes, allowed is 1 or more");
  EXPECT_EQ(matrix.cwiseAbs().sum(), 0);
}

void expect_zero(const rows_of<float>& output, const std::string& where) {
  EXPECT_EQ((output.array() == 0).count(), output.size()) << where;
}

TEST(EigenOutput, FaultInARowNamesItAndZeroesTheWholeOutputAlone) {
  for (const Index classes : {7, 40, 700}) {
    for (const bool in_place : {false, true}) {
      columns_of<float> z = random_logits<float>(21, classes);
      z(18, 5) = std::numeric_limits<float>::quiet_NaN();
      for_each_memory(z, [&](const char* from, auto& logits) {
        const auto expect_fault = [&](auto& output, const char* to) {
          try {
            chaff::apply_rows(defense, logits, output);
            ADD_FAILURE();
          } catch (const std::domain_error& error) {
            EXPECT_STREQ(error.what(), "chaff: logit 5 of row 18 is NaN") << from << " to " << to;
          }
          expect_zero(output, std::string(from) + " to " + to);
        };
        if (in_place) return expect_fault(logits, "itself");
        for_each_sampled_memory<float>(columns_of<float>::Ones(21, classes),
                                       [&](const char* to, auto& output) { expect_fault(output, to); });
      });
    }
  }
}

struct throwing_gate {
  template <class T>
  double operator()(const chaff::row<T>& row) const {
    if (row.label == 3) throw std::runtime_error("gate");
    return 1;
  }
};

TEST(EigenOutput, IsZeroedWhereAParameterIsWrongOrAPartOfTheUserThrows) {
  columns_of<float> z = random_logits<float>(21, 7);
  z(20, 3) = 50;
  for_each_memory(columns_of<float>(columns_of<float>::Ones(21, 7)), [&](const char* to, auto& output) {
    EXPECT_THROW(chaff::apply_rows(chaff::dcp{.beta = -1}, z, output), std::invalid_argument) << to;
    expect_zero(output, to);
    output.setOnes();
    EXPECT_THROW(chaff::apply_rows(chaff::gated{throwing_gate{}, chaff::reverse_sigmoid{}}, z, output),
                 std::runtime_error)
        << to;
    expect_zero(output, to);
  });
}

TEST(EigenOutput, RowsTooLongForTheStackAreRefusedWhereTheOutputHoldsThemApartAndOtherwiseAnswered) {
  constexpr Index classes = 32769;
  const columns_of<float> z = random_logits<float>(3, classes);
  const rows_of<float> expected = alone<float>(defense, z);
  columns_of<float> columns = columns_of<float>::Ones(3, classes);
  EXPECT_EQ(refusal([&] { chaff::apply_rows(defense, z, columns); }),
            "chaff: the classes of a row are apart in the output's memory, where rows of up to 32768 classes are "
            "answered; the output has 32769: use a row-major one");
  EXPECT_EQ(columns.cwiseAbs().sum(), 0);
  rows_of<float> rows(3, classes);
  EXPECT_EQ(count_allocations([&] { chaff::apply_rows(defense, z, rows); }), 0u);
  EXPECT_EQ(rows, expected);
  rows.setZero();
  chaff::apply(defense, z.row(1), rows.row(1));
  EXPECT_EQ(rows.row(1), expected.row(1));
  EXPECT_EQ(rows_of<float>(chaff::apply(defense, z)), expected);
  EXPECT_EQ(rows_of<float>(chaff::apply(defense, 1 * z)), expected);
  const columns_of<float> shorter = z.leftCols(classes - 1);
  columns_of<float> output(3, classes - 1);
  chaff::apply_rows(defense, shorter, output);
  EXPECT_EQ(rows_of<float>(output), alone<float>(defense, shorter));
}

TEST(EigenOutput, RowLongerThanAnyStackIsAnsweredOrItsFaultFound) {
  constexpr Index classes = 3000000;  // 12 MB
  columns_of<float> z = columns_of<float>::Zero(2, classes);
  z(1, classes - 1) = 20;
  rows_of<float> rows(2, classes);
  chaff::apply_rows(defense, z, rows);
  EXPECT_GT(rows(1, classes - 1), rows(1, 0));
  z(1, classes - 2) = std::numeric_limits<float>::infinity();
  try {
    chaff::apply_rows(defense, z, rows);
    ADD_FAILURE();
  } catch (const std::domain_error& error) {
    EXPECT_STREQ(error.what(), "chaff: logit 2999998 of row 1 is +inf");
  }
  EXPECT_EQ(rows.cwiseAbs().sum(), 0);
}

TEST(EigenOutput, NewMatrixIsTheOnlyAllocation) {
  const columns_of<float> z = random_logits<float>(30, 12);
  EXPECT_EQ(count_allocations([&] { const columns_of<float> output = chaff::apply(defense, z); }), 1u);
  EXPECT_EQ(count_allocations([&] { const Eigen::RowVectorXf output = chaff::apply(defense, z.row(3)); }), 1u);
  EXPECT_EQ(count_allocations([&] { const columns_of<float> output = chaff::apply(defense, 2 * z); }), 1u);
  EXPECT_EQ(count_allocations([&] { static_cast<void>(chaff::apply(defense, Eigen::Vector4f(1, 2, 3, 4))); }), 0u);
  EXPECT_EQ(count_allocations([&] { asm volatile("" : : "r"(std::vector<float>(10).data()) : "memory"); }), 1u);
}

TEST(EigenOutput, DefendedModelReturnsItsOwnKindOfMatrix) {
  const columns_of<double> weights = random_logits<double>(10, 6);
  const columns_of<double> samples = random_logits<double>(6, 40);
  const auto matrix =
      chaff::defend([&](const auto& x) -> rows_of<double> { return (weights * x).transpose(); }, defense);
  const rows_of<double> rows = matrix(samples);
  EXPECT_EQ(rows, alone<double>(defense, (weights * samples).transpose()));
  const auto columns =
      chaff::defend([&](const auto& x) -> columns_of<double> { return (weights * x).transpose(); }, defense);
  EXPECT_EQ(rows_of<double>(columns(samples)), rows);
  const auto vector = chaff::defend([&](const Eigen::VectorXd& x) -> Eigen::VectorXd { return weights * x; }, defense);
  const Eigen::VectorXd logits = weights * samples.col(0);
  EXPECT_EQ(vector(samples.col(0)).transpose(), alone<double>(defense, logits.transpose()));
  const auto array = chaff::defend([](const Eigen::Array4f& x) { return x; }, defense);
  EXPECT_NEAR(array(Eigen::Array4f(1, 2, 3, 4)).sum(), 1, 1e-6);
  const Eigen::VectorXd kept = logits;
  const auto view = chaff::defend([&]() -> const Eigen::VectorXd& { return logits; }, defense);
  EXPECT_EQ(view(), vector(samples.col(0)));
  EXPECT_EQ(logits, kept);
}

}  // namespace
