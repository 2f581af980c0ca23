// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <bit>
#include <clocale>
#include <fstream>
#include <string>

#include "read.hpp"

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
  EXPECT_EQ(csv_refusal("1,2\n,2\n"), "f.csv:2:1: a number is missing");
  EXPECT_EQ(csv_refusal(",2\n"), "f.csv:1:1: a number is missing; if the first line names the columns, say --header");
  EXPECT_EQ(csv_refusal("1,nan\n"), "f.csv:1:3: NaN is no logit");
  EXPECT_EQ(csv_refusal("1,2\ninf,0\n"), "f.csv:2:1: +inf is no logit");
  EXPECT_EQ(csv_refusal("1,1e39\n"), "f.csv:1:3: '1e39' does not fit into a float");
  EXPECT_EQ(csv_refusal("1,1e999\n"), "f.csv:1:3: '1e999' does not fit into a float");
  EXPECT_EQ(csv_refusal("1," + std::string(1000, '9') + "\n"),
            "f.csv:1:3: '99999999999999999999' does not fit into a float");
  EXPECT_EQ(csv_refusal("1,+-2\n").substr(0, 10), "f.csv:1:3:");
  EXPECT_EQ(csv_refusal("1,+\n").substr(0, 10), "f.csv:1:3:");
}

