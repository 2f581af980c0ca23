// SPDX-License-Identifier: MIT
/// Every defense of the library behind one type, so that what a test does with it is compiled once, and not for each.
#ifndef CHAFF_TESTS_SUPPORT_TESTED_DEFENSE_HPP
#define CHAFF_TESTS_SUPPORT_TESTED_DEFENSE_HPP

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/every_defense.hpp"
#include "support/reference.hpp"

/// The share of the perturbation that the gate of a defense lets into a row of K >= 2 logits, by the gate's formula.
template <class T, class Defense>
reference::real reference_alpha(const Defense& defense, const std::vector<T>& logits,
                                const std::vector<reference::real>& posterior) {
  const std::size_t k = argmax_by_scan(logits);
  return reference::alpha_of(chaff::detail::parts_of(defense).gate, static_cast<reference::real>(logits[k]),
                             posterior[k]);
}

/// A defense of any type, for rows of T. The code of its own type answers.
template <class T>
class tested_defense {
 public:
  const std::string name;

  virtual ~tested_defense() = default;
  virtual bool accepts(const chaff::policy& policy) const = 0;
  /// Answers one row, with the logits as the query where it needs one.
  virtual void apply(std::span<const T> logits, std::span<T> output, const chaff::policy& policy) const = 0;
  /// Answers a batch; fails where the defense needs the query.
  virtual void apply_rows(std::span<const T> logits, std::size_t classes, std::span<T> output,
                          const chaff::policy& policy) const = 0;
  /// See reference_alpha.
  virtual reference::real alpha(const std::vector<T>& logits, const std::vector<reference::real>& posterior) const = 0;

 protected:
  explicit tested_defense(std::string its_name) : name(std::move(its_name)) {}
};

template <class T, class Defense>
class tested_defense_of final : public tested_defense<T> {
 public:
  tested_defense_of(const Defense& defense, std::string its_name)
      : tested_defense<T>(std::move(its_name)), defense_(defense) {}

  bool accepts(const chaff::policy& policy) const override { return ::accepts(defense_, policy); }
  void apply(std::span<const T> logits, std::span<T> output, const chaff::policy& policy) const override {
    answer_row<T>(defense_, logits, output, policy);
  }
  void apply_rows(std::span<const T> logits, std::size_t classes, std::span<T> output,
                  const chaff::policy& policy) const override {
    if constexpr (chaff::Defense<Defense, T>) {
      chaff::apply_rows(defense_, logits, classes, output, policy);
    } else {
      ADD_FAILURE() << this->name << " needs the query";
    }
  }
  reference::real alpha(const std::vector<T>& logits, const std::vector<reference::real>& posterior) const override {
    return reference_alpha(defense_, logits, posterior);
  }

 private:
  Defense defense_;
};

template <class T>
using tested_defenses = std::vector<std::shared_ptr<const tested_defense<T>>>;

/// The concatenation of two lists.
template <class T>
tested_defenses<T> operator+(tested_defenses<T> some, const tested_defenses<T>& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

/// Every defense that needs nothing but logits and keeps the label; every one that changes labels on purpose; and every
/// one that needs the query.
template <class T>
struct defenses_by_need {
  tested_defenses<T> keep_label, change_label, need_query;
};

/// Every defense, wrapped by as_tested(defense, name).
template <class T, class AsTested>
defenses_by_need<T> each_defense(AsTested as_tested) {
  const auto add_to = [&](tested_defenses<T>& list) {
    return [&](const auto& defense, const char* name) {
      list.emplace_back(std::unique_ptr<const tested_defense<T>>(as_tested(defense, name)));
    };
  };
  defenses_by_need<T> all;
  for_each_row_defense(add_to(all.keep_label));
  for_each_label_changing_defense(add_to(all.change_label));
  for_each_query_defense(add_to(all.need_query));
  return all;
}

/// Every defense without a reduction.
template <class T>
const defenses_by_need<T>& every_defense() {
  static const defenses_by_need<T> all = each_defense<T>(
      []<class D>(const D& defense, const char* name) { return new tested_defense_of<T, D>(defense, name); });
  return all;
}

/// Every defense with one reduction behind it.
template <class T>
defenses_by_need<T> every_defense_behind(const any_reduction<T>& reduction, const std::string& name_of_reduction) {
  return each_defense<T>([&]<class D>(const D& defense, const char* name) {
    using reduced = chaff::reduced<D, any_reduction<T>>;
    return new tested_defense_of<T, reduced>(reduced{defense, reduction},
                                             std::string(name) + " | " + name_of_reduction);
  });
}

#endif
