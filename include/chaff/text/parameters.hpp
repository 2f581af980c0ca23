// SPDX-License-Identifier: MIT
/// Reads and writes a struct of parameters as text, name(parameter=value, ...), by one description of the struct.
#ifndef CHAFF_TEXT_PARAMETERS_HPP
#define CHAFF_TEXT_PARAMETERS_HPP

#include <array>
#include <concepts>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "chaff/noise/key.hpp"
#include "chaff/policy.hpp"
#include "chaff/text/scanner.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A parameter of a struct, as text names it.
template <class Struct, class Value>
struct parameter {
  std::string_view name;
  Value Struct::*member;
};
template <class Struct, class Value>
parameter(const char*, Value Struct::*) -> parameter<Struct, Value>;

/// How text names a struct and its parameters: `name`, and `parameters`, a tuple of parameter.
template <class Struct>
struct description;

template <class Struct>
concept Described = requires {
  description<Struct>::name;
};

/// A value of an enumeration, as text names it.
template <class Enum>
struct named_value {
  std::string_view name;
  Enum value;
};

/// How text names the values of an enumeration: an array of named_value.
template <class Enum>
inline constexpr int values_of = 0;
template <>
inline constexpr named_value<bool> values_of<bool>[] = {{"false", false}, {"true", true}};
template <>
inline constexpr named_value<form> values_of<form>[] = {
    {"logits", form::logits}, {"probabilities", form::probabilities}, {"log_probabilities", form::log_probabilities}};

/// "a, b, c" of the names that next() returns for 0, 1, 2, ...
template <class Name>
std::string list_names(std::size_t count, Name name) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "" : ", ") + std::string(name(i));
  return list;
}

/// The value of a parameter of each kind: read_value reads it, append_value writes it.
inline void read_value(scanner& text, double& value) {
  const word read = text.take_word();
  const std::optional<double> number = decimal_value(read.text);
  if (!number) text.fail_reading(read.position, "a finite decimal number");
  value = *number;
}
inline void append_value(std::string& text, double value) {
  append_number(text, value);
}

inline void read_value(scanner& text, std::optional<double>& value) {
  read_value(text, value.emplace());
}
inline void append_value(std::string& text, const std::optional<double>& value) {
  append_number(text, *value);
}

template <std::integral Integer>
requires(!std::same_as<Integer, bool>) void read_value(scanner& text, Integer& value) {
  const word read = text.take_word();
  const char* const end = read.text.data() + read.text.size();
  const auto [stopped, error] = std::from_chars(read.text.data(), end, value);
  if (read.text.empty() || stopped != end || error != std::errc{}) {
    std::string allowed = "a whole number from ";
    append_number(allowed, (std::numeric_limits<Integer>::min)());
    allowed += " to ";
    append_number(allowed, (std::numeric_limits<Integer>::max)());
    text.fail_reading(read.position, allowed);
  }
}
template <std::integral Integer>
requires(!std::same_as<Integer, bool>) void append_value(std::string& text, Integer value) {
  append_number(text, value);
}

template <class Enum>
requires(std::is_enum_v<Enum> || std::same_as<Enum, bool>) void read_value(scanner& text, Enum& value) {
  const word read = text.take_word();
  for (const auto& each : values_of<Enum>) {
    if (each.name == read.text) {
      value = each.value;
      return;
    }
  }
  text.fail_reading(read.position,
                    list_names(std::size(values_of<Enum>), [](std::size_t i) { return values_of<Enum>[i].name; }));
}
template <class Enum>
requires(std::is_enum_v<Enum> || std::same_as<Enum, bool>) void append_value(std::string& text, Enum value) {
  for (const auto& each : values_of<Enum>) {
    if (each.value == value) {
      text += each.name;
      return;
    }
  }
  fail<std::invalid_argument>("chaff: a value outside of its enumeration has no text");
}

inline void read_value(scanner& text, key& value) {
  const word read = text.take_word();
  const bool is_hexadecimal = read.text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  // nothing of what was read is shown
  if (read.text.size() != 32 || !is_hexadecimal) text.fail_at(read.position, "a key has 32 hexadecimal digits");
  value = key(read.text);
}
inline void append_value(std::string& text, const key& value) {
  for (const std::uint64_t half : {value.low(), value.high()}) {
    for (int byte = 0; byte < 8; ++byte) {
      for (const int shift : {4, 0}) text += "0123456789abcdef"[half >> (8 * byte + shift) & 15];
    }
  }
}

template <class Value>
[[nodiscard]] bool is_set(const Value&) {
  return true;
}
[[nodiscard]] inline bool is_set(const std::optional<double>& value) {
  return value.has_value();
}

