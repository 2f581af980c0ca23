// SPDX-License-Identifier: MIT
/// Rows of float answered by chaff, Eigen, libtorch, XNNPACK and ONNX Runtime, on one thread, by turns in one run; and
/// how far each is from what the exponentials and memory allow.
///
/// peers [--quick] [--csv FILE]
/// Before anything is timed, each output is compared with the formula in long double. --quick stops soon after.
#include <malloc.h>

#include <chaff/chaff.hpp>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>

#include "by_turns.hpp"
#include "limits.hpp"
#include "peer_libraries.hpp"
#include "rows.hpp"
#include "side_by_side.hpp"
#include "support/reference.hpp"

namespace {

struct shape {
  std::size_t rows, classes;
};
constexpr shape shapes[] = {{1, 10}, {64, 10}, {1, 100}, {1, 1000}, {64, 1000}, {1, 32000}, {1, 131072}};

using answer_of_row = std::function<std::vector<reference::real>(const std::vector<float>&)>;

/// A contestant that answers rows, and what it should answer.
struct answering {
  contestant timed;
  const float* logits;
  answer_of_row expected;
  double bytes_class = 0;  ///< what it reads and writes a class; 0 where that is not known
};

/// The published formula, then the library's rule: no class has more than 63/64 of the label's probability.
std::vector<reference::real> dcp_with_label_cap(const std::vector<float>& row) {
  std::vector<reference::real> y = reference::dcp(row, chaff::dcp{});
  const reference::real label = y[reference::argmax(row)];
  for (reference::real& value : y) value = std::min(value, label * 63 / 64);
  y[reference::argmax(row)] = label;
  const reference::real sum = std::accumulate(y.begin(), y.end(), reference::real(0));
  for (reference::real& value : y) value /= sum;
  return y;
}

/// Rows of one shape, and everything that answers them: into the same memory, so that caches serve all alike.
class contest {
 public:
  explicit contest(const shape& shape)
      : shape_(shape), open_(make_rows(gate_is::open)), closed_(make_rows(gate_is::closed)), output_(size()) {
    const answer_of_row softmax = [](const std::vector<float>& row) { return reference::softmax(row); };
    const bool by_row = shape_.rows == 1 || shape_.classes >= 1000;  // otherwise lanes are rows, in registers
    const double closed = by_row ? closed_bytes(shape_.classes) : 0, open = by_row ? open_bytes(shape_.classes) : 0;
    add("Eigen softmax", open_, softmax, eigen_bytes, [this](const float* from) {
      for (std::size_t r = 0; r < shape_.rows; ++r) {
        plain_softmax(from + r * shape_.classes, output_.data() + r * shape_.classes, shape_.classes);
      }
    });
    add_defense("chaff none", open_, softmax, closed, chaff::none{});
    add_defense("chaff dcp closed", closed_, softmax, closed, chaff::dcp{});
    add_defense("chaff dcp open", open_, dcp_with_label_cap, open, chaff::dcp{});
    add_peer("libtorch softmax", softmax, [](const batch& batch) { return libtorch_softmax(batch); });
    add_peer("XNNPACK softmax", softmax, [](const batch& batch) { return xnnpack_softmax(batch); });
    const std::shared_ptr<Ort::Session> session = onnxruntime_session(shape_.rows, shape_.classes);
    add_peer("ONNX Runtime softmax", softmax, [&](const batch& batch) { return onnxruntime_softmax(session, batch); });
    add_peer(
        "libtorch dcp", [](const std::vector<float>& row) { return reference::dcp(row, chaff::dcp{}); },
        [](const batch& batch) { return libtorch_dcp(batch); });
  }
  contest(const contest&) = delete;  // the contestants hold on to its memory
  contest& operator=(const contest&) = delete;

  /// Whether each output is within 1e-5 of its row's largest probability from the formula.
  bool check() {
    bool all_right = true;
    for (answering& each : answering_) {
      std::fill(output_.begin(), output_.end(), std::nanf(""));
      each.timed.seconds_of(1);
      double largest = 0;
      for (std::size_t first = 0; first < size(); first += shape_.classes) {
        const std::vector<float> row(each.logits + first, each.logits + first + shape_.classes);
        const std::vector<reference::real> expected = each.expected(row);
        const reference::real top = *std::max_element(expected.begin(), expected.end());
        for (std::size_t i = 0; i < shape_.classes; ++i) {
          const double error = static_cast<double>(std::fabs(output_[first + i] - expected[i]) / top);
          largest = error <= largest ? largest : error;  // NaN too
        }
      }
      if (largest <= 1e-5) continue;
      std::fprintf(stderr, "peers: %s, %zu x %zu: off by %g of the largest probability\n", each.timed.name.c_str(),
                   shape_.rows, shape_.classes, largest);
      all_right = false;
    }
    return all_right;
  }

