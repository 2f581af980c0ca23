// SPDX-License-Identifier: MIT
/// Fuzzes defend with any bytes as the return value of the model, in every container, and of a decoy or a surrogate.
/// Checks: an error, or in each container the bits of apply_rows; for defenses that need the query, an error or outputs
/// that keep every guarantee.
#include "guarantees.hpp"

namespace {

template <class T>
using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using column_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

/// The outputs as rows, or nothing where there was an error.
template <class T, class Call>
std::vector<T> rows_of(Call call) {
  try {
    const row_major<T> answers = call();
    return {answers.data(), answers.data() + answers.size()};
  } catch (const std::invalid_argument&) {
  } catch (const std::domain_error&) {
  }
  return {};
}

template <class T>
void try_containers(bytes& source) {
  const chaff::policy policy = some_policy(source);
  const chaff::dcp defense{
      .beta = source.parameter(), .gamma = source.parameter(), .nu = 1000, .tau = source.parameter()};
  const std::size_t classes = source.number(1, 100);
  const std::vector<T> z = some_rows<T>(source, classes, policy.input);
  const auto rows = static_cast<Eigen::Index>(z.size() / classes), columns = static_cast<Eigen::Index>(classes);
  const Eigen::Map<const row_major<T>> as_rows(z.data(), rows, columns);

  const std::vector<T> expected = rows_of<T>([&]() -> row_major<T> {
    row_major<T> answers(rows, columns);
    chaff::apply_rows(defense, z, classes, std::span<T>(answers.data(), z.size()), policy);
    return answers;
  });
  const auto same = [&](const char* what, auto model) {
    const std::vector<T> found = rows_of<T>([&]() -> row_major<T> { return chaff::defend(model, defense, policy)(); });
    demand(found.size() == expected.size() &&
               (found.empty() || std::memcmp(found.data(), expected.data(), found.size() * sizeof(T)) == 0),
           what);
  };
  same("the same bits from a row-major matrix", [&] { return row_major<T>(as_rows); });
  same("the same bits from a column-major matrix", [&] { return column_major<T>(as_rows); });
  row_major<T> wide(rows, columns + 3);
  wide.setZero();
  wide.middleCols(1, columns) = as_rows;
  same("the same bits from a strided block", [&] { return wide.middleCols(1, columns); });
  chaff::policy flat = policy;
  if (rows > 1) flat.classes = classes;
  const std::vector<T> vector_outputs = rows_of<T>([&]() -> row_major<T> {
    const std::vector<T> outputs = chaff::defend([&] { return z; }, defense, flat)();
    return Eigen::Map<const row_major<T>>(outputs.data(), rows, columns);
  });
  demand(vector_outputs == expected, "the same bits from a std::vector");
}

/// Fuzzes defenses whose decoy or surrogate returns any number of any values.
template <class T>
void try_queries(bytes& source) {
  const chaff::policy policy = some_policy(source);
  const std::size_t classes = source.number(1, 40);
  const std::vector<T> z = some_rows<T>(source, classes, policy.input);
  const std::size_t rows = z.size() / classes, outcomes = classes == 1 ? 2 : classes;
  const std::size_t numbers = source.flag()   ? rows * outcomes * source.number(1, 3)
                              : source.flag() ? z.size()
                                              : source.number(0, 999);
  std::vector<T> other(numbers);
  for (T& value : other) value = source.logit<T>();
  const auto by_query = [&other](const row_major<T>& query) {
    row_major<T> columns(query.rows(), static_cast<Eigen::Index>(other.size()) / query.rows());
    for (Eigen::Index i = 0; i < columns.size(); ++i) columns.data()[i] = other[static_cast<std::size_t>(i)];
    return columns;
  };
  const row_major<T> query =
      Eigen::Map<const row_major<T>>(z.data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(classes));
  const auto demand_guarantees_of_defense = [&](const auto& defense) {
    try {
      const row_major<T> answers = chaff::defend([](const row_major<T>& x) { return x; }, defense, policy)(query);
      demand(expected_for_rows(std::span<const T>(z), classes, policy.input) != expected::error,
             "an error for a row that cannot be answered");
      for (std::size_t i = 0; i < z.size(); i += classes) {
        demand_guarantees<T>(std::span<const T>(z).subspan(i, classes), {answers.data() + i, classes}, policy, false);
      }
    } catch (const std::invalid_argument&) {
    } catch (const std::domain_error&) {
    }
  };
  const double epsilon = source.parameter();
  switch (source.number(0, 4)) {
    case 0: return demand_guarantees_of_defense(chaff::adaptive_misinformation(by_query, {epsilon, 20}));
    case 1: return demand_guarantees_of_defense(chaff::mad{chaff::last_layer{by_query}, epsilon, source.flag()});
    case 2: return demand_guarantees_of_defense(chaff::mad{chaff::jacobian{by_query}, epsilon, source.flag()});
    case 3: return demand_guarantees_of_defense(chaff::gradient_redirection{chaff::redirection{by_query}, epsilon});
    default: return demand_guarantees_of_defense(chaff::gradient_redirection{chaff::jacobian{by_query}, epsilon});
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bytes source(data, size);
  switch (source.number(0, 3)) {
    case 0: try_containers<float>(source); break;
    case 1: try_containers<double>(source); break;
    case 2: try_queries<float>(source); break;
    default: try_queries<double>(source);
  }
  return 0;
}
