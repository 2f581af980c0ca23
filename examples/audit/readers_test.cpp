// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <string>

#include "csv.hpp"
#include "npy.hpp"

namespace {

using audit::parse_csv;
using audit::parse_csv_labels;
using audit::parse_npy;
using audit::parse_npy_labels;
using namespace std::string_literals;

/// The error message of a reader for a bad file.
template <class Read>
std::string refusal(Read read) {
  try {
    read();
  } catch (const audit::bad_file& error) {
    return error.what();
  }
  return "read";
}
std::string csv_refusal(const std::string& text, bool has_header = false) {
  return refusal([&] { parse_csv(text, "f.csv", has_header); });
}
std::string label_refusal(const std::string& text) {
  return refusal([&] { parse_csv_labels(text, "l.csv", 10); });
}

TEST(Csv, ReadsNumbersWithAnySeparator) {
  for (const char* text : {"1,2.5,-3e-1\n4,5,6\n", "1;2.5;-3e-1\r\n4;5;6\r\n", "1\t2.5\t-3e-1\n4\t5\t6",
                           "  1 2.5  -3e-1 \n\n4 5 6\n\n", "\xEF\xBB\xBF+1, 2.5, -.3\n4, 5, 6"}) {
    const audit::table read = parse_csv(text, "f.csv");
    EXPECT_EQ(read.columns, 3u) << text;
    EXPECT_EQ(read.values, (std::vector<float>{1, 2.5f, -0.3f, 4, 5, 6})) << text;
  }
  EXPECT_EQ(parse_csv("a,b\n1,2\n", "f.csv", true).values, (std::vector<float>{1, 2}));
  EXPECT_EQ(parse_csv("-inf,1\n1e-60,2\n", "f.csv").values,
            (std::vector<float>{-std::numeric_limits<float>::infinity(), 1, 0, 2}));
}

TEST(Csv, ReportsErrorsWithTheirPosition) {
  EXPECT_EQ(csv_refusal(""), "f.csv:1:1: the file has no numbers");
  EXPECT_EQ(csv_refusal("\n \n"), "f.csv:1:1: the file has no numbers");
  EXPECT_EQ(csv_refusal("1,2\n3,4,5\n"), "f.csv:2:5: the row has more than the 2 columns of line 1");
  EXPECT_EQ(csv_refusal("1,2,3\n\n4,5\n"), "f.csv:3:3: the row has 2 columns, line 1 has 3");
  EXPECT_EQ(csv_refusal("1,2\n3, boot\n"), "f.csv:2:4: 'boot' is no number");
  EXPECT_EQ(csv_refusal("a,b\n1,2\n"),
            "f.csv:1:1: 'a' is no number; if the first line names the columns, say --header");
  EXPECT_EQ(csv_refusal("1,2x\n"), "f.csv:1:3: '2x' is no number; if the first line names the columns, say --header");
  EXPECT_EQ(csv_refusal("1,2\n\x1b[31m,4\n"), "f.csv:2:1: '?[31m' is no number");
  EXPECT_EQ(csv_refusal("1,,3\n"), "f.csv:1:3: a number is missing");
  EXPECT_EQ(csv_refusal("1\t\t3\n"), "f.csv:1:3: a number is missing");
  EXPECT_EQ(csv_refusal("1,2,\n"), "f.csv:1:5: a number is missing");
  EXPECT_EQ(csv_refusal(",2\n"), "f.csv:1:1: a number is missing");
  EXPECT_EQ(csv_refusal("1,nan\n"), "f.csv:1:3: NaN is no logit");
  EXPECT_EQ(csv_refusal("1,2\ninf,0\n"), "f.csv:2:1: +inf is no logit");
  EXPECT_EQ(csv_refusal("1,1e39\n"), "f.csv:1:3: 1e+39 does not fit into a float");
  EXPECT_EQ(csv_refusal("1,1e999\n"), "f.csv:1:3: '1e999' does not fit into a float");
  EXPECT_EQ(csv_refusal("1," + std::string(1000, '9') + "\n"),
            "f.csv:1:3: '99999999999999999999' does not fit into a float");
  EXPECT_EQ(csv_refusal("1,+-2\n").substr(0, 10), "f.csv:1:3:");
  EXPECT_EQ(csv_refusal("1,+\n").substr(0, 10), "f.csv:1:3:");
}

TEST(Csv, ReadsTheLargestNumberOfColumnsAndRefusesMore) {
  std::string text = "0";
  for (std::size_t i = 1; i < audit::max_columns; ++i) text += ",0";
  EXPECT_EQ(parse_csv(text, "f.csv").columns, audit::max_columns);
  for (std::size_t i = audit::max_columns; i < 1000000; ++i) text += ",0";
  EXPECT_EQ(csv_refusal(text), "f.csv:1:524289: the row has more than 262144 columns; is the file transposed?");
}

TEST(Csv, ReadsLabels) {
  EXPECT_EQ(parse_csv_labels("3\n0\n9\n", "l.csv", 10), (std::vector<int>{3, 0, 9}));
  EXPECT_EQ(parse_csv_labels("1\n0\n", "l.csv", 1), (std::vector<int>{1, 0}));
  EXPECT_EQ(label_refusal("3\n10\n"), "l.csv:2:1: label 10 is no whole number in [0, 9]");
  EXPECT_EQ(label_refusal("-1\n"), "l.csv:1:1: label -1 is no whole number in [0, 9]");
  EXPECT_EQ(label_refusal("1.5\n"), "l.csv:1:1: label 1.5 is no whole number in [0, 9]");
  EXPECT_EQ(label_refusal("nan\n"), "l.csv:1:1: label nan is no whole number in [0, 9]");
  EXPECT_EQ(label_refusal("1,2\n"), "l.csv:1:3: a line has one label");
  EXPECT_EQ(label_refusal(""), "l.csv:1:1: the file has no numbers");
}

/// An NPY file as NumPy writes it.
std::string npy(const std::string& type, const std::string& order, const std::string& shape, const std::string& data,
                char version = 1) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  const std::size_t before = version == 1 ? 10 : 12;
  while ((before + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string file = "\x93NUMPY"s + version + '\0';
  file += static_cast<char>(header.size() & 255);
  file += static_cast<char>(header.size() >> 8);
  if (version > 1) file += "\0\0"s;
  return file + header + data;
}
template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}
std::string npy_refusal(const std::string& bytes) {
  return refusal([&] { parse_npy(bytes, "f.npy"); });
}

const std::string six = bytes_of(std::vector<float>{1, 2, 3, 4, 5, 6});

TEST(Npy, ReadsFloat32AndFloat64OfEachVersion) {
  for (const char version : {'\1', '\2', '\3'}) {
    const audit::table read = parse_npy(npy("<f4", "False", "(2, 3)", six, version), "f.npy");
    EXPECT_EQ(read.columns, 3u);
    EXPECT_EQ(read.values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  }
  EXPECT_EQ(parse_npy(npy("<f8", "False", "(1, 2)", bytes_of(std::vector<double>{0.5, -1e-300})), "f.npy").values,
            (std::vector<float>{0.5f, 0}));
}

TEST(Npy, ReportsErrors) {
  EXPECT_EQ(npy_refusal("\x93NUMPX"), "f.npy: no NPY file");
  EXPECT_EQ(npy_refusal("\x93NUMPY\1"s), "f.npy: no NPY file");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(2, 3)", six, 9)), "f.npy: NPY version 9, known are 1 to 3");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(2, 3)", six).substr(0, 40)), "f.npy: the file ends in its header");
  EXPECT_EQ(npy_refusal(npy("<f4", "True", "(2, 3)", six)),
            "f.npy: the array is in Fortran order; save np.ascontiguousarray(x)");
  EXPECT_EQ(
      npy_refusal(npy(">f4", "False", "(2, 3)", six)),
      "f.npy: numbers of type '>f4'; known are little-endian float32, float64 and integers: save x.astype('<f4')");
  EXPECT_EQ(npy_refusal(npy("\x1b[31m\xff", "False", "(2, 3)", six)).substr(0, 32), "f.npy: numbers of type '?[31m?';");
  EXPECT_EQ(npy_refusal(npy("<f2", "False", "(4, 3)", six)).substr(0, 30), "f.npy: numbers of type '<f2'; ");
  EXPECT_EQ(npy_refusal(npy("<i4", "False", "(2, 3)", six)),
            "f.npy: numbers of type '<i4'; logits are float32 or float64");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(6,)", six)),
            "f.npy: an array of 1 dimension; logits have 2, rows and classes");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(1, 2, 3)", six)),
            "f.npy: an array of 3 dimensions; logits have 2, labels 1");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "()", six)), "f.npy: an array of 0 dimensions; logits have 2, labels 1");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(0, 3)", "")), "f.npy: the array is empty");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(3, 3)", six)), "f.npy: the file is shorter than its shape says");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(1, 3)", six)), "f.npy: the file is longer than its shape says");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(18446744073709551615, 18446744073709551615)", six)),
            "f.npy: the file is shorter than its shape says");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(a, 3)", six)), "f.npy: the header's shape is no tuple of sizes");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "7", six)), "f.npy: the header's shape is no tuple");
  const std::string many(1000000 * sizeof(float), '\0');
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(1, 1000000)", many)),
            "f.npy: rows of 1000000 columns, allowed are 262144; is the array transposed?");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(2, 2)", bytes_of(std::vector<float>{1, 2, 3, NAN}))),
            "f.npy:2:2: NaN is no logit");
  EXPECT_EQ(npy_refusal(npy("<f8", "False", "(1, 2)", bytes_of(std::vector<double>{1, 1e300}))),
            "f.npy:1:2: 1e+300 does not fit into a float");
}