/// Calls visit(parameter, index) for each parameter of a struct.
template <class Struct, class Visit>
void for_each_parameter(Visit visit) {
  std::apply(
      [&](const auto&... each) {
        std::size_t index = 0;
        (visit(each, index++), ...);
      },
      description<Struct>::parameters);
}

template <class Struct>
inline constexpr std::size_t parameters_of =
    std::tuple_size_v<std::remove_cvref_t<decltype(description<Struct>::parameters)>>;

/// A struct with its defaults. A key has none: text must give it.
template <class Struct>
Struct with_defaults() {
  if constexpr (std::is_default_constructible_v<Struct>) {
    return {};
  } else {
    return {.key = key("00000000000000000000000000000000")};
  }
}

/// Where each parameter of a struct stands in a text; `missing` for one that does not.
template <class Struct>
struct parameter_positions {
  static constexpr std::size_t missing = static_cast<std::size_t>(-1);
  std::array<std::size_t, parameters_of<Struct>> of;
  std::size_t end;  ///< of the text after the last

  explicit parameter_positions() : end(0) { of.fill(missing); }

  /// The position of the parameter of this name, or `otherwise`.
  std::size_t find(std::string_view name, std::size_t otherwise) const {
    name.remove_prefix(name.find('.') + 1);  // policy.max_l1
    for_each_parameter<Struct>([&](const auto& each, std::size_t i) {
      if (each.name == name && of[i] != missing) otherwise = of[i];
    });
    return otherwise;
  }
};

/// Raises an error that the member `check` of a struct found, at the position of the parameter in the text.
template <class Struct>
void raise_at(const scanner& text, const parameter_error& error, std::size_t position,
              const parameter_positions<Struct>& positions) {
  if (!error) return;
  if (error.sentence != nullptr) text.fail_at(position, error.sentence);
  std::string sentence = error.name;
  sentence += " is ";
  append_number(sentence, error.value);
  sentence += ", allowed is [";
  append_number(sentence, error.low);
  sentence += ", ";
  append_number(sentence, error.high);
  text.fail_at(positions.find(error.name, position), sentence + "]");
}

/// Reads parameter=value, ... as far as they go.
template <class Struct>
void read_list(scanner& text, Struct& result, parameter_positions<Struct>& positions) {
  const std::string name(description<Struct>::name);
  do {
    const word read = text.take_word();
    bool is_known = false;
    for_each_parameter<Struct>([&](const auto& each, std::size_t i) {
      if (each.name != read.text) return;
      is_known = true;
      if (positions.of[i] != parameter_positions<Struct>::missing) {
        text.fail_at(read.position, std::string(read.text) + " of " + name + " is given twice");
      }
      text.expect('=', "'='");
      positions.of[i] = text.position();
      read_value(text, result.*each.member);
    });
    if (!is_known) {
      const std::string allowed = std::apply(
          [](const auto&... each) {
            const std::array<std::string_view, sizeof...(each)> names{each.name...};
            return list_names(names.size(), [&](std::size_t i) { return names[i]; });
          },
          description<Struct>::parameters);
      text.fail_reading(read.position, allowed.empty() ? "')', since " + name + " has no parameters"
                                                       : "a parameter of " + name + ": " + allowed);
    }
  } while (text.take(','));
  positions.end = text.position();
}

/// Reads what follows the name of a struct: (parameter=value, ...), (), or nothing.
template <class Struct>
Struct read_parameters(scanner& text, parameter_positions<Struct>& positions) {
  Struct result = with_defaults<Struct>();
  positions.end = text.position();
  if (text.take('(') && !text.take(')')) {
    read_list(text, result, positions);
    text.expect(')', "',' or ')'");
  }
  for_each_parameter<Struct>([&](const auto& each, std::size_t i) {
    using Value = std::remove_cvref_t<decltype(result.*each.member)>;
    if constexpr (!std::is_default_constructible_v<Value>) {
      if (positions.of[i] == parameter_positions<Struct>::missing) {
        const std::string name(each.name);
        text.fail_at(positions.end, std::string(description<Struct>::name) + " needs a " + name +
                                        ", which has no default: " + name + "=...");
      }
    }
  });
  return result;
}

/// Appends parameter=value, ... with every parameter that is set.
template <class Struct>
void append_list(std::string& text, const Struct& value) {
  const char* separator = "";
  for_each_parameter<Struct>([&](const auto& each, std::size_t) {
    if (!is_set(value.*each.member)) return;
    text += separator;
    text += each.name;
    text += '=';
    append_value(text, value.*each.member);
    separator = ", ";
  });
}

/// A struct as text, with every parameter that is set.
template <Described Struct>
std::string text_of(const Struct& value) {
  std::string text(description<Struct>::name);
  if constexpr (parameters_of < Struct >> 0) {
    text += '(';
    append_list(text, value);
    text += ')';
  }
  return text;
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
