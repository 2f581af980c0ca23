// SPDX-License-Identifier: MIT
#include "singular_values.hpp"

#include <Eigen/SVD>

Eigen::VectorXd audit::singular_values_of(const Eigen::MatrixXd& matrix) {
  return Eigen::BDCSVD<Eigen::MatrixXd>(matrix).singularValues();
}
