// SPDX-License-Identifier: MIT
/// The linear program of ModelGuard-W, solved for one row.
#ifndef CHAFF_PERTURBATIONS_MODELGUARD_W_PROGRAM_HPP
#define CHAFF_PERTURBATIONS_MODELGUARD_W_PROGRAM_HPP

#include <algorithm>
#include <bit>

#include "chaff/posterior/n_largest.hpp"
#include "chaff/posterior/other_classes.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

template <class T>
struct modelguard_w_weights {
  T label;             ///< v
  T cap;               ///< v - lead
  T recipient = -1;    ///< classes with a lower p are raised to the cap
  T at_recipient = 0;  ///< w of the classes with this p
  T donor = 2;         ///< classes with a higher p give all
  T at_donor = 0;      ///< w of the classes with this p

  [[gnu::always_inline]] simd::vec<T> operator()(const block<T>& block) const {
    const simd::vec<T> high = simd::broadcast(cap);
    simd::vec<T> w = simd::minimum<T>(block.p, high);
    w = simd::select<T>(block.p >= donor, simd::broadcast(at_donor), w);
    w = simd::select<T>(block.p > donor, simd::vec<T>{}, w);
    w = simd::select<T>(block.p <= recipient, simd::broadcast(at_recipient), w);
    return simd::select<T>(block.p < recipient, high, w);
  }
};

/// The linear program of one row.
///
/// For a given v = w_label the best w moves up to `half` = epsilon / 2: classes above the cap, v - lead, are lowered to
/// it; what else is to be given comes from the most probable classes, each down to 0; the label and then the least
/// probable classes, each up to the cap, receive. So two levels of cost describe it: the recipients' r, that of the
/// class which is raised in part, and the donors' d >= r. The objective is convex in v, and its slope is
///   cost_label - x - sum of (r - cost_j) over recipients - sum of (d - cost_j) over classes lowered to the cap,
/// where x is d for a label that gives and r for one that receives.
/// Once the set of recipients is given, all of which are at the cap, v follows from what they receive, and d, for
/// which the slope is 0, from r. Whether donors above d then give too much tells whether the set is too large. So a
/// bisection over the classes' p finds r, and a second one the donors for the best v.
template <class T>
class modelguard_w_program {
 public:
  modelguard_w_program(const row<T>& row, double epsilon)
      : others_(row),
        half_(epsilon / 2),
        p_(static_cast<double>(others_.label_p())),
        cost_(cost_of(others_.label_p())) {}

  CHAFF_NO_IPA modelguard_w_weights<T> solve() {
    const modelguard_w_weights<T> unchanged{static_cast<T>(p_), T(2)};
    if (others_.is_empty() || !(half_ > 0)) return unchanged;
    find_recipient();
    if (v_low_ - lead < static_cast<double>(recipient_)) {
      // no class that is not lowered to the cap is left to receive more
      modelguard_w_weights<T> w = without_budget();
      if (is_feasible_) return w;
      if (v_high_ - lead < static_cast<double>(recipient_)) {
        w = with_donors(v_high_, false);
        return is_feasible_ ? w : unchanged;
      }
    }
    const modelguard_w_weights<T> w = with_donors(best_v(), true);
    return is_feasible_ ? w : unchanged;
  }

 private:
  static constexpr double lead = 1e-4;
  static constexpr double unit = static_cast<double>(std::numeric_limits<T>::epsilon());

  static double cost_of(T p) { return static_cast<double>(other_classes<T>::cost(p)); }

  /// The p of a cost; 2, which no class has, for a cost of 1.
  static T p_of(double cost) {
    if (cost >= 1) return T(2);
    return static_cast<T>(simd::exp_nonpositive<double>(simd::broadcast((std::min)(cost, 0.0)))[0] - 1e-6);
  }

  /// A p halfway between two, by the order of their bits: at least `low`, and less than a `high` above it.
  static T between(T low, T high) {
    const auto from = order_of(low);
    return number_of<T>(from + (order_of(high) - from) / 2);
  }

  /// The next smaller number.
  static T before(T x) { return number_of<T>(order_of(x) - 1); }

