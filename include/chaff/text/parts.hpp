// SPDX-License-Identifier: MIT
/// How text names the parts of a defense and a policy, and which of them it may hold.
#ifndef CHAFF_TEXT_PARTS_HPP
#define CHAFF_TEXT_PARTS_HPP

#include "chaff/defenses/dcp.hpp"
#include "chaff/defenses/energy_dcp.hpp"
#include "chaff/defenses/none.hpp"
#include "chaff/perturbations/misdirect.hpp"
#include "chaff/perturbations/modelguard_w.hpp"
#include "chaff/perturbations/random_vertex.hpp"
#include "chaff/reductions/gaussian_noise.hpp"
#include "chaff/reductions/high_confidence.hpp"
#include "chaff/reductions/label_only.hpp"
#include "chaff/reductions/rounded.hpp"
#include "chaff/reductions/top_k.hpp"
#include "chaff/text/parameters.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

template <>
inline constexpr named_value<odds> values_of<odds>[] = {{"clamped", odds::clamped}, {"exact", odds::exact}};

template <>
struct description<none> {
  static constexpr std::string_view name = "none";
  static constexpr std::tuple<> parameters{};
};
template <>
struct description<dcp> {
  static constexpr std::string_view name = "dcp";
  static constexpr std::tuple parameters{parameter{"beta", &dcp::beta}, parameter{"gamma", &dcp::gamma},
                                         parameter{"nu", &dcp::nu}, parameter{"tau", &dcp::tau},
                                         parameter{"rule", &dcp::rule}};
};
template <>
struct description<energy_dcp> {
  static constexpr std::string_view name = "energy_dcp";
  static constexpr std::tuple parameters{parameter{"beta", &energy_dcp::beta}, parameter{"gamma", &energy_dcp::gamma},
                                         parameter{"nu", &energy_dcp::nu}, parameter{"tau", &energy_dcp::tau},
                                         parameter{"rule", &energy_dcp::rule}};
};

template <>
struct description<always> {
  static constexpr std::string_view name = "always";
  static constexpr std::tuple<> parameters{};
};
template <>
struct description<confidence_gate> {
  static constexpr std::string_view name = "confidence_gate";
  static constexpr std::tuple parameters{parameter{"tau", &confidence_gate::tau},
                                         parameter{"nu", &confidence_gate::nu}};
};
template <>
struct description<energy_gate> {
  static constexpr std::string_view name = "energy_gate";
  static constexpr std::tuple parameters{parameter{"tau", &energy_gate::tau}, parameter{"nu", &energy_gate::nu}};
};

template <>
struct description<reverse_sigmoid> {
  static constexpr std::string_view name = "reverse_sigmoid";
  static constexpr std::tuple parameters{parameter{"beta", &reverse_sigmoid::beta},
                                         parameter{"gamma", &reverse_sigmoid::gamma},
                                         parameter{"rule", &reverse_sigmoid::rule}};
};
template <>
struct description<random_vertex> {
  static constexpr std::string_view name = "random_vertex";
  static constexpr std::tuple parameters{parameter{"epsilon", &random_vertex::epsilon},
                                         parameter{"key", &random_vertex::key}};
};
template <>
struct description<modelguard_w> {
  static constexpr std::string_view name = "modelguard_w";
  static constexpr std::tuple parameters{parameter{"epsilon", &modelguard_w::epsilon}};
};
template <>
struct description<misdirect> {
  static constexpr std::string_view name = "misdirect";
  static constexpr std::tuple parameters{parameter{"key", &misdirect::key}};
};

template <>
struct description<top_k> {
  static constexpr std::string_view name = "top_k";
  static constexpr std::tuple parameters{parameter{"k", &top_k::k}};
};
template <>
struct description<rounded> {
  static constexpr std::string_view name = "rounded";
  static constexpr std::tuple parameters{parameter{"decimals", &rounded::decimals}};
};
template <>
struct description<label_only> {
  static constexpr std::string_view name = "label_only";
  static constexpr std::tuple<> parameters{};
};
template <>
struct description<high_confidence> {
  static constexpr std::string_view name = "high_confidence";
  static constexpr std::tuple parameters{parameter{"cutoff", &high_confidence::cutoff}};
};
template <>
struct description<gaussian_noise> {
  static constexpr std::string_view name = "gaussian_noise";
  static constexpr std::tuple parameters{parameter{"sigma", &gaussian_noise::sigma},
                                         parameter{"key", &gaussian_noise::key}};
};

template <>
struct description<policy> {
  static constexpr std::string_view name = "policy";
  static constexpr std::tuple parameters{
      parameter{"keep_label", &policy::keep_label}, parameter{"label_margin", &policy::label_margin},
      parameter{"max_l1", &policy::max_l1},         parameter{"input", &policy::input},
      parameter{"answer", &policy::answer},         parameter{"constant_time_gate", &policy::constant_time_gate},
      parameter{"classes", &policy::classes}};
};

/// Parts that stand in the same place of a text.
template <class... Parts>
struct part_list {
  static std::string names() {
    constexpr std::string_view all[] = {description<Parts>::name...};
    return list_names(sizeof...(Parts), [&](std::size_t i) { return all[i]; });
  }
  static bool contains(std::string_view name) { return ((description<Parts>::name == name) || ...); }
};

using text_gates = part_list<always, confidence_gate, energy_gate>;
using text_perturbations = part_list<reverse_sigmoid, random_vertex, modelguard_w, misdirect>;
using text_defenses = part_list<none, dcp, energy_dcp, reverse_sigmoid, random_vertex, modelguard_w, misdirect>;
using text_reductions = part_list<top_k, rounded, label_only, high_confidence, gaussian_noise>;

/// Why a part of the library cannot stand at this place of a text, or null for any other name.
inline const char* why_not_in_text(std::string_view name) {
  if (text_reductions::contains(name)) return " is a reduction, which follows a defense: none | ..., for example";
  if (name == "adaptive_misinformation" || name == "decoy") {
    return " needs a second model, the decoy, which text cannot hold: make it in C++ and bind it with chaff::defend";
  }
  if (name == "mad" || name == "gradient_redirection") {
    return " needs a surrogate model and the query, which text cannot hold: make it in C++ and bind it with "
           "chaff::defend";
  }
  if (name == "codebook") {
    return " has a table, which text cannot hold: make it in C++ with chaff::codebook_of";
  }
  return nullptr;
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
