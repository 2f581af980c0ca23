// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/chaff.hpp>

namespace {

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
constexpr chaff::dcp defense{.beta = 1.2};

/// The answer to one row, by way of spans.
Eigen::VectorXf alone(Eigen::VectorXf row) {
  chaff::apply(defense, std::span<const float>(row.data(), static_cast<std::size_t>(row.size())),
               std::span<float>(row.data(), static_cast<std::size_t>(row.size())));
  return row;
}

void each_row_as_alone(const auto& logits, const auto& answer) {
  ASSERT_EQ(answer.rows(), logits.rows());
  ASSERT_EQ(answer.cols(), logits.cols());
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    ASSERT_EQ(Eigen::VectorXf(answer.row(i)), alone(logits.row(i))) << "row " << i;
  }
}

TEST(eigen, vectors_are_one_row) {
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

TEST(eigen, matrices_of_either_order_have_a_row_for_each_sample) {
  const Eigen::MatrixXf columns = 3 * Eigen::MatrixXf::Random(9, 21);
  const row_major rows = columns;
  each_row_as_alone(columns, chaff::apply(defense, columns));
  each_row_as_alone(rows, chaff::apply(defense, rows));
  static_assert(std::same_as<decltype(chaff::apply(defense, columns)), Eigen::MatrixXf>);
  static_assert(std::same_as<decltype(chaff::apply(defense, rows)), row_major>);
}

TEST(eigen, expressions_blocks_and_maps) {
  const Eigen::MatrixXf a = Eigen::MatrixXf::Random(12, 30);
  each_row_as_alone(Eigen::MatrixXf(a.block(1, 3, 5, 17)), chaff::apply(defense, a.block(1, 3, 5, 17)));
  each_row_as_alone(Eigen::MatrixXf(2 * a), chaff::apply(defense, 2 * a));
  each_row_as_alone(Eigen::MatrixXf(a * a.transpose()), chaff::apply(defense, a * a.transpose()));
  EXPECT_EQ(Eigen::VectorXf(chaff::apply(defense, a.row(4))), alone(a.row(4)));
  const Eigen::Map<const Eigen::VectorXf, 0, Eigen::InnerStride<3>> strided(a.data(), 100);
  EXPECT_EQ(chaff::apply(defense, strided), alone(strided));
}

TEST(eigen, a_matrix_of_one_column_is_a_batch_of_sigmoids) {
  Eigen::MatrixXf z(3, 1);
  z << -2, 0, 3;
  const Eigen::MatrixXf y = chaff::apply(defense, z);
  EXPECT_LT(y(0), 0.5f);
  EXPECT_EQ(y(1), 0.5f);
  EXPECT_GT(y(2), 0.5f);
}

TEST(eigen, empty) {
  EXPECT_THROW(chaff::apply(defense, Eigen::VectorXf()), std::invalid_argument);
  EXPECT_THROW(chaff::apply(defense, Eigen::MatrixXf(3, 0)), std::invalid_argument);
  EXPECT_EQ(chaff::apply(defense, Eigen::MatrixXf(0, 3)).rows(), 0);
}

TEST(eigen, long_rows_have_the_same_bits_in_every_kind_of_memory) {
  for (const Eigen::Index classes : {255, 256, 257, 700, 3001}) {
    const Eigen::MatrixXf columns = 3 * Eigen::MatrixXf::Random(5, classes + 2);
    const row_major rows = columns;
    each_row_as_alone(columns, chaff::apply(defense, columns));
    each_row_as_alone(rows, chaff::apply(defense, rows));
    each_row_as_alone(Eigen::MatrixXf(columns.block(1, 1, 3, classes)),
                      chaff::apply(defense, columns.block(1, 1, 3, classes)));
    each_row_as_alone(Eigen::MatrixXf(rows.block(1, 1, 3, classes)),
                      chaff::apply(defense, rows.block(1, 1, 3, classes)));
    each_row_as_alone(Eigen::MatrixXf(rows.topRows(2)), chaff::apply(defense, rows.topRows(2)));
    EXPECT_EQ(Eigen::VectorXf(chaff::apply(defense, columns.row(3))), alone(columns.row(3)));
    EXPECT_EQ(Eigen::VectorXf(chaff::apply(defense, rows.row(3))), alone(rows.row(3)));
    EXPECT_EQ(Eigen::VectorXf(chaff::apply(defense, 2 * rows.row(3))), alone(2 * rows.row(3)));
    const std::vector<float> model_says(rows.data(), rows.data() + classes);
    const auto served = chaff::defend([&] { return model_says; }, defense);
    const std::vector<float> answer = served();
    EXPECT_EQ(Eigen::VectorXf(Eigen::Map<const Eigen::VectorXf>(answer.data(), classes)),
              alone(Eigen::Map<const Eigen::VectorXf>(rows.data(), classes)));
  }
}

}  // namespace
