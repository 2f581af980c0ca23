// SPDX-License-Identifier: MIT
/// Reads text from left to right, word by word, and says where it is wrong.
#ifndef CHAFF_TEXT_SCANNER_HPP
#define CHAFF_TEXT_SCANNER_HPP

#include <stdexcept>
#include <string>
#include <string_view>

#include "chaff/error.hpp"
#include "chaff/text/number.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A word of a text, and the position of its first character, counted from 0.
struct word {
  std::string_view text;
  std::size_t position;
};

/// Whether a character belongs to a word: a name, a number or a key.
constexpr bool is_word_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '+' ||
         c == '-';
}

/// Reads text from left to right. Blanks, tabs and ends of lines may stand between any two words.
class scanner {
 public:
  /// `what` is what the text describes, for messages.
  scanner(std::string_view text, const char* what) : text_(text), what_(what) { skip_blanks(); }

  std::size_t position() const { return at_; }
  bool is_at_end() const { return at_ == text_.size(); }

  /// Whether the next character is this one; it is then passed.
  bool take(char c) {
    if (is_at_end() || text_[at_] != c) return false;
    ++at_;
    skip_blanks();
    return true;
  }

  /// The next word, which is passed; it is empty where none begins here.
  word take_word() {
    const word next = word_at(at_);
    at_ += next.text.size();
    skip_blanks();
    return next;
  }

  /// Whether the next word is this one; it is then passed.
  bool take_word_if(std::string_view expected) {
    if (word_at(at_).text != expected) return false;
    take_word();
    return true;
  }

  /// Passes this character, and raises an error where another one comes next. `allowed` names all that may come.
  void expect(char c, const char* allowed) {
    if (!take(c)) fail_reading(at_, allowed);
  }

  /// Raises the error that something else is allowed at a position.
  [[noreturn]] void fail_reading(std::size_t position, const std::string& allowed) const {
    fail_at(position, "read " + quoted(position) + ", allowed is " + allowed);
  }

  /// Raises an error at a position.
  [[noreturn, gnu::cold]] void fail_at(std::size_t position, const std::string& sentence) const {
    fail<std::invalid_argument>("chaff: %s, position %zu: %s", what_, position, sentence.c_str());
  }

  /// What stands at a position, for a message. Long words are left out, and so is what may be a piece of a key.
  std::string quoted(std::size_t position) const {
    if (position >= text_.size()) return "the end of the text";
    const std::string_view text = word_at(position).text;
    if (text.empty()) {
      const auto c = static_cast<unsigned char>(text_[position]);
      if (c > ' ' && c < 0x7f) return {'\'', static_cast<char>(c), '\''};
      constexpr std::string_view digits = "0123456789abcdef";
      return {'b', 'y', 't', 'e', ' ', '0', 'x', digits[c / 16], digits[c % 16]};
    }
    const bool may_be_key = text.size() >= 8 && text.find_first_not_of("0123456789abcdefABCDEF") == text.npos;
    if (!may_be_key && text.size() <= 24) return "'" + std::string(text) + "'";
    std::string length = "a word of ";
    append_number(length, text.size());
    return length + " characters";
  }

 private:
  word word_at(std::size_t position) const {
    std::size_t end = position;
    while (end < text_.size() && is_word_character(text_[end])) ++end;
    return {text_.substr(position, end - position), position};
  }

  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }

  std::string_view text_;
  const char* what_;
  std::size_t at_ = 0;
};

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
