# SPDX-License-Identifier: MIT
# chaff/int8/c.h in unity builds, where several files become one: in each order of the files.
include(${CMAKE_CURRENT_LIST_DIR}/trial.cmake)

project_with(unity [[
project(unity LANGUAGES C CXX)
set(CMAKE_UNITY_BUILD ON)
find_package(chaff REQUIRED COMPONENTS int8)
set(warnings -Wall -Wextra -Wpedantic -Werror)
set(sources bare.cpp implementation.cpp cpp_headers_first.cpp c_header_first.cpp)
foreach(order 0 1 2 3)
  add_executable(order_${order} ${sources} main.c second.c)
  target_link_libraries(order_${order} PRIVATE chaff::int8)
  target_compile_options(order_${order} PRIVATE ${warnings})
  list(POP_FRONT sources first)
  list(APPEND sources ${first})
endforeach()
list(REVERSE sources)
add_executable(order_4 ${sources} second.c main.c)
target_link_libraries(order_4 PRIVATE chaff::int8)
target_compile_options(order_4 PRIVATE ${warnings})
]])
file(WRITE "${WORK}/unity/bare.cpp" [[
#include <chaff/int8/c.h>
#include <cstdint>
#include <chaff/int8/c.h>
int bare(chaff_int8_table* table) { return chaff_int8_softmax_table(table, 0.1f); }
]])
file(WRITE "${WORK}/unity/implementation.cpp" [[
#define CHAFF_INT8_IMPLEMENTATION
#include <chaff/int8/c.h>
#include <chaff/int8/c.h>
]])
file(WRITE "${WORK}/unity/cpp_headers_first.cpp" [[
#include <cstdint>
#include <chaff/int8/dcp.hpp>
#include <chaff/int8/c.h>
constexpr chaff::int8::dcp one({.input_scale = 0.1f});
int cpp_headers_first(chaff_int8_table* table) { return chaff_int8_dcp_table(table, 0.1f, 0.9f, 0.2f, 1000, 0.9f, 0); }
]])
file(WRITE "${WORK}/unity/c_header_first.cpp" [[
#include <chaff/int8/c.h>
#include <chaff/int8/reverse_sigmoid.hpp>
#include <stdint.h>
constexpr chaff::int8::reverse_sigmoid other({.input_scale = 0.1f});
int c_header_first(chaff_int8_table* table) { return chaff_int8_reverse_sigmoid_table(table, 0.1f, 0.9f, 0.2f, 1); }
]])
file(WRITE "${WORK}/unity/second.c" [[
#include <stdint.h>
#include <chaff/int8/c.h>
#include <chaff/int8/c.h>
void second(const chaff_int8_table* table, const int8_t* logits, int8_t* codes);
void second(const chaff_int8_table* table, const int8_t* logits, int8_t* codes) {
  chaff_int8_answer_s8(logits, 1, 3, table, codes);
}
]])
# exp(0) / (exp(0) + 2 exp(-10)) = 0.99991, the code 255 - 128 of a softmax; exp(-10) rounds to 0 - 128
file(WRITE "${WORK}/unity/main.c" [[
#include <chaff/int8/c.h>
#include <stdint.h>
#include <stdio.h>
void second(const chaff_int8_table* table, const int8_t* logits, int8_t* codes);
int main(void) {
  static chaff_int8_table table;
  const int8_t logits[3] = {-50, 50, -50};
  int8_t codes[3];
  if (chaff_int8_softmax_table(&table, 0.1f) != 0) return 1;
  second(&table, logits, codes);
  printf("codes %d %d %d\n", codes[0], codes[1], codes[2]);
  return 0;
}
]])
configure(SUCCEEDS "" "${WORK}/unity" "${WORK}/build" "-DCMAKE_PREFIX_PATH=${PACKAGE}")
run(SUCCEEDS "" "${CMAKE_COMMAND}" --build "${WORK}/build")
foreach(order 0 1 2 3 4)
  run(SUCCEEDS "codes -128 127 -128" "${WORK}/build/order_${order}")
endforeach()

# The implementation in a C file: a sentence in place of a missing header.
file(WRITE "${WORK}/wrong.c" "#define CHAFF_INT8_IMPLEMENTATION\n#include <chaff/int8/c.h>\n")
run(FAILS "CHAFF_INT8_IMPLEMENTATION belongs in a C++ file" "${C_COMPILER}" -fsyntax-only "-I${SOURCE}/include" "${WORK}/wrong.c")
# C++ code that includes the header as it would any C header.
file(WRITE "${WORK}/extern_c.cpp" "extern \"C\" {\n#include <chaff/int8/c.h>\n}\n#define CHAFF_INT8_IMPLEMENTATION\n#include <chaff/int8/c.h>\n")
run(SUCCEEDS "" "${COMPILER}" -std=c++20 -fsyntax-only "-I${SOURCE}/include" "${WORK}/extern_c.cpp")
