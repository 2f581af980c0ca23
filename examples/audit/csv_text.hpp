// SPDX-License-Identifier: MIT
/// Splits the text of a CSV file into lines and fields.
#ifndef CHAFF_EXAMPLES_AUDIT_CSV_TEXT_HPP
#define CHAFF_EXAMPLES_AUDIT_CSV_TEXT_HPP

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace audit {

/// One line of a text.
struct text_line {
  std::string_view text;   ///< without its end
  std::size_t number = 0;  ///< from 1
};

inline bool is_blank_line(std::string_view line) {
  return line.find_first_not_of(' ') == line.npos;
}

/// Takes lines off the front of a text. LF, CR LF, or CR alone ends a line.
class line_reader {
 public:
  explicit line_reader(std::string_view text) : rest_(text) {
    if (rest_.substr(0, 3) == "\xEF\xBB\xBF") rest_.remove_prefix(3);  // a byte order mark
  }

  /// Takes the next line that is not blank; false where there is none.
  bool next(text_line& line) {
    while (!rest_.empty()) {
      line.text = rest_.substr(0, rest_.find_first_of("\r\n"));
      line.number = ++number_;
      rest_.remove_prefix(line.text.size());
      rest_.remove_prefix(rest_.substr(0, 2) == "\r\n" ? 2 : std::min<std::size_t>(rest_.size(), 1));
      if (!is_blank_line(line.text)) return true;
    }
    return false;
  }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

/// What may stand between the numbers of a file. In a file of one number a line, the end of a line does.
inline constexpr std::string_view separators = ";\t, ";

inline const char* name_of_separator(char separator) {
  switch (separator) {
    case ';': return "semicolons";
    case '\t': return "tabs";
    case ',': return "commas";
    case ' ': return "blanks";
    default: return "ends of lines";
  }
}

/// Whether a line has blanks between two fields, and not merely beside another separator or around the line.
inline bool has_separating_blank(std::string_view line) {
  for (std::size_t blank = line.find(' '); blank != line.npos;) {
    const std::size_t after = line.find_first_not_of(' ', blank);
    const auto separates = [](char c) { return separators.find(c) != separators.npos; };
    if (after == line.npos) return false;
    if (blank > 0 && !separates(line[blank - 1]) && !separates(line[after])) return true;
    blank = line.find(' ', after);
  }
  return false;
}

/// The one separator of the lines: the semicolon or else the tab where there is one; else the blank where blanks stand
/// between two fields; else the comma where there is one. So a comma beside another separator is part of a field.
inline char find_separator(line_reader lines) {
  bool has_tab = false, has_blank = false, has_comma = false;
  for (text_line line; lines.next(line);) {
    if (line.text.find(';') != line.text.npos) return ';';
    has_tab = has_tab || line.text.find('\t') != line.text.npos;
    has_blank = has_blank || has_separating_blank(line.text);
    has_comma = has_comma || line.text.find(',') != line.text.npos;
  }
  return has_tab ? '\t' : has_blank ? ' ' : has_comma ? ',' : '\n';
}

/// Calls visit(field, column) for each field of a line that is not blank, without the blanks around it. Columns are
/// those of the fields' first characters, from 1. A separator at the end of the line has an empty field after it,
/// unless it is a blank. A separator between quotes is part of its field if `has_quotes`.
template <class Visit>
void for_each_field(std::string_view line, char separator, bool has_quotes, Visit visit) {
  line = line.substr(0, line.find_last_not_of(' ') + 1);
  for (std::size_t i = 0; i <= line.size();) {
    while (i < line.size() && line[i] == ' ') ++i;
    std::size_t end = i;
    for (bool in_quotes = false; end < line.size() && (in_quotes || line[end] != separator); ++end) {
      if (has_quotes && line[end] == '"') in_quotes = !in_quotes;
    }
    const std::string_view field = line.substr(i, end - i);
    visit(field.substr(0, field.find_last_not_of(' ') + 1), i + 1);
    i = end + 1;
  }
}

/// The names in a header, without quotes.
inline std::vector<std::string> header_names(std::string_view header, char separator) {
  std::vector<std::string> names;
  for_each_field(header, separator, true, [&](std::string_view field, std::size_t) {
    std::string name(field);
    std::erase(name, '"');
    names.push_back(name);
  });
  return names;
}

}  // namespace audit

#endif