TEST(Csv, EndsLinesAtALoneCarriageReturn) {
  const audit::table read = parse_csv("1,2\r3,4\r", "f.csv");
  EXPECT_EQ(read.rows(), 2u);
  EXPECT_EQ(read.values, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(parse_csv("a,b\r1,2\r3,4", "f.csv", true).rows(), 2u);
  EXPECT_EQ(parse_csv_labels("3\r0\r9\r", "l.csv", 10), (std::vector<int>{3, 0, 9}));
  EXPECT_EQ(csv_refusal("1,2\r\n3,4\r5,x\n"), "f.csv:3:3: 'x' is no number");
}

TEST(Csv, HasOneSeparatorAFile) {
  const auto format = [](const char* text) { return parse_csv(text, "f.csv").format; };
  EXPECT_EQ(format("1.5, 2\n3, 4\n"), "numbers separated by commas");
  EXPECT_EQ(format("1.5;2\n3 ; 4\n"), "numbers separated by semicolons");
  EXPECT_EQ(format("1.5\t2\n3\t4\n"), "numbers separated by tabs");
  EXPECT_EQ(format(" 1.5  2\n3 4\n"), "numbers separated by blanks");
  EXPECT_EQ(format("1.5\n2\n"), "one number a line");
  for (const char* text : {"1;2\n3,4\n", "1,2\n3;4\n", "1 2\n3,4\n", "1,2\n3 4\n", "1\t2\n3,4\n", "1\t2\n3 4\n",
                           "1,2;3,4\n", "1, 2 3\n", "1 ,2 3\n"}) {
    EXPECT_NE(csv_refusal(text).find("is no number; numbers are separated by"), std::string::npos) << text;
  }
  EXPECT_NE(csv_refusal("1\0002\n"s), "read");
}

TEST(Csv, RefusesDecimalCommasAndThousandsSeparators) {
  const std::string hint = " here, and have a decimal point, no decimal comma and no thousands separator";
  EXPECT_EQ(csv_refusal("1,5;2,5\n"), "f.csv:1:1: '1,5' is no number; numbers are separated by semicolons" + hint);
  EXPECT_EQ(csv_refusal("1,5\t2,5\n"), "f.csv:1:1: '1,5' is no number; numbers are separated by tabs" + hint);
  EXPECT_EQ(csv_refusal("1,5 2,5\n"), "f.csv:1:1: '1,5' is no number; numbers are separated by blanks" + hint);
  EXPECT_EQ(csv_refusal("a;b\n1,5;2,5\n", true),
            "f.csv:2:1: '1,5' is no number; numbers are separated by semicolons" + hint);
  EXPECT_EQ(csv_refusal("1,234.5;2.0;3.0\n2,100.0;1.0;0.5\n"),
            "f.csv:1:1: '1,234.5' is no number; numbers are separated by semicolons" + hint);
  for (const char* field :
       {"1.234,5", "1'234.5", "1 234.5", "1_234.5", "1.234.567", "1\u00A0234.5", "1\u202F234", "1\u2019234"}) {
    const std::string refused = csv_refusal(std::string(field) + ";2\n");
    EXPECT_NE(refused.find("is no number; numbers are separated by semicolons" + hint), std::string::npos) << refused;
  }
  // a comma for both: a number that starts with 0 gives it away
  EXPECT_EQ(csv_refusal("1,05,2,5\n"),
            "f.csv:1:3: '05' starts with 0; if the comma before it is a decimal comma, write a point");
  EXPECT_EQ(csv_refusal("\"1,5\",\"2,5\"\n"), "f.csv:1:1: '\"1' is no number; numbers stand without quotes");
  EXPECT_NE(label_refusal("3,0\n1,0\n").find("so must a decimal comma"), std::string::npos);
  EXPECT_NE(label_refusal("3;0\n"), "read");
}

TEST(Csv, RoundsDecimalsToTheNearestFloat) {
  using limits = std::numeric_limits<float>;
  const auto number = [](const std::string& text) { return parse_csv(text + ",0.5\n", "f.csv").values[0]; };
  EXPECT_EQ(number("1.4e-45"), limits::denorm_min());
  EXPECT_EQ(number("1e-45"), limits::denorm_min());
  EXPECT_EQ(number("-1.4e-45"), -limits::denorm_min());
  EXPECT_EQ(number("7e-46"), 0) << "less than half of the smallest float, 7.006e-46";
  EXPECT_EQ(number("1e-400"), 0);
  EXPECT_EQ(number("1.1754942e-38"), 0x0.fffffep-126f) << "the largest denormal float";
  EXPECT_EQ(number("3.4028235e38"), limits::max());
  EXPECT_EQ(number("-3.4028235e+38"), -limits::max());
  EXPECT_EQ(number("3.4028235677973362e38"), limits::max()) << "just below half a step above the largest float";
  EXPECT_EQ(csv_refusal("3.4028235677973367e38,1\n"), "f.csv:1:1: '3.4028235677973367e3' does not fit into a float");
  EXPECT_EQ(csv_refusal("-1e39,1\n"), "f.csv:1:1: '-1e39' does not fit into a float") << "and is not -inf";
  // above a tie between floats by less than a double shows: rounded twice, it would be 1
  EXPECT_EQ(number("1.000000059604644775390625000000000001"), 1.0000001f);
  EXPECT_EQ(number("-infinity"), -limits::infinity());
}

TEST(Csv, ReadsNumbersWhateverTheLocale) {
  ASSERT_EQ(std::system("localedef -i de_DE -f UTF-8 ./de_DE.UTF-8"), 0) << "needs Debian's package locales";
  ASSERT_EQ(setenv("LOCPATH", ".", 1), 0);
  ASSERT_NE(std::setlocale(LC_ALL, "de_DE.UTF-8"), nullptr);
  EXPECT_EQ(std::strtod("1,5", nullptr), 1.5) << "a decimal comma, in this locale";
  EXPECT_EQ(parse_csv("1.5,1.4e-45\n", "f.csv").values,
            (std::vector<float>{1.5f, std::numeric_limits<float>::denorm_min()}));
  std::setlocale(LC_ALL, "C");
}

TEST(Csv, RefusesAnIndexColumn) {
  EXPECT_EQ(
      csv_refusal(",0,1\n0,0.5,1.5\n1,2.5,0.1\n", true),
      "f.csv:1:1: column 1 is named '', as an index is: write the file without it (pandas: index=False) or, if it "
      "is a class, rename it");
  for (const char* header : {"Unnamed: 0,a,b\n", "index,a,b\n", "\"id\",\"a\",\"b\"\n", "a,b,Label\n"}) {
    EXPECT_NE(csv_refusal(header + "7,0.5,1.5\n3,2.5,0.1\n"s, true).find("write the file without it"),
              std::string::npos)
        << header;
  }
  // R's write.table names the columns, and not the rows
  EXPECT_EQ(
      csv_refusal("V1 V2\n1 0.5 1.5\n2 2.5 0.1\n", true),
      "f.csv:1:1: the header names 2 columns, the rows have 3; if the first is an index, write the file without it");
  for (const char* text : {"0,0.5,1.5\n1,2.5,0.1\n", "1,0.5,1.5\n2,2.5,0.1\n", "0,5,7\n1,2,3\n2,7,1\n3,1,2\n",
                           "0e0,5,7\n1e0,2,3\n2e0,7,1\n3e0,1,2\n"}) {
    EXPECT_NE(csv_refusal(text).find("the first column counts the rows"), std::string::npos) << text;
  }
  EXPECT_EQ(csv_refusal("0.0,0.5\n1.0,1.5\n"), "read");
  EXPECT_EQ(csv_refusal("0,0.5\n0,1.5\n0,2.5\n0,0.1\n"), "read") << "a reference class";
  EXPECT_NE(label_refusal("0,3\n1,0\n").find("an index column must go"), std::string::npos);
}

TEST(Csv, RefusesAHeaderOfColumnNumbersThatIsReadAsARow) {
  for (const char* text : {"0,1\n0.5,1.5\n", "0,1\n3,4\n", "1;2;3\n0.5;1.5;2\n", "0\n0.5\n1.5\n"}) {
    EXPECT_EQ(csv_refusal(text).substr(0, 64), "f.csv:1:1: the line counts the columns, as a header does: if it ")
        << text;
  }
  const audit::table read = parse_csv("0,1\n0.5,1.5\n", "f.csv", true);
  EXPECT_EQ(read.values, (std::vector<float>{0.5f, 1.5f}));
  EXPECT_EQ(read.format, "numbers separated by commas, without the header '0,1'");
  EXPECT_EQ(parse_csv("0.0,1\n0.5,1.5\n", "f.csv").rows(), 2u);
  EXPECT_EQ(parse_csv("0\n1\n", "f.csv").rows(), 2u);
}

TEST(Csv, RefusesToSkipARowOfLogitsAsAHeader) {
  EXPECT_EQ(csv_refusal("0.5,1.5\n2.5,0.1\n", true),
            "f.csv:1:1: the line holds numbers, which --header would skip; if there is no header, leave --header out");
  EXPECT_EQ(parse_csv("\n1e5,cat\n2.5,0.1\n", "f.csv", true).rows(), 1u);
}

TEST(Csv, RefusesFilesThatAreNoText) {
  EXPECT_EQ(csv_refusal("\xFF\xFE"
                        "1\0,\0"s),
            "f.csv: UTF-16; save it as UTF-8");
  EXPECT_EQ(csv_refusal("PK\x03\x04..."), "f.csv: a ZIP archive, such as np.savez writes; save with np.save");
  EXPECT_EQ(csv_refusal("\x1F\x8B\x08..."), "f.csv: compressed by gzip; decompress it first");
}

TEST(Table, FindsColumnsThatAreNoLogits) {
  std::string text, constant;
  for (int row = 0; row < 8; ++row) {
    text += std::to_string(row * 5 % 8) + "," + std::to_string(row) + ".5,0.25\n";
    constant += "0," + std::to_string(row) + ".5,0.25\n";
  }
  EXPECT_EQ(audit::suspicious_columns(parse_csv(text, "f.csv")), (std::vector<std::size_t>{1}));
  EXPECT_TRUE(audit::suspicious_columns(parse_csv(constant, "f.csv")).empty());
  EXPECT_TRUE(audit::suspicious_columns(parse_csv("3,1.5\n1,2.5\n", "f.csv")).empty()) << "too few rows";
}

TEST(Table, WarnsOfWholeNumbersBetweenCommas) {
  const auto warnings = [](const char* text) { return audit::warnings_about(parse_csv(text, "f.csv"), "f.csv", true); };
  for (const char* text : {"1,5,2,5\n-3,5,2,7\n", "1,5, 2,5\n", "1,234,2,100\n"}) {
    ASSERT_EQ(warnings(text).size(), 1u) << text;
    EXPECT_EQ(warnings(text)[0],
              "f.csv: commas separate whole numbers only, 4 a row; if some are decimal commas or thousands separators, "
              "write a decimal point, and no thousands separators");
  }
  EXPECT_TRUE(warnings("1,5,2.5\n3,5,2\n").empty());
  EXPECT_TRUE(warnings("1;5;2\n3;5;2\n").empty());
}

TEST(Table, LooksLikeProbabilitiesWhereEachRowSumsTo1) {
  const auto looks = [](const std::string& text) { return audit::looks_like_probabilities(parse_csv(text, "f.csv")); };
  EXPECT_TRUE(looks("0.1,0.9\n0.25,0.75\n"));
  EXPECT_TRUE(looks("0.33,0.33,0.33\n1,0,0\n")) << "rounded";
  EXPECT_FALSE(looks("0.1,0.9\n0.25,0.95\n"));
  EXPECT_FALSE(looks("0.1,0.9\n0.25,0.65\n"));
  EXPECT_FALSE(looks("0.1,0.9\n-0.25,1.25\n"));
  EXPECT_FALSE(looks("-inf,1\n0.5,0.5\n"));
  EXPECT_TRUE(looks("0.1\n0.9\n0.5\n1\n0.25\n0.75\n0.5\n0\n"));
  EXPECT_FALSE(looks("0.1\n0.9\n0.5\n1\n0.25\n0.75\n0.5\n1.1\n"));
  EXPECT_FALSE(looks("0.1\n0.9\n")) << "too few rows";
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
  EXPECT_EQ(
      label_refusal("1,2\n"),
      "l.csv:1:3: a line has one label; an index column must go (pandas: index=False), and so must a decimal comma");
  EXPECT_EQ(label_refusal(""), "l.csv:1:1: the file has no numbers");
}

/// An NPY file with a header of one's own.
std::string npy_with(std::string header, const std::string& data, char version = 1) {
  const std::size_t before = version == 1 ? 10 : 12;
  while ((before + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string file = "\x93NUMPY"s + version + '\0';
  file += static_cast<char>(header.size() & 255);
  file += static_cast<char>(header.size() >> 8);
  if (version > 1) file += "\0\0"s;
  return file + header + data;
}
/// An NPY file as NumPy writes it.
std::string npy(const std::string& type, const std::string& order, const std::string& shape, const std::string& data,
                char version = 1) {
  return npy_with("{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }", data, version);
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

/// Numbers as a machine of the other byte order has them.
template <class T>
std::string swapped_bytes_of(const std::vector<T>& values) {
  std::string bytes = bytes_of(values);
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(T)) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                 bytes.begin() + static_cast<std::ptrdiff_t>(i + sizeof(T)));
  }
  return bytes;
}

TEST(Npy, ReadsFortranOrderAsNumPyDoes) {
  // np.arange(1, 7).reshape(2, 3): in Fortran order the columns come one after another
  EXPECT_EQ(parse_npy(npy("<f4", "True", "(2, 3)", bytes_of(std::vector<float>{1, 4, 2, 5, 3, 6})), "f").values,
            (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(parse_npy_labels(npy("<i4", "True", "(3,)", bytes_of(std::vector<std::int32_t>{3, 0, 9})), "l", 10),
            (std::vector<int>{3, 0, 9}));
  // a file with a line end after 'fortran_order':, and its values as numpy.load 1.24 has them
  const audit::table read = audit::read_logits(CHAFF_AUDIT_SOURCE "/sample_fortran.npy", false);
  EXPECT_EQ(read.columns, 3u);
  EXPECT_EQ(read.values, (std::vector<float>{1.037f, -1.611f, -2.209f, 2.465f, 1.743f, -0.489f, 0.991f, 1.094f, -1.446f,
                                             -3.909f, 0.882f, 1.797f, 2.716f, 0.085f, 0.119f, 1.339f, 1.64f, -0.877f}));
  EXPECT_EQ(read.format, "NPY of '<f4', in Fortran order");
}

TEST(Npy, ReadsBothByteOrders) {
  const std::vector<float> values{1, 2.5f, -3, 4, 5, 6};
  EXPECT_EQ(parse_npy(npy(">f4", "False", "(2, 3)", swapped_bytes_of(values)), "f").values, values);
  EXPECT_EQ(
      parse_npy(npy(">f8", "True", "(3, 2)", swapped_bytes_of(std::vector<double>{1, 2.5, -3, 4, 5, 6})), "f").values,
      (std::vector<float>{1, 4, 2.5f, 5, -3, 6}));
  for (const char* type : {"=f4", "|f4", "f4", "float32"}) {
    EXPECT_EQ(parse_npy(npy(type, "False", "(2, 3)", bytes_of(values)), "f").values, values) << type;
  }
  EXPECT_EQ(parse_npy_labels(npy(">i8", "False", "(2,)", swapped_bytes_of(std::vector<std::int64_t>{7, 2})), "l", 10),
            (std::vector<int>{7, 2}));
  EXPECT_EQ(parse_npy_labels(npy(">u2", "False", "(2,)", swapped_bytes_of(std::vector<std::uint16_t>{7, 2})), "l", 10),
            (std::vector<int>{7, 2}));
}

TEST(Npy, ReadsHeadersThatNumPyReads) {
  // numpy.load 1.24 reads each of them as {{1, 2, 3}, {4, 5, 6}}
  for (const char* header : {
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
           "{'shape':(2,3),'fortran_order':False,'descr':'<f4'}",
           "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2, 3,), }",
           "{'descr':\t'<f4',\n'fortran_order'\n:\r\n False , 'shape' :\f( 2\n,\t3 ) , }",
           "{'descr': '<f4', # little-endian\n 'fortran_order': False, 'shape': (2, 3), } # the end",
           "\n {u'descr': u'<f4', 'fortran_order': False, 'shape': (2L, 3L), }",
           "{'descr': '<' 'f4', 'fortran_order': False, 'shape': (2, 3)}",
           "{'fortran_order': True, 'descr': '<f4', 'shape': (2, 3), 'fortran_order': False}",
       }) {
    EXPECT_EQ(refusal([&] {
                EXPECT_EQ(parse_npy(npy_with(header, six), "f").values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
              }),
              "read")
        << header;
  }
}

TEST(Npy, RefusesOtherHeadersWithASentence) {
  const auto header_refusal = [](const std::string& header, char version = 1) {
    return npy_refusal(npy_with(header, six, version));
  };
  const std::string type = "{'descr': '<f4', ", order = "'fortran_order': False, ", shape = "'shape': (2, 3), ";
  for (const char* word : {"true", "TRUE", "1", "'True'", "Truest", "True_", "", "None"}) {
    EXPECT_EQ(header_refusal(type + "'fortran_order': " + word + ", " + shape + "}"),
              "f.npy: the header's 'fortran_order' is neither True nor False")
        << word;
  }
  EXPECT_EQ(header_refusal(order + shape), "f.npy: the header has no '{' where Python's syntax wants one");
  EXPECT_EQ(header_refusal(type + shape + "}"), "f.npy: the header has no 'fortran_order'");
  EXPECT_EQ(header_refusal(type + order + "}"), "f.npy: the header has no 'shape'");
  EXPECT_EQ(header_refusal("{" + order + shape + "}"), "f.npy: the header has no 'descr'");
  EXPECT_EQ(header_refusal(type + order + shape + "'x': 1}"),
            "f.npy: the header has the key 'x'; known are 'descr', 'fortran_order' and 'shape'");
  EXPECT_EQ(header_refusal(type + order + shape + ",}"), "f.npy: the header's key is no string");
  EXPECT_EQ(header_refusal(type + order + shape), "f.npy: the header's key is no string");
  EXPECT_EQ(header_refusal(type + order + shape + "} x"), "f.npy: the header goes on after its dictionary");
  EXPECT_EQ(header_refusal("{'descr': '<f4' 'fortran_order': False, " + shape + "}"),
            "f.npy: the header has no ',' between two entries");
  EXPECT_EQ(header_refusal("{'descr' '<f4', " + order + shape + "}"),
            "f.npy: the header has no ':' where Python's syntax wants one");
  EXPECT_EQ(header_refusal("{'descr': '<f4"), "f.npy: the header ends within 'descr'");
  EXPECT_EQ(header_refusal("{'descr': '\\x3cf4', " + order + shape + "}"),
            "f.npy: the header's 'descr' has a backslash");
  EXPECT_EQ(header_refusal("{'descr': [('a', '<f4')], " + order + shape + "}"),
            "f.npy: a table of structures; logits are an array of float32 or float64");
  // another program wrote one size without a comma, which is a number in brackets
  EXPECT_EQ(header_refusal(type + order + "'shape': (6)}"), "f.npy: the header's shape is no tuple");
  EXPECT_EQ(header_refusal(type + order + "'shape': [2, 3]}"), "f.npy: the header's shape is no tuple");
  for (const char* tuple : {"(2 3)", "(2,,3)", "(,)", "(-2, -3)", "(02, 3)", "(2.0, 3)", "(True, 3)", "(L, 3)"}) {
    EXPECT_EQ(header_refusal(type + order + "'shape': " + tuple + "}"),
              "f.npy: the header's shape is no tuple of sizes")
        << tuple;
  }
  EXPECT_EQ(header_refusal(type + order + "'shape': (2L, 3L)}", 3), "f.npy: the header's shape is no tuple of sizes");
}

TEST(Npy, RefusesTypesThatAreNotServed) {
  for (const char* name : {"<ubyte", "|b1", "|O", "<f2", "<U3", "<M8[ns]", "", "<", "<f16", "<float32"}) {
    EXPECT_EQ(
        npy_refusal(npy(name, "False", "(2, 3)", six)),
        "f.npy: numbers of type '"s + name + "'; known are float32, float64 and integers: save x.astype('float32')");
  }
}

TEST(Npy, RoundsFloat64ToTheNearestFloat) {
  const std::vector<double> values{3.4028235e38, -3.4028235e38, 1e-45, 0.1};
  EXPECT_EQ(parse_npy(npy("<f8", "False", "(2, 2)", bytes_of(values)), "f").values,
            (std::vector<float>{std::numeric_limits<float>::max(), -std::numeric_limits<float>::max(),
                                std::numeric_limits<float>::denorm_min(), 0.1f}));
  EXPECT_EQ(npy_refusal(npy("<f8", "False", "(1, 1)", bytes_of(std::vector<double>{0x1.ffffffp127}))),
            "f.npy:1:1: 3.40282e+38 does not fit into a float");
}

TEST(Npy, RefusesAnIndexColumn) {
  const std::vector<float> with_index{0, 0.5f, 1, 1.5f, 2, 2.5f, 3, 0.25f};
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(4, 2)", bytes_of(with_index))).substr(0, 39),
            "f.npy: the first column counts the rows");
}

TEST(Npy, ReportsErrors) {
  EXPECT_EQ(npy_refusal("\x93NUMPX"), "f.npy: no NPY file");
  EXPECT_EQ(npy_refusal("\x93NUMPY\1"s), "f.npy: no NPY file");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(2, 3)", six, 9)), "f.npy: NPY version 9.0, known are 1.0, 2.0 and 3.0");
  EXPECT_EQ(npy_refusal("\x93NUMPY\1\1\0\0"s), "f.npy: NPY version 1.1, known are 1.0, 2.0 and 3.0");
  EXPECT_EQ(npy_refusal(npy("<f4", "False", "(2, 3)", six).substr(0, 40)), "f.npy: the file ends in its header");
  EXPECT_EQ(npy_refusal(npy("<c8", "False", "(1, 3)", six)),
            "f.npy: numbers of type '<c8'; known are float32, float64 and integers: save x.astype('float32')");
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