  /// Times everything, prints it, and appends it to the CSV if there is one.
  void run(double seconds, std::FILE* csv) {
    const float top = *std::max_element(open_.begin(), open_.end());
    std::vector<contestant> all;
    for (const answering& each : answering_) all.push_back(each.timed);
    all.push_back(make_contestant("exponentials alone",
                                  [this, top](std::size_t) { compute_exponentials(open_.data(), size(), top); }));
    all.push_back(make_contestant("copy", [this](std::size_t turn) {
      std::memcpy(output_.data(), open_.data() + start_of(turn), size() * sizeof(float));
    }));
    all.push_back(make_contestant("1000 cycles", [](std::size_t) { spend_1000_cycles(); }));
    time_by_turns(all, seconds);

    const contestant& clock = all.back();
    const double numbers = static_cast<double>(size());
    std::printf("\n%zu x %zu, %zu turns, %.2f GHz%*s %12s %9s %7s %9s %7s\n", shape_.rows, shape_.classes,
                clock.ns.size(), 1000 / median(clock.ns), 4, "", "ns", "ns/class", "ratio", "cycles", "GB/s");
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
      const double ns = median(all[i].ns), ratio = median_ratio(all[i], all[0]);
      const double cycles = median_ratio(all[i], clock) * 1000 / numbers;
      const double bytes = all[i].name == "copy" ? copy_bytes : i < answering_.size() ? answering_[i].bytes_class : 0;
      std::printf("%-36s %12.1f %9.3f %7.2f %9.3f", all[i].name.c_str(), ns, ns / numbers, ratio, cycles);
      std::printf(bytes > 0 ? " %7.1f\n" : "\n", bytes * numbers / ns);
      if (csv == nullptr) continue;
      std::fprintf(csv, "%zu;%zu;%s;%.1f;%.4f;%.3f;%.3f;", shape_.rows, shape_.classes, all[i].name.c_str(), ns,
                   ns / numbers, ratio, cycles);
      std::fprintf(csv, bytes > 0 ? "%.1f\n" : "\n", bytes * numbers / ns);
    }
    std::fflush(stdout);
  }

 private:
  std::size_t size() const { return shape_.rows * shape_.classes; }
  std::size_t starts() const { return (open_.size() - padding) / shape_.classes - shape_.rows + 1; }
  std::size_t start_of(std::size_t turn) const { return turn % starts() * shape_.classes; }

  /// Rows, and as much memory behind them as XNNPACK and a vector may read.
  aligned_vector<float> make_rows(gate_is gate) const {
    aligned_vector<float> rows = rows_of_logits<float>(shape_.classes, shape_.rows, gate);
    rows.resize(rows.size() + padding);
    return rows;
  }

  template <class Answer>
  void add(const char* name, const aligned_vector<float>& rows, answer_of_row expected, double bytes, Answer answer) {
    const float* const first = rows.data();
    auto call = [this, first, answer](std::size_t turn) { answer(first + start_of(turn)); };
    answering_.push_back({make_contestant(name, call), first, std::move(expected), bytes});
  }

  template <class Defense>
  void add_defense(const char* name, const aligned_vector<float>& rows, answer_of_row expected, double bytes,
                   const Defense& defense) {
    add(name, rows, std::move(expected), bytes, [this, defense](const float* from) {
      if (shape_.rows == 1) {
        chaff::apply(defense, std::span<const float>(from, size()), std::span<float>(output_));
      } else {
        chaff::apply_rows(defense, std::span<const float>(from, size()), shape_.classes, std::span<float>(output_));
      }
    });
  }

  /// A peer is made once for each place where its rows may begin.
  template <class Make>
  void add_peer(const char* name, answer_of_row expected, Make make) {
    std::vector<decltype(make(batch{}))> calls;
    for (std::size_t start = 0; start < starts(); ++start) {
      calls.push_back(make({open_.data() + start_of(start), output_.data(), shape_.rows, shape_.classes}));
    }
    auto call = [this, calls](std::size_t turn) mutable { calls[turn % calls.size()](); };
    answering_.push_back({make_contestant(name, call), open_.data(), std::move(expected)});
  }

  static constexpr std::size_t padding = 16;
  shape shape_;
  aligned_vector<float> open_, closed_, output_;
  std::vector<answering> answering_;
};

int run(int count, char** arguments) {
  double seconds = 4;
  const char* csv_name = nullptr;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--quick") == 0) {
      seconds = 1e-3;
    } else if (std::strcmp(arguments[i], "--csv") == 0 && i + 1 < count) {
      csv_name = arguments[++i];
    } else {
      std::fprintf(stderr, "usage: peers [--quick] [--csv FILE]\n");
      return 2;
    }
  }
  // freed memory stays with the program, where libtorch's intermediate tensors find it again without page faults
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  at::set_num_threads(1);
  at::set_num_interop_threads(1);
  const c10::InferenceMode no_gradients;
  std::FILE* const csv = csv_name == nullptr ? nullptr : std::fopen(csv_name, "a");
  if (csv_name != nullptr && csv == nullptr) throw std::runtime_error(std::string("peers: cannot write ") + csv_name);
  if (csv != nullptr) std::fputs("rows;classes;name;ns;ns_class;ratio;cycles_class;gb_s\n", csv);
  std::printf("built with %s; libtorch %s, ONNX Runtime %s\n", CHAFF_BENCHMARK_FLAGS, TORCH_VERSION,
              Ort::GetVersionString().c_str());
  for (const shape& each : shapes) {
    contest rows(each);
    if (!rows.check()) return 1;
    rows.run(seconds, csv);
  }
  return csv == nullptr || std::fclose(csv) == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
