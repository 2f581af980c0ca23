// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chaff/adapters/eigen.hpp>
#include <chaff/apply.hpp>
#include <chaff/defend.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/perturbations/decoy.hpp>

namespace {

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
constexpr chaff::dcp defense{.beta = 1.2};

/// The output of one row, through spans.
Eigen::VectorXf alone(Eigen::VectorXf row) {
  chaff::apply(defense, std::span<const float>(row.data(), static_cast<std::size_t>(row.size())),
               std::span<float>(row.data(), static_cast<std::size_t>(row.size())));
  return row;
}

/// Fails where a row of the output is not what the row of logits gets alone.
void expect_rows_as_alone(const auto& logits, const auto& output) {
  ASSERT_EQ(output.rows(), logits.rows());
  ASSERT_EQ(output.cols(), logits.cols());
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    ASSERT_EQ(Eigen::VectorXf(output.row(i)), alone(logits.row(i))) << "row " << i;
  }
}

TEST(Eigen, VectorIsOneRow) {
  const Eigen::VectorXf z = Eigen::VectorXf::Random(37);
  const Eigen::VectorXf y = chaff::apply(defense, z);
  EXPECT_EQ(y, alone(z));
  const Eigen::RowVectorXf across = chaff::apply(defense, z.transpose());
  EXPECT_EQ(across, y.transpose());
  const Eigen::Vector4d fixed = chaff::apply(defense, Eigen::Vector4d(1, 2, 3, 4));
  EXPECT_NEAR(fixed.sum(), 1, 1e-14);
  const Eigen::ArrayXf array = chaff::apply(defense, z.array());
  EXPECT_EQ(array.matrix(), y);
}

TEST(Eigen, MatrixOfEitherStorageOrderHasOneRowPerSample) {
  const Eigen::MatrixXf columns = 3 * Eigen::MatrixXf::Random(9, 21);
  const row_major rows = columns;
  expect_rows_as_alone(columns, chaff::apply(defense, columns));
  expect_rows_as_alone(rows, chaff::apply(defense, rows));
  static_assert(std::same_as<decltype(chaff::apply(defense, columns)), Eigen::MatrixXf>);
  static_assert(std::same_as<decltype(chaff::apply(defense, rows)), row_major>);
}

TEST(Eigen, ExpressionsBlocksAndMapsAreAnsweredAsTheirValues) {
  const Eigen::MatrixXf a = Eigen::MatrixXf::Random(12, 30);
  expect_rows_as_alone(Eigen::MatrixXf(a.block(1, 3, 5, 17)), chaff::apply(defense, a.block(1, 3, 5, 17)));
  expect_rows_as_alone(Eigen::MatrixXf(2 * a), chaff::apply(defense, 2 * a));
  expect_rows_as_alone(Eigen::MatrixXf(a * a.transpose()), chaff::apply(defense, a * a.transpose()));
  EXPECT_EQ(Eigen::VectorXf(chaff::apply(defense, a.row(4))), alone(a.row(4)));
  const Eigen::Map<const Eigen::VectorXf, 0, Eigen::InnerStride<3>> strided(a.data(), 100);
  EXPECT_EQ(chaff::apply(defense, strided), alone(strided));
}

TEST(Eigen, MatrixOfOneColumnIsABatchOfSigmoids) {
  Eigen::MatrixXf z(3, 1);
  z << -2, 0, 3;
  const Eigen::MatrixXf y = chaff::apply(defense, z);
  EXPECT_LT(y(0), 0.5f);
  EXPECT_EQ(y(1), 0.5f);
  EXPECT_GT(y(2), 0.5f);
}

TEST(Eigen, EmptyRowIsAnErrorAndEmptyBatchIsNot) {
  EXPECT_THROW(static_cast<void>(chaff::apply(defense, Eigen::VectorXf())), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::apply(defense, Eigen::MatrixXf(3, 0))), std::invalid_argument);
  EXPECT_EQ(chaff::apply(defense, Eigen::MatrixXf(0, 3)).rows(), 0);
}

TEST(Eigen, VectorIsABatchWhereThePolicySaysHowManyClassesARowHas) {
  const row_major rows = 3 * row_major::Random(6, 7);
  const Eigen::VectorXf flat = Eigen::Map<const Eigen::VectorXf>(rows.data(), rows.size());
  const Eigen::VectorXf output = chaff::apply(defense, flat, {.classes = 7});
  EXPECT_EQ(row_major(Eigen::Map<const row_major>(output.data(), 6, 7)), chaff::apply(defense, rows));
  EXPECT_THROW(static_cast<void>(chaff::apply(defense, flat, {.classes = 5})), std::invalid_argument);
}

TEST(Eigen, ErrorsAreThoseOfRows) {
  Eigen::MatrixXd z = Eigen::MatrixXd::Random(3, 4);
  z(2, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(static_cast<void>(chaff::apply(defense, z)), std::domain_error);
  EXPECT_THROW(static_cast<void>(chaff::apply(chaff::dcp{.beta = -1}, Eigen::VectorXd::Random(4).eval())),
               std::invalid_argument);
}

TEST(Eigen, DecoyMayReturnAMatrix) {
  const auto model = [](const Eigen::MatrixXf& x) -> Eigen::MatrixXf { return 2 * x; };
  const auto decoy = [](const Eigen::MatrixXf& x) -> Eigen::MatrixXf { return -x; };
  const Eigen::MatrixXf x = Eigen::MatrixXf::Random(5, 6);
  const Eigen::MatrixXf y = chaff::defend(model, chaff::decoy{decoy}, {.keep_label = false})(x);
  const Eigen::MatrixXf expected = chaff::apply(chaff::none{}, (-x).eval(), {.keep_label = false});
  EXPECT_LT((y - expected).cwiseAbs().maxCoeff(), 1e-6f);
}

TEST(Eigen, LongRowHasSameBitsInEveryKindOfMemory) {
  for (const Eigen::Index classes : {255, 256, 257, 700, 3001}) {
    const Eigen::MatrixXf columns = 3 * Eigen::MatrixXf::Random(5, classes + 2);
    const row_major rows = columns;
    expect_rows_as_alone(columns, chaff::apply(defense, columns));
    expect_rows_as_alone(rows, chaff::apply(defense, rows));
    expect_rows_as_alone(Eigen::MatrixXf(columns.block(1, 1, 3, classes)),
                         chaff::apply(defense, columns.block(1, 1, 3, classes)));
    expect_rows_as_alone(Eigen::MatrixXf(rows.block(1, 1, 3, classes)),
                         chaff::apply(defense, rows.block(1, 1, 3, classes)));
    expect_rows_as_alone(Eigen::MatrixXf(rows.topRows(2)), chaff::apply(defense, rows.topRows(2)));
    EXPECT_EQ(Eigen::VectorXf(chaff::apply(defense, columns.row(3))), alone(columns.row(3)));
    EXPECT_EQ(Eigen::VectorXf(chaff::apply(defense, rows.row(3))), alone(rows.row(3)));
    EXPECT_EQ(Eigen::VectorXf(chaff::apply(defense, 2 * rows.row(3))), alone(2 * rows.row(3)));
    const std::vector<float> logits(rows.data(), rows.data() + classes);
    const auto defended = chaff::defend([&] { return logits; }, defense);
    const std::vector<float> output = defended();
    EXPECT_EQ(Eigen::VectorXf(Eigen::Map<const Eigen::VectorXf>(output.data(), classes)),
              alone(Eigen::Map<const Eigen::VectorXf>(rows.data(), classes)));
  }
}

}  // namespace
