# SPDX-License-Identifier: MIT
# Looks for Eigen, for the build and for the installed package. The target that a project already has is taken before any
# package. `chaff_eigen_problem` is empty, or says why there is no Eigen3::Eigen of version 3.4 or newer.
if(NOT TARGET Eigen3::Eigen)
  # No version is requested, since Eigen 5's version file refuses a request for 3.4.
  find_package(Eigen3 QUIET NO_MODULE)
endif()
if(NOT TARGET Eigen3::Eigen)
  set(chaff_eigen_problem "Eigen was not found")
elseif(Eigen3_VERSION AND Eigen3_VERSION VERSION_LESS 3.4)
  set(chaff_eigen_problem "Eigen ${Eigen3_VERSION} in ${Eigen3_DIR} is older than 3.4")
else()
  set(chaff_eigen_problem "")
endif()
