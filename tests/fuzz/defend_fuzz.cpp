// SPDX-License-Identifier: MIT
/// defend: any bytes as what the model returns, in every container, and as what a decoy or a surrogate returns. Guards:
/// an error, or in each container the bits that apply_rows gives; an error or lawful answers where the query is needed.
#include "lawful.hpp"

namespace {

template <class T>
using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using column_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

/// The answers as rows, or nothing where there was an error.
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
void try_containers(bytes& from) {
  const chaff::policy promised = some_policy(from);
  const chaff::dcp used{.beta = from.parameter(), .gamma = from.parameter(), .nu = 1000, .tau = from.parameter()};
  const std::size_t classes = from.number(1, 100);
  const std::vector<T> z = some_rows<T>(from, classes, promised.input);
  const auto rows = static_cast<Eigen::Index>(z.size() / classes), columns = static_cast<Eigen::Index>(classes);
  const Eigen::Map<const row_major<T>> as_rows(z.data(), rows, columns);

  const std::vector<T> expected = rows_of<T>([&]() -> row_major<T> {
    row_major<T> answers(rows, columns);
    chaff::apply_rows(used, z, classes, std::span<T>(answers.data(), z.size()), promised);
    return answers;
  });
  const auto same = [&](const char* what, auto model) {
    const std::vector<T> found = rows_of<T>([&]() -> row_major<T> { return chaff::defend(model, used, promised)(); });
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
  if (rows == 1) {
    const std::vector<T> vector_answer = rows_of<T>([&]() -> row_major<T> {
      const std::vector<T> answer = chaff::defend([&] { return z; }, used, promised)();
      return Eigen::Map<const row_major<T>>(answer.data(), 1, columns);
    });
    demand(vector_answer == expected, "the same bits from a std::vector");
  }
}

/// Defenses whose other models return any number of any bytes.
template <class T>
void try_queries(bytes& from) {
  const chaff::policy promised = some_policy(from);
  const std::size_t classes = from.number(1, 40);
  const std::vector<T> z = some_rows<T>(from, classes, promised.input);
  const std::size_t rows = z.size() / classes, outcomes = classes == 1 ? 2 : classes;
  const std::size_t numbers = from.flag()   ? rows * outcomes * from.number(1, 3)
                              : from.flag() ? z.size()
                                            : from.number(0, 999);
  std::vector<T> other(numbers);
  for (T& value : other) value = from.logit<T>();
  const auto by_query = [&other](const row_major<T>& query) {
    row_major<T> columns(query.rows(), static_cast<Eigen::Index>(other.size()) / query.rows());
    for (Eigen::Index i = 0; i < columns.size(); ++i) columns.data()[i] = other[static_cast<std::size_t>(i)];
    return columns;
  };
  const row_major<T> query =
      Eigen::Map<const row_major<T>>(z.data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(classes));
  const auto demand_of = [&](const auto& used) {
    try {
      const row_major<T> answers = chaff::defend([](const row_major<T>& x) { return x; }, used, promised)(query);
      demand(expected_of_rows(std::span<const T>(z), classes, promised.input) != expected::error,
             "an error for a row that cannot be answered");
      for (std::size_t i = 0; i < z.size(); i += classes) {
        demand_lawful<T>(std::span<const T>(z).subspan(i, classes), {answers.data() + i, classes}, promised, false);
      }
    } catch (const std::invalid_argument&) {
    } catch (const std::domain_error&) {
    }
  };
  const double epsilon = from.parameter();
  switch (from.number(0, 4)) {
    case 0: return demand_of(chaff::adaptive_misinformation(by_query, {epsilon, 20}));
    case 1: return demand_of(chaff::mad{chaff::last_layer{by_query}, epsilon, from.flag()});
    case 2: return demand_of(chaff::mad{chaff::jacobian{by_query}, epsilon, from.flag()});
    case 3: return demand_of(chaff::gradient_redirection{chaff::redirection{by_query}, epsilon});
    default: return demand_of(chaff::gradient_redirection{chaff::jacobian{by_query}, epsilon});
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bytes from(data, size);
  switch (from.number(0, 3)) {
    case 0: try_containers<float>(from); break;
    case 1: try_containers<double>(from); break;
    case 2: try_queries<float>(from); break;
    default: try_queries<double>(from);
  }
  return 0;
}
