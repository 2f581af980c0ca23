// SPDX-License-Identifier: MIT
/// The C library beside the C++ library and from many threads: outputs have the same bits, each thread has its own last
/// error, and memory that runs out is a code.
#include <chaff/c.h>
#include <gtest/gtest.h>

#include <chaff/apply.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/reductions/top_k.hpp>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>

namespace {
thread_local bool counts = false;
thread_local int allocations_left = 0;
thread_local int held = 0;
}  // namespace

// the library calls these, too; not inlined, since GCC then warns that new and free do not match
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (counts && allocations_left-- == 0) throw std::bad_alloc();
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  held += counts;
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  held -= counts && memory != nullptr;
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}

namespace {

template <class T>
int apply(const chaff_defense* defense, const std::vector<T>& z, std::size_t classes, std::vector<T>& y) {
  if constexpr (std::is_same_v<T, float>) {
    return chaff_apply_f32(defense, z.data(), z.size() / classes, classes, y.data());
  } else {
    return chaff_apply_f64(defense, z.data(), z.size() / classes, classes, y.data());
  }
}

template <class T>
void expect_bits_of_cpp() {
  chaff_defense* defense = nullptr;
  ASSERT_EQ(chaff_defense_create("dcp(beta=1.2, gamma=0.3) | top_k(k=4)", "label_margin=0.02", &defense), CHAFF_OK);
  const auto typed = chaff::dcp{.beta = 1.2, .gamma = 0.3} | chaff::top_k{.k = 4};
  for (const std::size_t classes : {1u, 2u, 10u, 100u, 1000u}) {
    std::vector<T> z(classes * 20), y(z.size()), expected(z.size());
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = static_cast<T>(i * i * 7 % 101) / 8;
    chaff::apply_rows(typed, z, classes, expected, {.label_margin = 0.02});
    ASSERT_EQ(apply(defense, z, classes, y), CHAFF_OK);
    EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.size() * sizeof(T)), 0) << classes << " classes";
  }
  chaff_defense_destroy(defense);
}

TEST(CLibrary, HasTheBitsOfTheCppLibrary) {
  expect_bits_of_cpp<float>();
  expect_bits_of_cpp<double>();
}

TEST(CLibrary, ServesManyThreadsWithAnErrorOfEachsOwn) {
  chaff_defense* shared = nullptr;
  ASSERT_EQ(chaff_defense_create("dcp", nullptr, &shared), CHAFF_OK);
  std::vector<float> z(100), expected(100);
  for (std::size_t i = 0; i < z.size(); ++i) z[i] = static_cast<float>(i % 7);
  ASSERT_EQ(chaff_apply_f32(shared, z.data(), 10, 10, expected.data()), CHAFF_OK);
  std::vector<int> faults(8);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < faults.size(); ++t) {
    threads.emplace_back([&, t] {
      const std::string own = "logit " + std::to_string(t) + " of row 0 is NaN";
      std::vector<float> bad = z, y(100);
      bad[t] = std::numeric_limits<float>::quiet_NaN();
      faults[t] += std::string(chaff_last_error()) != "";
      for (int i = 0; i < 500; ++i) {
        faults[t] += chaff_apply_f32(shared, bad.data(), 10, 10, y.data()) != CHAFF_INVALID_ROW;
        faults[t] += std::string(chaff_last_error()) != "chaff: " + own;
        faults[t] += chaff_apply_f32(shared, z.data(), 10, 10, y.data()) != CHAFF_OK;
        faults[t] += *chaff_last_error() != '\0' || y != expected;
        chaff_defense* mine = nullptr;
        faults[t] += chaff_defense_create("none | rounded(decimals=2)", nullptr, &mine) != CHAFF_OK;
        chaff_defense_destroy(mine);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(faults, std::vector<int>(8));
  EXPECT_STREQ(chaff_last_error(), "");
  chaff_defense_destroy(shared);
}

TEST(CLibrary, ReportsEachAllocationThatFails) {
  int failed = 0, result = CHAFF_OUT_OF_MEMORY;
  chaff_defense* defense = nullptr;
  for (; failed < 1000 && result != CHAFF_OK; ++failed) {
    counts = true;
    held = 0;
    allocations_left = failed;
    result = chaff_defense_create("gated(always, reverse_sigmoid(gamma=0.2)) | top_k | rounded(decimals=2)", "max_l1=1",
                                  &defense);
    counts = false;
    if (result == CHAFF_OK) break;
    ASSERT_EQ(result, CHAFF_OUT_OF_MEMORY);
    EXPECT_STREQ(chaff_last_error(), "chaff: out of memory");
    EXPECT_EQ(defense, nullptr);
    EXPECT_EQ(held, 0) << "blocks that were not freed";
  }
  EXPECT_EQ(result, CHAFF_OK);
  EXPECT_GT(failed, 3);
  chaff_defense_destroy(defense);
}

}  // namespace
