// SPDX-License-Identifier: MIT
/// The defenses and attackers of the picture and of its table, and what is recorded of them.
#ifndef CHAFF_BENCHMARKS_STEALING_PICTURED_HPP
#define CHAFF_BENCHMARKS_STEALING_PICTURED_HPP

#include <optional>
#include <string>
#include <vector>

#include "configurations.hpp"

/// The recipe by which the clones of the picture and of the tables were trained.
inline constexpr const char* pictured_training = "long";

/// The settings of the picture, as setting_of writes them.
namespace pictured {
inline constexpr const char *mild_dcp = "dcp(beta=0.9)", *exact_dcp = "dcp(beta=1.5, rule=exact)",
                            *energy = "energy_dcp(beta=1.2), perturbed=0.05",
                            *misinformation = "adaptive_misinformation(tau=0.99)",
                            *modelguard = "modelguard_w(epsilon=1)", *mad = "mad(epsilon=1)",
                            *misdirect = "gated(energy_gate, misdirect), keep_label=false, perturbed=0.01";
}  // namespace pictured

/// A defense of the picture.
struct candidate {
  const char* setting;
  const char* name;
  const char* colour;  ///< of Okabe and Ito's palette, which colour-blind readers tell apart
};
inline constexpr candidate candidates[]{
    {pictured::mild_dcp, "DCP 0.9", "#56B4E9"},        {pictured::exact_dcp, "DCP exact 1.5", "#0072B2"},
    {pictured::energy, "energy DCP 5 %", "#009E73"},   {pictured::misinformation, "misinformation", "#E69F00"},
    {pictured::modelguard, "ModelGuard-W", "#CC79A7"}, {pictured::mad, "MAD", "#D55E00"},
    {pictured::misdirect, "misdirect 1 %", "#000000"}};

/// An attacker of the picture, and the mark of their clones.
struct pictured_attacker {
  const char* attacker;  ///< as in the results
  int mark;              ///< gnuplot's type of point
  double offset;         ///< of the mark from the middle of the bar, in pixels
  const char* text;
};
inline constexpr pictured_attacker pictured_attackers[]{{"naive", 7, 0, "trains on the responses (naive)"},
                                                        {"d_dae", 9, -4, "knows the defense: D-DAE"},
                                                        {"partial_bayes", 5, 4, "knows the defense: partial Bayes"},
                                                        {"label_only", 13, 0, "uses its wrong labels alone"}};

/// What benign users lose under a defense: figures of responses to test images, against those without a defense.
struct cost {
  double l1, ece, points;  ///< mean L1; increase of the expected calibration error; percentage points of accuracy
};

/// The clones that are more accurate; nullptr stands for clones that are not recorded.
inline const row* better_of(const row* one, const row* other) {
  if (one == nullptr || other == nullptr) return one == nullptr ? other : one;
  return one->clone.mean() < other->clone.mean() ? other : one;
}

/// A defense in one scene.
struct bar {
  const candidate* of;
  bool keeps_label;
  cost users;
  std::vector<const row*> clones;  ///< in the order of pictured_attackers; nullptr where they are not recorded

  /// nullptr where neither adaptive attacker is recorded.
  const row* best_adaptive() const { return better_of(clones[1], clones[2]); }
};

/// One scene: what is recorded of it.
struct pictured_scene {
  const row *undefended, *labels;       ///< the clones without a defense, from responses and from labels alone
  const row* best_undefended_adaptive;  ///< nullptr where neither adaptive attacker is recorded
  std::vector<bar> bars;                ///< in the order of candidates, those that are recorded
};

/// Without a value where the clones of the undefended victim are not recorded.
inline std::optional<pictured_scene> scene_of(const std::vector<row>& rows, const scene& where) {
  pictured_scene found{
      find_row(rows, where, "naive", "none"),
      find_row(rows, where, "label_only", "none"),
      better_of(find_row(rows, where, "d_dae", "none"), find_row(rows, where, "partial_bayes", "none")),
      {}};
  if (found.undefended == nullptr || found.labels == nullptr) return std::nullopt;
  for (const candidate& each : candidates) {
    const row* const naive = find_row(rows, where, "naive", each.setting);
    if (naive == nullptr) continue;
    bar one{&each,
            naive->first.policy.empty(),
            {naive->l1.mean(), naive->ece.mean() - found.undefended->ece.mean(), 100 * naive->lost.mean()},
            {naive}};
    for (const char* attacker : {"d_dae", "partial_bayes", "label_only"}) {
      const bool is_shared = std::string(attacker) == "label_only" && one.keeps_label;
      one.clones.push_back(is_shared ? nullptr : find_row(rows, where, attacker, each.setting));
    }
    found.bars.push_back(one);
  }
  return found;
}

#endif
