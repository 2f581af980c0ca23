// SPDX-License-Identifier: MIT
/// Writes the audit's output, and says where it could not be written.
#ifndef CHAFF_EXAMPLES_AUDIT_OUTPUT_HPP
#define CHAFF_EXAMPLES_AUDIT_OUTPUT_HPP

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include "table.hpp"

namespace audit {

/// Opens a file, calls write(stream), and closes it. Raises bad_file where any of this fails.
template <class Write>
void write_file(const std::string& path, Write write) {
  std::ofstream file(path);
  if (file) write(file);
  file.close();
  if (!file) refuse(path, "cannot be written");
}

/// Raises std::runtime_error where something printed has not reached standard output.
inline void finish_standard_output() {
  std::cout.flush();
  const bool is_flushed = std::fflush(stdout) == 0;
  if (!is_flushed || std::ferror(stdout) != 0 || !std::cout) {
    throw std::runtime_error("standard output cannot be written");
  }
}

}  // namespace audit

#endif