  /// v where `count` recipients, of this mass before, are all at the cap.
  double v_of(double count, double mass) const {
    double v = count > 0 ? lead + (half_ + mass) / count : 2.0;
    if (v > p_) v = (half_ + p_ + mass + count * lead) / (count + 1);  // the label receives, too
    return (std::min)(v, (1 + count * lead) / (count + 1));            // no donor gives more than it has
  }

  struct balance {
    bool is_low;   ///< whether the best v is not below this one
    double alike;  ///< a lower v, down to which the same is true, or this one
    double next;   ///< v where donors give what is received, as long as no class changes its role
  };

  /// Compares v with the best one, where the recipients' level r is `level`, and `gap` the sum of r - cost_j over them.
  /// `gives` tells whether the label gives or receives.
  balance balance_at(double v, bool gives, double level, double gap) {
    const double rest = cost_ - gap - (gives ? 0 : level);
    if (cost_ - gap < level) return {true, v, 2};
    const T cap = static_cast<T>(v - lead);
    double donors = gives ? rest : 1;  // d, at most
    double count_before = -1;
    classes_above<T> set = others_.above(p_of(donors), cap);
    while (set.capped > 0 && !is_exactly(set.capped, count_before)) {
      count_before = set.capped;
      donors = (std::min)(donors, (rest + set.capped_cost) / (set.capped + gives));
      set = others_.above(p_of(donors), cap);
    }
    donors_ = donors;
    if (donors < level) return {true, v, 2};
    const double weight = set.capped + gives;
    const double balanced = set.above_mass + set.capped_mass + set.capped * lead - half_ + (gives ? p_ : 0);
    if (weight > 0) return {balanced > v * weight, v, balanced / weight};
    const double last = static_cast<double>(set.last);  // the class that the cap of a lower v reaches first
    return {balanced > 0, (std::min)(v, last + lead), last * (1 - 4 * unit) + lead};
  }

  balance balance_at(double v, bool gives) { return balance_at(v, gives, cost_of(recipient_), up_to_.gap); }

  /// Finds the smallest p of the classes for which is_high(classes up to it) is true, or the largest p where it is for
  /// none; puts it into recipient_, with the sums around it.
  template <class IsHigh>
  void find(IsHigh is_high) {
    T low = others_.lowest(), high = others_.highest();
    below_ = {0, 0, 0, T(-1), low};
    up_to_ = below_;
    for (T x = low; low < high; x = between(low, high)) {
      const classes_up_to<T> set = others_.up_to(x);
      if (is_high(set)) {
        up_to_ = set;
        high = set.last;
      } else {
        below_ = set;
        low = set.next;
      }
    }
    if (up_to_.last < high) up_to_ = others_.up_to(high);
    recipient_ = high;
  }

  /// Finds the class that is raised in part, and a range that holds the best v.
  void find_recipient() {
    v_high_ = v_of(0, 0);
    find([&](const classes_up_to<T>& set) {
      const double v = v_of(set.count, set.mass);
      const bool is_high =
          v - lead < static_cast<double>(set.last) || balance_at(v, v < p_, cost_of(set.last), set.gap).is_low;
      if (!is_high) v_high_ = v;
      return is_high;
    });
    v_low_ = v_of(up_to_.count, up_to_.mass);
  }

  /// The best v in [v_low_, v_high_], where the recipients' level is that of recipient_.
  double best_v() {
    const double room = static_cast<double>(recipient_) + lead;  // below, the cap is below recipient_
    double low = (std::max)(v_low_, room), high = v_high_;
    bool gives = high <= p_;
    if (low < p_ && p_ < high) {
      gives = !balance_at(p_, true).is_low;
      if (!gives && !balance_at(p_, false).is_low) return p_;
      (gives ? high : low) = p_;
    }
    const bool is_tested = recipient_ < others_.highest() && v_low_ >= room;  // by find_recipient
    if (!is_tested && !balance_at(low, gives).is_low) return low;
    double v = high;
    for (int step = 1; step <= 100 && high - low > 4 * unit * high; ++step) {
      const balance at_v = balance_at(v, gives);
      if (at_v.is_low && v >= high) return v;
      (at_v.is_low ? low : high) = at_v.is_low ? v : at_v.alike;
      if ((std::abs)(at_v.next - v) <= unit * v) return v;
      v = at_v.next > low && at_v.next < high && step % 4 != 0 ? at_v.next : low + (high - low) / 2;
    }
    return high;
  }