TEST(Npy, ReadsLabelsOfEveryIntegerType) {
  EXPECT_EQ(parse_npy_labels(npy("|u1", "False", "(3,)", bytes_of(std::vector<std::uint8_t>{3, 0, 9})), "l", 10),
            (std::vector<int>{3, 0, 9}));
  EXPECT_EQ(parse_npy_labels(npy("|i1", "False", "(2,)", bytes_of(std::vector<std::int8_t>{3, 0})), "l", 10),
            (std::vector<int>{3, 0}));
  EXPECT_EQ(parse_npy_labels(npy("<u2", "False", "(2,)", bytes_of(std::vector<std::uint16_t>{999, 0})), "l", 1000),
            (std::vector<int>{999, 0}));
  EXPECT_EQ(parse_npy_labels(npy("<i2", "False", "(1,)", bytes_of(std::vector<std::int16_t>{5})), "l", 10),
            (std::vector<int>{5}));
  EXPECT_EQ(parse_npy_labels(npy("<i4", "False", "(1,)", bytes_of(std::vector<std::int32_t>{5})), "l", 10),
            (std::vector<int>{5}));
  EXPECT_EQ(parse_npy_labels(npy("<u4", "False", "(1,)", bytes_of(std::vector<std::uint32_t>{5})), "l", 10),
            (std::vector<int>{5}));
  EXPECT_EQ(parse_npy_labels(npy("<u8", "False", "(1,)", bytes_of(std::vector<std::uint64_t>{5})), "l", 10),
            (std::vector<int>{5}));
  const auto labels_refusal = [](const std::string& bytes) {
    return refusal([&] { parse_npy_labels(bytes, "l.npy", 10); });
  };
  EXPECT_EQ(labels_refusal(npy("<i8", "False", "(2,)", bytes_of(std::vector<std::int64_t>{1, -1}))),
            "l.npy:2: label -1 is not in [0, 9]");
  EXPECT_EQ(labels_refusal(npy("<i8", "False", "(2,)", bytes_of(std::vector<std::int64_t>{10, 1}))),
            "l.npy:1: label 10 is not in [0, 9]");
  EXPECT_EQ(labels_refusal(npy("<f4", "False", "(6,)", six)), "l.npy: numbers of type '<f4'; labels are integers");
  EXPECT_EQ(labels_refusal(npy("<i4", "False", "(2, 3)", six)), "l.npy: an array of 2 dimensions; labels have 1");
}

}  // namespace
