// SPDX-License-Identifier: MIT
/// The singular values of a matrix. They are a translation unit of their own, since Eigen's template takes long to
/// compile.
#ifndef CHAFF_EXAMPLES_AUDIT_SINGULAR_VALUES_HPP
#define CHAFF_EXAMPLES_AUDIT_SINGULAR_VALUES_HPP

#include <Eigen/Core>

namespace audit {

/// The largest first.
Eigen::VectorXd singular_values_of(const Eigen::MatrixXd& matrix);

}  // namespace audit

#endif
