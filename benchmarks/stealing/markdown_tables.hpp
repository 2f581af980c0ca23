// SPDX-License-Identifier: MIT
/// Tables of Markdown, a heading each.
#ifndef CHAFF_BENCHMARKS_STEALING_MARKDOWN_TABLES_HPP
#define CHAFF_BENCHMARKS_STEALING_MARKDOWN_TABLES_HPP

#include <string>
#include <vector>

class markdown_tables {
 public:
  /// Begins a table, which is left out if it stays without rows. It may be without a heading.
  void begin(const std::string& heading, const std::vector<std::string>& head) {
    drop_empty();
    start_ = text_.size();
    if (!text_.empty()) text_ += '\n';
    if (!heading.empty()) text_ += "### " + heading + "\n\n";
    line(head);
    line(std::vector<std::string>(head.size(), "---"));
    has_rows_ = false;
  }

  void line(const std::vector<std::string>& cells) {
    for (const std::string& cell : cells) text_ += "| " + cell + ' ';
    text_ += "|\n";
    has_rows_ = true;
  }

  const std::string& text() {
    drop_empty();
    return text_;
  }

 private:
  void drop_empty() {
    if (!has_rows_) text_.resize(start_);
  }

  std::string text_;
  std::size_t start_ = 0;  // of the last table
  bool has_rows_ = true;   // the last table
};

#endif
