// SPDX-License-Identifier: MIT
/// Prints digests of the outputs for many rows, a line for each defense and element type: the same bits give the same
/// lines on any processor. It needs neither exceptions nor GoogleTest, and no function of <cmath> whose bits are a
/// library's choice.
#include <bit>
#include <cstdint>
#include <cstdio>

#include "int8/digest.hpp"
#include "support/every_defense.hpp"

namespace {

/// FNV-1a over the bits of numbers, the lowest byte first on any machine.
class bits_digest {
 public:
  template <class T>
  void add(std::span<const T> output) {
    using bits = std::make_unsigned_t<chaff::simd::int_of<T>>;
    for (const T each : output) {
      const auto of_each = std::bit_cast<bits>(each);
      for (unsigned shift = 0; shift < 8 * sizeof(bits); shift += 8) {
        hash_ = (hash_ ^ (of_each >> shift & 0xff)) * 0x100000001b3u;
      }
    }
  }

  void print(const char* type, const char* name) const {
    std::printf("%08lx%08lx %s, %s\n", static_cast<unsigned long>(hash_ >> 32),
                static_cast<unsigned long>(hash_ & 0xffffffffu), type, name);
  }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

/// Four rows of logits, or of probabilities: wide or narrow, the second with a masked class, the third with a tie.
template <class T>
std::vector<T> make_rows(std::size_t classes, chaff::form input) {
  numbers random{static_cast<std::uint32_t>(classes) * 2654435761u + 1};
  std::vector<T> rows(4 * classes);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const T unit = i / classes % 2 == 0 ? T(0x1p-28) : T(0x1p-30);
    rows[i] = static_cast<T>(static_cast<std::int32_t>(random())) * unit;
  }
  if (classes > 2) {
    rows[classes + classes / 2] = -std::numeric_limits<T>::infinity();
    rows[2 * classes] = rows[2 * classes + 1] = T(9);
  }
  if (input == chaff::form::probabilities) {
    std::vector<T> p(rows.size());
    chaff::apply_rows(chaff::none{}, rows, classes, p);
    return p;
  }
  return rows;
}

/// Calls visit(policy, name) for policies that reach every stage.
template <class Visit>
void for_each_policy(Visit visit) {
  visit(chaff::policy{});
  visit(chaff::policy{.label_margin = 0.011});
  visit(chaff::policy{.max_l1 = 0.3});
  visit(chaff::policy{.label_margin = 0.2, .max_l1 = 0.1, .constant_time_gate = true});
}

constexpr std::size_t row_lengths[] = {2, 3, 7, 10, 17, 32, 33, 64, 100, 257, 1000};

template <class T, class Defense>
void print_digest(const char* type, const char* name, const Defense& defense, chaff::policy policy) {
  bits_digest digest;
  for (const std::size_t classes : row_lengths) {
    const std::vector<T> rows = make_rows<T>(classes, policy.input);
    policy.classes = classes;
    if constexpr (chaff::Defense<Defense, T>) {
      std::vector<T> output(rows.size());
      chaff::apply_rows(defense, rows, classes, output, policy);
      digest.add<T>(output);
    } else {
      digest.add<T>(chaff::defend([](const std::vector<T>& query) { return query; }, defense, policy)(rows));
    }
  }
  digest.print(type, name);
}

/// A decoy or a surrogate's numbers, made of the query.
struct per_class {
  std::size_t count;

  template <class T>
  std::vector<T> operator()(const std::vector<T>& query) const {
    std::vector<T> numbers_of_classes;
    for (const T value : query) {
      const T finite = value > T(-1e30) ? value : T(0);
      for (std::size_t j = 0; j < count; ++j) {
        numbers_of_classes.push_back(finite * static_cast<T>(j) - T(0.25) * static_cast<T>(j * j) - finite / 2);
      }
    }
    return numbers_of_classes;
  }
};

template <class T>
void print_digests(const char* type) {
  const auto print = [type](const auto& defense, const char* name) {
    for_each_policy([&](chaff::policy policy) { print_digest<T>(type, name, defense, policy); });
  };
  for_each_row_defense(print);
  print(chaff::decoy{per_class{1}}, "decoy");
  print(chaff::mad{chaff::last_layer{per_class{1}}, 1.0}, "mad, last layer");
  print(chaff::mad{chaff::jacobian{per_class{3}}, 0.5}, "mad, jacobian");
  print(chaff::gradient_redirection{chaff::redirection{per_class{1}}, 1.0}, "gradient_redirection");
  print(chaff::gradient_redirection{chaff::jacobian{per_class{3}}, 2.0}, "gradient_redirection, jacobian");
  const chaff::policy changing{.keep_label = false};
  print_digest<T>(type, "misdirect", chaff::misdirect{.key = test_key}, changing);
  const chaff::policy given_probabilities{.input = chaff::form::probabilities};
  print_digest<T>(type, "dcp, given probabilities", chaff::dcp{.beta = 1.2}, given_probabilities);
  const chaff::policy as_logarithms{.answer = chaff::form::log_probabilities};
  print_digest<T>(type, "dcp, as logarithms", chaff::dcp{}, as_logarithms);
  for_each_reduction([type](const auto& reduction, const char* name) {
    print_digest<T>(type, name, chaff::dcp{.beta = 1.2} | reduction, {});
    print_digest<T>(type, name, chaff::none{} | reduction, {.label_margin = 0.011});
  });
}

}  // namespace

int main() {
  print_digests<float>("float");
  print_digests<double>("double");
  const std::uint64_t of_int8 = digest_of(400);
  std::printf("%08lx%08lx int8\n", static_cast<unsigned long>(of_int8 >> 32),
              static_cast<unsigned long>(of_int8 & 0xffffffffu));
}
