// SPDX-License-Identifier: MIT
/// The table by which to choose a defense, of the figures of the picture, and what follows from it.
#ifndef CHAFF_BENCHMARKS_STEALING_DECISION_HPP
#define CHAFF_BENCHMARKS_STEALING_DECISION_HPP

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "pictured.hpp"

/// Which defense to use: one defense a line, and sentences whose figures are those of the table.
class decision {
 public:
  explicit decision(const std::vector<row>& rows) {
    for (const scene& where : scenes) {
      std::optional<pictured_scene> found = scene_of(rows, where);
      if (!found) throw std::runtime_error(std::string("no clones of the undefended victim ") + where.victim);
      found_.push_back(*found);
    }
  }

  std::string text() const {
    std::string all =
        "| defense | L1 | ECE | accuracy, points | clone, MNIST | clone, Fashion-MNIST | clone, glyphs |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n";
    for (const candidate& each : candidates) all += line_of(each);
    all += "| `none` | 0 | 0 | 0 |";
    for (const pictured_scene& where : found_) {
      all += ' ';
      all += per_cent(where.undefended) + " / " + per_cent(where.best_undefended_adaptive) + " / " +
             per_cent(where.labels) + " |";
    }
    return all + "\n\n" + sentences();
  }

 private:
  enum place { mnist, fashion, glyphs };  // in the order of scenes

  const bar* find(std::size_t where, const std::string& setting) const {
    for (const bar& one : found_[where].bars) {
      if (one.of->setting == setting) return &one;
    }
    return nullptr;
  }

  static std::string per_cent(const row* clone) { return clone == nullptr ? "-" : ::per_cent(*clone); }

  const row* labels_of(std::size_t where, const bar& one) const {
    return one.keeps_label ? found_[where].labels : one.clones[3];
  }

  /// Empty where the defense is not recorded in any scene.
  std::string line_of(const candidate& each) const {
    std::string l1, ece, points, clones;
    bool is_recorded = false;
    for (std::size_t where = 0; where < found_.size(); ++where) {
      const bar* const one = find(where, each.setting);
      is_recorded |= one != nullptr;
      const char* const next = where == 0 ? "" : " / ";
      l1 += next + (one == nullptr ? "-" : format("%.2f", one->users.l1));
      ece += next + (one == nullptr ? "-" : format("%+.3f", one->users.ece));
      points += next + (one == nullptr ? "-" : format("%.1f", one->users.points));
      clones += one == nullptr ? " - |"
                               : " " + per_cent(one->clones[0]) + " / " + per_cent(one->best_adaptive()) + " / " +
                                     per_cent(labels_of(where, *one)) + " |";
    }
    if (!is_recorded) return "";
    return "| " + cell_of(each.setting) + " | " + l1 + " | " + ece + " | " + points + " |" + clones + "\n";
  }

  const bar& needed(std::size_t where, const std::string& setting) const {
    const bar* const one = find(where, setting);
    if (one == nullptr) throw std::runtime_error("too few seeds for " + setting);
    return *one;
  }

  /// "46 % at L1 0.94": the naive clone and its price.
  static std::string naive_at(const bar& one) {
    return per_cent(one.clones[0]) + " % at L1 " + format("%.2f", one.users.l1);
  }

  static void claim(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error("write the sentences of decision.hpp anew; this no longer holds: " + what);
  }

  /// The clone of an attacker, in the order of pictured_attackers.
  static const row& clone_of(const bar& one, std::size_t attacker) {
    if (one.clones[attacker] == nullptr) {
      throw std::runtime_error(std::string("too few seeds of ") + pictured_attackers[attacker].attacker + " under " +
                               one.of->setting);
    }
    return *one.clones[attacker];
  }

  /// Of both adaptive attackers, the better clone.
  static double adaptive(const bar& one) {
    return std::max(clone_of(one, 1).clone.mean(), clone_of(one, 2).clone.mean());
  }

  static double naive(const bar& one) { return one.clones[0]->clone.mean(); }

  /// The best clone of all attackers on a defense that does not keep the label.
  static double best_of_all(const bar& one) {
    return std::max({adaptive(one), clone_of(one, 0).clone.mean(), clone_of(one, 3).clone.mean()});
  }