  /// The weights at v, with what the donors give; `is_partial` tells whether recipient_ is raised in part.
  modelguard_w_weights<T> with_donors(double v, bool is_partial) {
    modelguard_w_weights<T> w{static_cast<T>(v), static_cast<T>(v - lead)};
    const double cap = static_cast<double>(w.cap);
    w.recipient = is_partial ? recipient_ : below_.last;
    w.at_recipient = w.cap;
    const auto given_by = [&](const classes_above<T>& set) {
      return set.above_mass + set.capped_mass - set.capped * cap;
    };
    const double to_give = half_ - (std::max)(p_ - v, 0.0);
    is_feasible_ = true;
    classes_above<T> all = others_.above(w.recipient, w.cap);
    double given = given_by(all);
    if (given <= to_give) {
      w.donor = w.recipient;
    } else {
      // classes from `first` on give too much, and those above `last` too little
      T first = all.next, last = others_.highest();
      classes_above<T> none{};
      bool has_none = false;
      T x = p_of(donors_);  // where the last balance put the donors
      for (bool is_even = true; first < last; is_even = !is_even) {
        const classes_above<T> set = others_.above((std::max)(first, (std::min)(x, before(last))), w.cap);
        if (given_by(set) >= to_give) {
          all = set;
          first = set.next;
        } else {
          none = set;
          has_none = true;
          last = set.last;
        }
        // where donors would be if what they give were spread evenly, and halfway
        const double between_them = given_by(all) - given_by(none);
        x = is_even && between_them > 0
                ? last - static_cast<T>((to_give - given_by(none)) / between_them) * (last - first)
                : between(first, last);
      }
      if (!has_none) none = others_.above(last, w.cap);
      given = (std::max)(given_by(none), to_give);
      is_feasible_ = given <= to_give + 64 * unit;
      if (given_by(none) < to_give) {
        w.donor = last;
        const double room = (std::min)(static_cast<double>(last), cap);
        w.at_donor = static_cast<T>((std::max)(room - (to_give - given_by(none)) / (all.above - none.above), 0.0));
      }
    }
    if (is_partial) {
      const double received = given + p_ - v - (below_.count * cap - below_.mass);
      const double share = static_cast<double>(recipient_) + received / (up_to_.count - below_.count);
      w.at_recipient = static_cast<T>(std::clamp(share, 0.0, (std::max)(cap, 0.0)));
    }
    return w;
  }

  /// The weights that would be best without a budget; feasible where they keep to it. The least
  /// probable classes are at the cap, and the others have nothing.
  modelguard_w_weights<T> without_budget() {
    const auto recipient = recipient_;
    const classes_up_to<T> below = below_, up_to = up_to_;
    const auto is_high = [&](const classes_up_to<T>& set) { return cost_ - set.gap < cost_of(set.last); };
    find(is_high);
    const bool is_partial = is_high(up_to_);
    const double count = is_partial ? below_.count : up_to_.count;
    const double v = (1 + count * lead) / (count + 1);
    const modelguard_w_weights<T> w{static_cast<T>(v), static_cast<T>(v - lead), is_partial ? recipient_ : T(2), T(0),
                                    is_partial ? recipient_ : T(2)};
    const classes_up_to<T> raised = is_partial && recipient_ <= w.cap ? below_ : others_.up_to(w.cap);
    const double received = raised.count * static_cast<double>(w.cap) - raised.mass + (std::max)(v - p_, 0.0);
    is_feasible_ = received <= half_;
    recipient_ = recipient;
    below_ = below;
    up_to_ = up_to;
    return w;
  }

  other_classes<T> others_;
  double half_;                         ///< what may be moved
  double p_;                            ///< of the label
  double cost_;                         ///< of the label
  classes_up_to<T> below_{}, up_to_{};  ///< those below recipient_, and those up to it
  T recipient_ = 0;
  double donors_ = 1;  ///< d of the last balance
  double v_low_ = 0, v_high_ = 0;
  bool is_feasible_ = true;
};

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
