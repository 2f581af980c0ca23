// SPDX-License-Identifier: MIT
/// Runs each kernel a hundred times for an instruction counter: under callgrind each leaves a dump with its name and
/// total.
#include <valgrind/callgrind.h>

#include <array>
#include <chaff/chaff.hpp>
#include <chaff/int8/dcp.hpp>
#include <cstdio>
#include <string>

#include "rows.hpp"

namespace {

constexpr int repetitions = 100;

template <class Call>
void count(const std::string& name, Call call) {
  call();  // work that happens once, such as binding a symbol, is not counted
  CALLGRIND_ZERO_STATS;
  for (int i = 0; i < repetitions; ++i) call();
  CALLGRIND_DUMP_STATS_AT(name.c_str());
}

template <class T, class Defense>
void count_rows(const char* what, const Defense& defense, std::size_t classes, std::size_t rows, gate_is gate,
                const chaff::policy& policy = {}) {
  const aligned_vector<T> z = rows_of_logits<T>(classes, rows, gate);
  std::vector<T> y(classes * rows);
  const std::string type = std::is_same_v<T, float> ? "float" : "double";
  const std::string name = std::string(what) + "/" + name_of(gate) + "/" + type + "/K:" + std::to_string(classes) +
                           "/rows:" + std::to_string(rows);
  count(name,
        [&] { chaff::apply_rows(defense, std::span<const T>(z).first(y.size()), classes, std::span<T>(y), policy); });
}

template <class T>
void count_dcp() {
  for (const gate_is gate : {gate_is::closed, gate_is::open}) {
    for (const std::size_t classes : {2u, 10u, 100u, 1000u, 20000u})
      count_rows<T>("dcp", chaff::dcp{}, classes, 1, gate);
    count_rows<T>("dcp", chaff::dcp{}, 10, 64, gate);
    for (const std::size_t classes : {10u, 1000u}) {
      count_rows<T>("dcp, constant time", chaff::dcp{}, classes, 1, gate, {.constant_time_gate = true});
    }
    count_rows<T>("dcp, constant time", chaff::dcp{}, 10, 64, gate, {.constant_time_gate = true});
    count_rows<T>("dcp, max_l1 1", chaff::dcp{}, 1000, 1, gate, {.max_l1 = 1});
    count_rows<T>("dcp, label_margin 0.01", chaff::dcp{}, 1000, 1, gate, {.label_margin = 0.01});
  }
}

void count_parts() {
  const chaff::key key("5468697320697320616e206578616d70");
  const auto one = [](const char* what, const auto& defense, const chaff::policy& policy = {}) {
    count_rows<float>(what, defense, 1000, 1, gate_is::open, policy);
  };
  one("none", chaff::none{});
  one("dcp, exact odds", chaff::dcp{.rule = chaff::odds::exact});
  one("random_vertex", chaff::random_vertex{.key = key});
  one("modelguard_w", chaff::modelguard_w{});
  one("misdirect", chaff::misdirect{.key = key}, {.keep_label = false});
  one("none | top_k", chaff::none{} | chaff::top_k{.k = 5});
  one("none | rounded", chaff::none{} | chaff::rounded{.decimals = 2});
  one("none | label_only", chaff::none{} | chaff::label_only{});
  one("none | high_confidence", chaff::none{} | chaff::high_confidence{.cutoff = 0.25});
  one("none | gaussian_noise", chaff::none{} | chaff::gaussian_noise{.sigma = 0.2, .key = key});
}

/// The parts whose time has an aim, on rows without a tie for the first place, and the other ways to call dcp that do.
void count_parts_with_aims() {
  const chaff::key key("5468697320697320616e206578616d70");
  for (const std::size_t classes : {10u, 1000u}) {
    const auto one = [&](const char* what, const auto& defense, const chaff::policy& policy = {}) {
      count_rows<float>(what, defense, classes, 1, gate_is::absent, policy);
    };
    one("random_vertex", chaff::random_vertex{.key = key});
    one("modelguard_w", chaff::modelguard_w{});
    one("misdirect", chaff::misdirect{.key = key}, {.keep_label = false});
    one("none | top_k 5", chaff::none{} | chaff::top_k{.k = 5});
    one("none | rounded 3", chaff::none{} | chaff::rounded{.decimals = 3});
    one("none | gaussian_noise", chaff::none{} | chaff::gaussian_noise{.sigma = 0.2, .key = key});
  }
  for (const gate_is gate : {gate_is::closed, gate_is::open}) {
    count_rows<float>("dcp as log-probabilities", chaff::dcp{}, 1000, 1, gate,
                      {.answer = chaff::form::log_probabilities});
    const std::string tail = std::string("/") + name_of(gate) + "/float/K:";
    const aligned_vector<float> z = rows_of_logits<float>(1000, 1, gate);
    Eigen::MatrixXf rows = Eigen::MatrixXf::Zero(8, 1000);
    rows.row(3) = Eigen::Map<const Eigen::RowVectorXf>(z.data(), 1000);
    Eigen::RowVectorXf y(1000);
    count("row of a column-major matrix" + tail + "1000/rows:1", [&] { chaff::apply(chaff::dcp{}, rows.row(3), y); });
    std::array<float, 10> few, output;
    std::copy_n(rows_of_logits<float>(10, 1, gate).begin(), 10, few.begin());
    const auto model_with_defense = chaff::defend([&] { return few; }, chaff::dcp{});
    count("dcp through defend" + tail + "10/rows:1", [&] { output = model_with_defense(); });
  }
}

/// Beside the same defense of a known type: what choosing it at run time costs.
void count_from_text() {
  for (const std::size_t classes : {10u, 100u}) {
    count_rows<float>("dcp from text", chaff::parse_defense("dcp"), classes, 1, gate_is::closed);
    count_rows<float>("dcp from text", chaff::parse_defense("dcp"), classes, 1, gate_is::open);
  }
}

void count_int8() {
  static constexpr chaff::int8::dcp open({.input_scale = 0.1f, .tau = 10});
  static constexpr chaff::int8::dcp closed({.input_scale = 0.1f, .tau = 0});
  for (const std::size_t classes : {10u, 1000u}) {
    const aligned_vector<float> z = rows_of_logits<float>(classes, 1, gate_is::open);
    std::vector<std::int8_t> q(classes), codes(classes);
    for (std::size_t i = 0; i < classes; ++i) q[i] = static_cast<std::int8_t>(z[i] * 10);
    const std::string tail = "/int8/K:" + std::to_string(classes) + "/rows:1";
    count("dcp/closed" + tail, [&] { closed(std::span<const std::int8_t>(q), std::span<std::int8_t>(codes)); });
    count("dcp/open" + tail, [&] { open(std::span<const std::int8_t>(q), std::span<std::int8_t>(codes)); });
  }
}

}  // namespace

int main() {
  count_dcp<float>();
  count_dcp<double>();
  count_parts();
  count_parts_with_aims();
  count_from_text();
  count_int8();
}