  std::string sentences() const {
    using namespace pictured;
    const bar &dcp_mnist = needed(mnist, exact_dcp), &dcp_fashion = needed(fashion, exact_dcp),
              &dcp_glyphs = needed(glyphs, exact_dcp);
    const bar &guard_mnist = needed(mnist, modelguard), &guard_fashion = needed(fashion, modelguard),
              &guard_glyphs = needed(glyphs, modelguard);
    const bar &mad_mnist = needed(mnist, mad), &mad_fashion = needed(fashion, mad), &mad_glyphs = needed(glyphs, mad);
    const bar &wrong_mnist = needed(mnist, misinformation), &energy_mnist = needed(mnist, energy),
              &misdirect_mnist = needed(mnist, misdirect);
    for (const place where : {mnist, fashion, glyphs}) {
      const double labels = found_[where].labels->clone.mean();
      for (const char* each : {exact_dcp, modelguard}) {
        claim(adaptive(needed(where, each)) > labels - 0.02, std::string("who knows this is back at labels: ") + each);
      }
      const bar &with_dcp = needed(where, exact_dcp), &with_mad = needed(where, mad);
      for (const bar& other : found_[where].bars) {
        if (other.of == with_dcp.of) continue;
        claim(naive(with_dcp) < naive(other) - 0.02,
              std::string("exact DCP leaves naive attackers least: ") + other.of->name);
        claim(with_dcp.users.l1 > other.users.l1, std::string("exact DCP costs most: ") + other.of->name);
      }
      for (const bar& other : found_[where].bars) {
        if (!other.keeps_label || other.of == with_mad.of) continue;
        claim(adaptive(with_mad) < adaptive(other) - 0.01,
              std::string("MAD leaves adaptive attackers least: ") + other.of->name);
      }
      const bar& with_modelguard = needed(where, modelguard);
      claim(std::abs(naive(with_mad) - naive(with_modelguard)) < 0.02 || where == glyphs,
            "MAD leaves about as much as ModelGuard-W with 10 classes");
      claim(with_mad.users.l1 < with_modelguard.users.l1, "MAD costs no more L1 than ModelGuard-W");
      claim(with_modelguard.users.l1 < 0.62 * with_dcp.users.l1,
            "ModelGuard-W has three fifths of the L1 of exact DCP, or less");
    }
    claim(naive(mad_glyphs) < naive(guard_glyphs) - 0.1, "MAD leaves less than ModelGuard-W with 111 classes");
    claim(naive(wrong_mnist) < naive(energy_mnist) - 0.05 && wrong_mnist.users.l1 > energy_mnist.users.l1,
          "on MNIST adaptive misinformation stops more than energy_dcp, and costs more");
    claim(best_of_all(misdirect_mnist) < found_[mnist].labels->clone.mean() - 0.05,
          "on MNIST misdirect keeps all attackers below labels");
    return "**Where DCP wins and loses.** With exact odds at `beta` 1.5, DCP leaves naive attackers less, in the mean, "
           "than any other defense of the table: " +
           naive_at(dcp_mnist) + " on MNIST, " + naive_at(dcp_fashion) + " on Fashion-MNIST, and " +
           naive_at(dcp_glyphs) +
           " on the 111 classes of glyphs. It costs benign users most, too: a response has its label, and little else. "
           "ModelGuard-W, which needs no second network either, costs some three fifths of that L1 or less, and "
           "leaves " +
           naive_at(guard_mnist) + ", " + naive_at(guard_fashion) + ", and " + naive_at(guard_glyphs) +
           ". An attacker who knows either of them is back at what labels give, on all three victims. MAD leaves "
           "naive attackers about as much as ModelGuard-W with 10 classes, and less with 111 (" +
           per_cent(mad_glyphs.clones[0]) +
           " %), for no more L1. Of the defenses above that keep the label it leaves D-DAE and partial Bayes least, in "
           "the mean: " +
           per_cent(mad_mnist.best_adaptive()) + " %, " + per_cent(mad_fashion.best_adaptive()) + " % and " +
           per_cent(mad_glyphs.best_adaptive()) + " %, where labels give " + per_cent(found_[mnist].labels) + " %, " +
           per_cent(found_[fashion].labels) + " % and " + per_cent(found_[glyphs].labels) +
           " %. On MNIST adaptive misinformation leaves a naive clone of " + naive_at(wrong_mnist) +
           ", where `energy_dcp` leaves " + naive_at(energy_mnist) +
           ". MAD (by its closed form) and adaptive misinformation take more than twice the latency of the network "
           "alone (see Latency, below); MAD needs a surrogate network, and adaptive misinformation a second network "
           "that is trained.\n\n"
           "**What we recommend.** Ask first which queries attackers can send.\n\n"
           "- If they have only images of another kind than your users' (out-of-distribution), and queries have an "
           "account, begin with `monitored` (below), which can be combined with any defense. It is the one defense "
           "here that leaves little to an attacker who trains on labels alone, as long as such images come from one "
           "account or a few, and no benign account was flagged. Add `energy_dcp` where users need their "
           "probabilities: it "
           "takes the naive clone "
           "from " +
           per_cent(found_[mnist].undefended) + " to " + naive_at(energy_mnist) +
           " on MNIST, without a second network. Adaptive misinformation stops more, for more L1 and a network that "
           "you train. Where users can lose some accuracy, use `misdirect`: at " +
           format("%.1f", misdirect_mnist.users.points) +
           " points on MNIST it keeps each attacker of the table below labels, with " +
           format("%.0f", 100 * best_of_all(misdirect_mnist)) + " % at best instead of " +
           per_cent(found_[mnist].labels) +
           " %. All this is of one pair of data sets, and combinations with `monitored` are not recorded.\n"
           "- If they have images of your users' kind, only naive attackers can be hindered, at the price of the "
           "probabilities: most by `dcp` with exact odds at `beta` 1.5, for less L1 by `modelguard_w`, or by MAD if "
           "you "
           "can afford its latency. Nothing here stops those who train on the labels, and then the simplest defense, "
           "to "
           "return the label alone, does as well against them.\n";
  }

  std::vector<pictured_scene> found_;
};

#endif
