// SPDX-License-Identifier: MIT
/// Tables of Markdown, a heading each.
#ifndef CHAFF_BENCHMARKS_STEALING_MARKDOWN_TABLES_HPP
#define CHAFF_BENCHMARKS_STEALING_MARKDOWN_TABLES_HPP

#include <string>
#include <vector>

class markdown_tables {
 public:
  /// Begins a table, which is left out if it stays without lines. It may be without a heading.
  void begin(const std::string& heading, const std::vector<std::string>& head) {
    pending_ = heading.empty() ? "" : "### " + heading + "\n\n";
    pending_ += text_of(head) + text_of(std::vector<std::string>(head.size(), "---"));
  }

  void line(const std::vector<std::string>& cells) {
    if (!pending_.empty() && !text_.empty()) text_ += '\n';
    text_ += pending_ + text_of(cells);
    pending_.clear();
  }

  const std::string& text() const { return text_; }

 private:
  static std::string text_of(const std::vector<std::string>& cells) {
    std::string line;
    for (const std::string& cell : cells) line += "| " + cell + ' ';
    return line + "|\n";
  }

  std::string text_;
  std::string pending_;  // the head of a table without lines
};

#endif
