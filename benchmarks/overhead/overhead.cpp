// SPDX-License-Identifier: MIT
/// The cost of an answer relative to a plain softmax, for every defense and reduction, K, rows, types, gates and
/// containers.
///
/// overhead [--quick] [--aims] [--csv FILE] [options of Google Benchmark]
/// --quick runs each for a moment only, no batch of more than 2^18 numbers, and --aims those that have aims; --csv
/// appends the medians to FILE. Exits with 0 whatever the ratios are: the aims are printed beside them, and the guard
/// is the count of instructions.
#include <array>
#include <chaff/chaff.hpp>
#include <chaff/int8/dcp.hpp>
#include <chaff/int8/softmax.hpp>
#include <cstdio>
#include <cstring>
#include <string>

#include "report.hpp"
#include "rows.hpp"
#include "side_by_side.hpp"

namespace {

constexpr std::size_t all_classes[] = {2, 10, 100, 1000, 21843, 131072};
std::size_t max_numbers = std::size_t{1} << 22;  // 16 MB of float; larger batches would measure memory alone
double seconds_each = 0.03;

const chaff::key key("5468697320697320616e206578616d70");

template <class Body>
void add(const std::string& name, Body body) {
  benchmark::RegisterBenchmark(name.c_str(), body)
      ->UseManualTime()
      ->MinTime(seconds_each)
      ->Unit(benchmark::kMicrosecond);
}

template <class T>
const char* type_name() {
  return std::is_same_v<T, float> ? "float" : "double";
}

/// The answers of `rows` rows in one call, and as many plain softmaxes.
template <class T, class Defense>
void add_rows(const std::string& name, const Defense& defense, std::size_t classes, std::size_t rows, gate_is gate,
              const chaff::policy& policy = {}) {
  if (classes * rows > max_numbers) return;
  const std::string full = name + "/" + name_of(gate) + "/" + type_name<T>() + "/K:" + std::to_string(classes) +
                           "/rows:" + std::to_string(rows);
  add(full, [=](benchmark::State& state) {
    const aligned_vector<T> z = rows_of_logits<T>(classes, rows, gate);
    aligned_vector<T> y(rows * classes);
    const std::size_t starts = z.size() / classes - rows + 1;
    side_by_side(
        state, rows * classes,
        [&](std::size_t turn) {
          const std::span<const T> from = std::span<const T>(z).subspan(turn % starts * classes, rows * classes);
          if (rows == 1) {
            chaff::apply(defense, from, std::span<T>(y), policy);
          } else {
            chaff::apply_rows(defense, from, classes, std::span<T>(y), policy);
          }
        },
        [&](std::size_t turn) {
          const T* from = z.data() + turn % starts * classes;
          for (std::size_t r = 0; r < rows; ++r) plain_softmax(from + r * classes, y.data() + r * classes, classes);
        });
  });
}

/// Every part, one row at each K, and a batch of 64; the reductions on an undefended answer.
void add_every_part() {
  const chaff::policy relabel{.keep_label = false};
  for (const std::size_t classes : all_classes) {
    for (const std::size_t rows : {std::size_t{1}, std::size_t{64}}) {
      const auto one = [&](const char* name, const auto& defense, const chaff::policy& policy = {}) {
        add_rows<float>(name, defense, classes, rows, gate_is::open, policy);
      };
      one("none", chaff::none{});
      one("reverse_sigmoid", chaff::reverse_sigmoid{});
      one("dcp, exact odds", chaff::dcp{.rule = chaff::odds::exact});
      one("dcp, max_l1 1", chaff::dcp{}, {.max_l1 = 1});
      one("dcp, label_margin 0.01", chaff::dcp{}, {.label_margin = 0.01});
      one("energy_gate, reverse_sigmoid", chaff::gated{chaff::energy_gate{.tau = 1e6}, chaff::reverse_sigmoid{}});
      one("dcp from text", chaff::parse_defense("dcp"));
      one("energy_gate, reverse_sigmoid from text",
          chaff::parse_defense("gated(energy_gate(tau=1e6), reverse_sigmoid)"));
      one("random_vertex", chaff::random_vertex{.key = key});
      one("modelguard_w", chaff::modelguard_w{});
      one("misdirect", chaff::misdirect{.key = key}, relabel);
      one("none | top_k", chaff::none{} | chaff::top_k{.k = 5});
      one("none | rounded", chaff::none{} | chaff::rounded{.decimals = 2});
      one("none | label_only", chaff::none{} | chaff::label_only{});
      one("none | high_confidence", chaff::none{} | chaff::high_confidence{.cutoff = 0.25});
      one("none | gaussian_noise", chaff::none{} | chaff::gaussian_noise{.sigma = 0.2, .key = key});
    }
  }
}

/// The parts that need the query, bound to a model whose logits are the query: what the defense costs, not the model,
/// the decoy or the surrogate.
void add_parts_on_queries() {
  const auto model = [](const Eigen::VectorXf& x) { return x; };
  const auto other = [](const Eigen::VectorXf& x) -> Eigen::VectorXf { return -x; };
  const auto gradients = [](const Eigen::VectorXf& x) -> Eigen::MatrixXf { return x * Eigen::RowVectorXf::Ones(16); };
  for (const std::size_t classes : all_classes) {
    const auto one = [&](const char* name, const auto& defense) {
      const auto model_with_defense = chaff::defend(model, defense);
      add(std::string(name) + "/open/float/K:" + std::to_string(classes) + "/rows:1", [=](benchmark::State& state) {
        const aligned_vector<float> z = rows_of_logits<float>(classes, 1, gate_is::open);
        const Eigen::VectorXf query = Eigen::Map<const Eigen::VectorXf>(z.data(), static_cast<Eigen::Index>(classes));
        Eigen::VectorXf y(query.size());
        side_by_side(
            state, classes, [&](std::size_t) { y = model_with_defense(query); },
            [&](std::size_t) { plain_softmax(query.data(), y.data(), classes); });
      });
    };
    one("decoy", chaff::decoy{other});
    one("adaptive_misinformation", chaff::adaptive_misinformation(other));
    one("mad, last layer", chaff::mad{chaff::last_layer{other}});
    if (classes <= 1000) one("mad, jacobian of 16", chaff::mad{chaff::jacobian{gradients}});
    if (classes <= 1000) {
      one("gradient_redirection, jacobian of 16", chaff::gradient_redirection{chaff::jacobian{gradients}});
    }
    one("gradient_redirection", chaff::gradient_redirection{chaff::redirection{other}});
  }
}

/// One row in other memory, beside the same row as spans: here `ratio` is to the contiguous case, not to a softmax.
template <class Container>
void add_container(const std::string& name, gate_is gate, std::size_t classes, Container container) {
  add(name + "/" + name_of(gate) + "/float/K:" + std::to_string(classes), [=](benchmark::State& state) {
    const aligned_vector<float> z = rows_of_logits<float>(classes, 1, gate);
    aligned_vector<float> y(classes);
    auto call = container(z);
    side_by_side(state, classes, call, [&](std::size_t) {
      chaff::apply(chaff::dcp{}, std::span<const float>(z).first(classes), std::span<float>(y));
    });
  });
}

void add_containers() {
  using matrix = Eigen::MatrixXf;
  for (const gate_is gate : {gate_is::closed, gate_is::open}) {
    for (const std::size_t classes : {std::size_t{100}, std::size_t{1000}, std::size_t{21843}}) {
      const auto size = static_cast<Eigen::Index>(classes);
      add_container("std::vector", gate, classes, [=](const aligned_vector<float>& z) {
        return [row = std::vector<float>(z.begin(), z.begin() + size),
                y = std::vector<float>(classes)](std::size_t) mutable { chaff::apply(chaff::dcp{}, row, y); };
      });
      add_container("Eigen vector", gate, classes, [=](const aligned_vector<float>& z) {
        return [row = Eigen::VectorXf(Eigen::Map<const Eigen::VectorXf>(z.data(), size)),
                y = Eigen::VectorXf(size)](std::size_t) mutable { y = chaff::apply(chaff::dcp{}, row); };
      });
      add_container("row of a column-major matrix", gate, classes, [=](const aligned_vector<float>& z) {
        matrix rows = matrix::Zero(8, size);
        rows.row(3) = Eigen::Map<const Eigen::RowVectorXf>(z.data(), size);
        return
            [rows, y = Eigen::RowVectorXf(size)](std::size_t) mutable { y = chaff::apply(chaff::dcp{}, rows.row(3)); };
      });
      add_container("defend, std::vector", gate, classes, [=](const aligned_vector<float>& z) {
        return [model_with_defense = chaff::defend([](const std::vector<float>& row) { return row; }, chaff::dcp{}),
                row = std::vector<float>(z.begin(), z.begin() + size),
                y = std::vector<float>(classes)](std::size_t) mutable { y = model_with_defense(row); };
      });
    }
  }
}

/// Eight rows of a wider row-major matrix, beside eight rows without a gap.
void add_strided_blocks() {
  using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  for (const gate_is gate : {gate_is::closed, gate_is::open}) {
    for (const std::size_t classes : {std::size_t{100}, std::size_t{1000}, std::size_t{21843}}) {
      add("strided block/" + std::string(name_of(gate)) + "/float/K:" + std::to_string(classes) + "/rows:8",
          [=](benchmark::State& state) {
            const auto size = static_cast<Eigen::Index>(classes);
            const aligned_vector<float> z = rows_of_logits<float>(classes, 8, gate);
            matrix wide = matrix::Zero(8, size + 4), y(8, size);
            wide.block(0, 2, 8, size) = Eigen::Map<const matrix>(z.data(), 8, size);
            side_by_side(
                state, 8 * classes, [&](std::size_t) { y = chaff::apply(chaff::dcp{}, wide.block(0, 2, 8, size)); },
                [&](std::size_t) {
                  chaff::apply_rows(chaff::dcp{}, std::span<const float>(z).first(8 * classes), classes,
                                    std::span<float>(y.data(), 8 * classes));
                });
          });
    }
  }
}

/// int8 logits to int8 codes, beside the float softmax of as many classes.
void add_int8() {
  static constexpr chaff::int8::dcp always_open({.input_scale = 0.1f, .tau = 10});
  static constexpr chaff::int8::dcp always_closed({.input_scale = 0.1f, .tau = 0});
  static constexpr chaff::int8::softmax undefended(0.1f);
  for (const std::size_t classes :
       {std::size_t{2}, std::size_t{10}, std::size_t{100}, std::size_t{1000}, std::size_t{21843}}) {
    const auto one = [&](const std::string& name, const auto& answer) {
      add(name + "/int8/K:" + std::to_string(classes) + "/rows:1", [=, &answer](benchmark::State& state) {
        const aligned_vector<float> z = rows_of_logits<float>(classes, 1, gate_is::open);
        std::vector<std::int8_t> q(classes), codes(classes);
        for (std::size_t i = 0; i < classes; ++i) q[i] = static_cast<std::int8_t>(z[i] * 10);
        aligned_vector<float> y(classes);
        side_by_side(
            state, classes,
            [&](std::size_t) { answer(std::span<const std::int8_t>(q), std::span<std::int8_t>(codes)); },
            [&](std::size_t) { plain_softmax(z.data(), y.data(), classes); });
      });
    };
    one("softmax/none", undefended);
    one("dcp/closed", always_closed);
    one("dcp/open", always_open);
  }
}

/// A row of ten classes through defend: parameters are checked and prepared when the defense is bound.
void add_defended(gate_is gate) {
  using row = std::array<float, 10>;
  add(std::string("dcp through defend/") + name_of(gate) + "/float/K:10/rows:1", [=](benchmark::State& state) {
    const aligned_vector<float> z = rows_of_logits<float>(10, 1, gate);
    const auto model = [&](std::size_t turn) {
      row logits;
      std::copy_n(z.data() + turn % (z.size() / 10) * 10, 10, logits.begin());
      return logits;
    };
    const auto model_with_defense = chaff::defend(model, chaff::dcp{});
    row y;
    side_by_side(
        state, 10, [&](std::size_t turn) { y = model_with_defense(turn); },
        [&](std::size_t turn) {
          y = model(turn);
          plain_softmax(y.data(), y.data(), 10);
        });
  });
}

/// What has an aim, but for dcp itself and the containers: parts on rows without a tie for the first place.
void add_parts_with_aims() {
  const chaff::policy relabel{.keep_label = false};
  for (const std::size_t classes : {std::size_t{10}, std::size_t{100}, std::size_t{1000}}) {
    const auto one = [&](const char* name, const auto& defense, const chaff::policy& policy = {}) {
      add_rows<float>(name, defense, classes, 1, gate_is::absent, policy);
    };
    add_rows<float>("dcp as log-probabilities", chaff::dcp{}, classes, 1, gate_is::open,
                    {.answer = chaff::form::log_probabilities});
    one("none | top_k 5", chaff::none{} | chaff::top_k{.k = 5});
    one("none | rounded 3", chaff::none{} | chaff::rounded{.decimals = 3});
    one("none | gaussian_noise", chaff::none{} | chaff::gaussian_noise{.sigma = 0.2, .key = key});
    one("misdirect", chaff::misdirect{.key = key}, relabel);
    one("modelguard_w", chaff::modelguard_w{});
    one("random_vertex", chaff::random_vertex{.key = key});
  }
  add_defended(gate_is::closed);
  add_defended(gate_is::open);
}

template <class T>
void add_dcp() {
  for (const std::size_t classes : all_classes) {
    for (const std::size_t rows : {1u, 8u, 64u, 1024u}) {
      for (const gate_is gate : all_gates) add_rows<T>("dcp", chaff::dcp{}, classes, rows, gate);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  std::string csv;
  bool only_aims = false;
  std::vector<char*> others;
  for (int i = 0; i < count; ++i) {
    if (std::strcmp(arguments[i], "--quick") == 0) {
      seconds_each = 1e-5;
      max_numbers = std::size_t{1} << 18;  // to draw more of them takes longer than all else
    } else if (std::strcmp(arguments[i], "--aims") == 0) {
      only_aims = true;
    } else if (std::strcmp(arguments[i], "--csv") == 0 && i + 1 < count) {
      csv = arguments[++i];
    } else {
      others.push_back(arguments[i]);
    }
  }
  // the sizes that have aims, and those between
  add_rows<float>("dcp", chaff::dcp{}, 20000, 1, gate_is::closed);
  add_rows<float>("dcp", chaff::dcp{}, 20000, 1, gate_is::open);
  add_parts_with_aims();
  add_containers();
  if (only_aims) {
    for (const gate_is gate : {gate_is::closed, gate_is::open}) {
      for (const std::size_t classes : {10u, 100u, 1000u}) add_rows<float>("dcp", chaff::dcp{}, classes, 1, gate);
      add_rows<float>("dcp", chaff::dcp{}, 10, 64, gate);
    }
  } else {
    add_dcp<float>();
    add_dcp<double>();
    add_strided_blocks();
    add_int8();
    add_every_part();
    add_parts_on_queries();
  }
  int left = static_cast<int>(others.size());
  benchmark::Initialize(&left, others.data());
  if (benchmark::ReportUnrecognizedArguments(left, others.data())) return 2;
  overhead_report report(csv);
  benchmark::RunSpecifiedBenchmarks(&report);
  return report.finish() ? 0 : 1;
}
