// SPDX-License-Identifier: MIT
/// One translation unit of a program whose units are compiled with different flags. ROLE chooses its defenses; the two
/// roles have parts in common. One role has a defense of text too, unless WITHOUT_TEXT is defined.
#include "unit.hpp"

#include <chaff/any_defense.hpp>
#include <chaff/apply.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/energy_dcp.hpp>
#include <chaff/perturbations/random_vertex.hpp>
#include <chaff/reductions/gaussian_noise.hpp>
#include <chaff/reductions/rounded.hpp>
#include <chaff/reductions/top_k.hpp>

#include <cstring>
#include <limits>
#include <vector>

namespace {

std::uint64_t digest_of(std::uint64_t digest, const auto& output) {
  for (const auto y : output) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &y, sizeof y);
    digest = (digest ^ bits) * 0x100000001b3u;
  }
  return digest;
}

/// Batches of few and of many classes, under the policy of the caller and with a margin and a budget.
template <class T>
std::uint64_t digest_of_outputs(std::uint64_t digest, const auto& defense, const unit_input& input) {
  chaff::policy bounded = input.policy;
  bounded.label_margin = 0.02;
  bounded.max_l1 = 0.5;
  for (const std::size_t classes : {1u, 3u, 10u, 200u}) {
    const std::size_t size = input.logits.size() / classes * classes;
    const std::vector<T> z(input.logits.begin(), input.logits.begin() + static_cast<std::ptrdiff_t>(size));
    std::vector<T> y(size);
    chaff::apply_rows(defense, z, classes, y, input.policy);
    digest = digest_of(digest, y);
    chaff::apply_rows(defense, z, classes, y, bounded);
    digest = digest_of(digest, y);
  }
  return digest;
}

}  // namespace

unit_result ROLE(const unit_input& input) {
  const chaff::key key("000102030405060708090a0b0c0d0e0f");
  std::uint64_t digest = digest_of_outputs<float>(0xcbf29ce484222325u, input.defense, input);
  digest = digest_of_outputs<double>(digest, input.defense, input);
#if ROLE_NUMBER == 1
  digest = digest_of_outputs<float>(digest, chaff::energy_dcp{.tau = 3.0} | chaff::top_k{.k = 2}, input);
  digest = digest_of_outputs<float>(digest, chaff::random_vertex{.key = key}, input);
#if !defined(WITHOUT_TEXT)  // what text may describe takes a compiler long
  const auto from_text = chaff::parse_defense(
      "gated(confidence_gate(tau=0.8), random_vertex(key=000102030405060708090a0b0c0d0e0f)) | top_k(k=3)");
  digest = digest_of_outputs<float>(digest, from_text, input);
#endif
  digest = digest_of_outputs<double>(digest, chaff::any_defense(input.defense), input);
#else
  const chaff::gated parts{chaff::confidence_gate{.tau = 0.8}, chaff::reverse_sigmoid{.beta = 1.2}};
  digest = digest_of_outputs<float>(digest, parts, input);
  digest = digest_of_outputs<double>(digest, parts, input);
  digest =
      digest_of_outputs<float>(digest, chaff::random_vertex{.key = key} | chaff::gaussian_noise{.key = key}, input);
  digest = digest_of_outputs<float>(digest, parts | chaff::rounded{.decimals = 2}, input);
#endif
  bool is_caught = false;
#if defined(__cpp_exceptions)
  std::vector<float> bad{1, std::numeric_limits<float>::quiet_NaN()}, y(2);
  try {
    chaff::apply(input.defense, bad, y);
  } catch (const std::domain_error&) {
    is_caught = true;
  }
#else
  is_caught = true;  // nothing to be caught in this unit
#endif
  return {digest, is_caught};
}
