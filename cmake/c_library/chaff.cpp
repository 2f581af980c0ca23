// SPDX-License-Identifier: MIT
/// The library libchaff: chaff/c.h over any_defense.
#include <chaff/any_defense.hpp>
#include <chaff/version.hpp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>

// all else is hidden
#pragma GCC visibility push(default)
#include <chaff/c.h>
#pragma GCC visibility pop

struct chaff_defense {
  chaff::any_defense defense;
  chaff::policy policy;
};

namespace {

thread_local char last_error[256];

int fail(int code, const char* message) {
  std::snprintf(last_error, sizeof last_error, "%s", message);
  return code;
}

/// Runs `run`, and turns an exception into its code and the last error.
template <class Run>
int run_without_exceptions(Run run) {
  try {
    run();
    last_error[0] = '\0';
    return CHAFF_OK;
  } catch (const std::domain_error& error) {
    return fail(CHAFF_INVALID_ROW, error.what());
  } catch (const std::invalid_argument& error) {
    return fail(CHAFF_INVALID_ARGUMENT, error.what());
  } catch (...) {  // bad_alloc, or length_error of a text that no memory holds
    return fail(CHAFF_OUT_OF_MEMORY, "chaff: out of memory");
  }
}

/// What is wrong with the arguments of a call, or null.
template <class T>
const char* find_fault(const chaff_defense* defense, const T* logits, std::size_t rows, std::size_t classes,
                       const T* output) {
  const auto is_aligned = [](const T* memory) { return reinterpret_cast<std::uintptr_t>(memory) % alignof(T) == 0; };
  if (defense == nullptr) return "chaff: the defense is NULL";
  if (classes == 0) return "chaff: a row has 0 classes, allowed is 1 or more";
  if (defense->policy.classes != 0 && defense->policy.classes != classes) {
    return "chaff: the policy says how many classes a row has, and the call says otherwise";
  }
  if (rows == 0) return nullptr;
  if (logits == nullptr) return "chaff: the logits are NULL";
  if (output == nullptr) return "chaff: the output is NULL";
  if (!is_aligned(logits)) return "chaff: the logits are not aligned as their type is";
  if (!is_aligned(output)) return "chaff: the output is not aligned as its type is";
  return nullptr;
}

template <class T>
int apply_rows(const chaff_defense* defense, const T* logits, std::size_t rows, std::size_t classes, T* output) {
  const std::size_t most = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / sizeof(T);
  if (classes != 0 && rows > most / classes) {
    return fail(CHAFF_INVALID_ARGUMENT, "chaff: rows times classes is more than memory can hold");
  }
  const std::size_t size = rows * classes;
  if (const char* const fault = find_fault(defense, logits, rows, classes, output)) {
    // as bytes, since the output may not be aligned
    if (output != nullptr) std::memset(static_cast<void*>(output), 0, size * sizeof(T));
    return fail(CHAFF_INVALID_ARGUMENT, fault);
  }
  return run_without_exceptions([&] {
    chaff::apply_rows(defense->defense, std::span<const T>(logits, size), classes, std::span<T>(output, size),
                      defense->policy);
  });
}

#define CHAFF_TEXT_OF_EXPANDED(name) #name
#define CHAFF_TEXT_OF(name) CHAFF_TEXT_OF_EXPANDED(name)
/// CHAFF_ABI without the version and the way of errors before and after it: avx2_fma_bmi2 of v0_1_avx2_fma_bmi2.
constexpr std::string_view abi = CHAFF_TEXT_OF(CHAFF_ABI);
constexpr std::string_view instruction_set = abi.substr(abi.find('_', abi.find('_') + 1) + 1);

struct version_text {
  char text[64] = {};

  constexpr version_text() {
    std::size_t at = 0;
    const auto append = [&](std::string_view more) {
      for (const char c : more) text[at++] = c;
    };
    append(CHAFF_TEXT_OF(CHAFF_VERSION_MAJOR) "." CHAFF_TEXT_OF(CHAFF_VERSION_MINOR) "." CHAFF_TEXT_OF(
        CHAFF_VERSION_PATCH) " (");
    append(instruction_set);
    append(")");
  }
};
constexpr version_text version;

}  // namespace

int chaff_defense_create(const char* defense, const char* policy, chaff_defense** created) {
  if (created == nullptr) return fail(CHAFF_INVALID_ARGUMENT, "chaff: there is no place for the defense: it is NULL");
  *created = nullptr;
  if (defense == nullptr) return fail(CHAFF_INVALID_ARGUMENT, "chaff: the text of the defense is NULL");
  return run_without_exceptions([&] {
    const chaff_defense both{chaff::parse_defense(defense), chaff::parse_policy(policy == nullptr ? "" : policy)};
    chaff::check(both.defense, both.policy);
    *created = new chaff_defense(both);
  });
}

int chaff_apply_f32(const chaff_defense* defense, const float* logits, size_t rows, size_t classes, float* output) {
  return apply_rows(defense, logits, rows, classes, output);
}

int chaff_apply_f64(const chaff_defense* defense, const double* logits, size_t rows, size_t classes, double* output) {
  return apply_rows(defense, logits, rows, classes, output);
}

void chaff_defense_destroy(chaff_defense* defense) {
  delete defense;
}

const char* chaff_last_error(void) {
  return last_error;
}

const char* chaff_version(void) {
  return version.text;
}
