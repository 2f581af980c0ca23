// SPDX-License-Identifier: MIT
/// Runs models that end in chaff.Defend in ONNX Runtime itself, and compares with what the C++ library answers.
#include <gtest/gtest.h>
#define ORT_API_MANUAL_INIT
#include <dlfcn.h>
#include <onnxruntime_cxx_api.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chaff/core.hpp>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <thread>

#include "readme.hpp"

namespace {

const Ort::Env& environment() {
  static const Ort::Env env = [] {
    Ort::InitApi(OrtGetApiBase()->GetApi(17));
    return Ort::Env(ORT_LOGGING_LEVEL_FATAL);
  }();
  return env;
}

Ort::Session session_of(const std::string& model) {
  const Ort::Env& env = environment();
  Ort::SessionOptions options;
  options.RegisterCustomOpsLibrary(CHAFF_OPERATOR);
  return Ort::Session(env, (std::string(CHAFF_MODELS "/") + model + ".onnx").c_str(), options);
}

using sizes = std::vector<std::int64_t>;

template <class T>
struct tensor {
  sizes shape;
  std::vector<T> values;
};

template <class T>
tensor<T> run(Ort::Session& session, tensor<T> input, const char* input_name = "x", const char* output_name = "y") {
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  const auto value = Ort::Value::CreateTensor<T>(memory, input.values.data(), input.values.size(), input.shape.data(),
                                                 input.shape.size());
  const auto outputs = session.Run(Ort::RunOptions{}, &input_name, &value, 1, &output_name, 1);
  const auto info = outputs[0].GetTensorTypeAndShapeInfo();
  const T* const data = outputs[0].template GetTensorData<T>();
  return {info.GetShape(), std::vector<T>(data, data + info.GetElementCount())};
}

template <class T>
tensor<T> random_logits(const sizes& shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  std::mt19937 random(7);
  std::normal_distribution<double> draw(0, 3);
  tensor<T> logits{shape, std::vector<T>(count)};
  for (T& value : logits.values) value = static_cast<T>(draw(random));
  return logits;
}

template <class T>
void expect_same_bits(const std::vector<T>& found, const std::vector<T>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  EXPECT_TRUE(std::memcmp(found.data(), expected.data(), found.size() * sizeof(T)) == 0);
}

/// What the library answers for rows of logits.
template <class T>
std::vector<T> outputs_of_apply(const std::vector<T>& logits, std::size_t classes, const auto& defense,
                                const chaff::policy& policy = {}) {
  std::vector<T> outputs(logits.size());
  chaff::apply_rows(defense, logits, classes, outputs, policy);
  return outputs;
}

template <class T>
void expect_answers_of_apply(const std::string& model, const sizes& shape, std::size_t classes, const auto& defense,
                             const chaff::policy& policy = {}) {
  Ort::Session session = session_of(model);
  const tensor<T> logits = random_logits<T>(shape);
  const tensor<T> answers = run(session, logits);
  EXPECT_EQ(answers.shape, shape);
  expect_same_bits(answers.values, outputs_of_apply<T>(logits.values, classes, defense, policy));
}

/// Fails where `run` raises no Ort::Exception, or one without this text.
void expect_status(const std::string& text, auto run) {
  try {
    run();
    ADD_FAILURE() << "no error; expected: " << text;
  } catch (const Ort::Exception& error) {
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

TEST(Operator, AnswersOfTheQuickstartsNetworkAreThoseOfApply) {
  Ort::Session plain = session_of("network"), defended = session_of("network_defended");
  tensor<float> images = random_logits<float>({20, 1, 28, 28});
  for (float& value : images.values) value = value > 0 ? value / 10 : 0;
  const tensor<float> logits = run(plain, images, "images", "logits");
  const tensor<float> answers = run(defended, images, "images", "logits");
  const auto expected = outputs_of_apply(logits.values, 10, chaff::dcp{.beta = 1.2});
  expect_same_bits(answers.values, expected);
  EXPECT_NE(answers.values, logits.values);
}

TEST(Readme, CodeAnswersTheValueThatRunReturns) {
  Ort::Session session = session_of("network");
  std::vector<float> pixels(2 * 28 * 28, 0.25f);
  const std::int64_t shape[] = {2, 1, 28, 28};
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  const auto images = Ort::Value::CreateTensor<float>(memory, pixels.data(), pixels.size(), shape, 4);
  const char* const inputs[] = {"images"};
  const char* const outputs[] = {"logits"};
  auto values = session.Run(Ort::RunOptions{}, inputs, &images, 1, outputs, 1);
  float* const logits = values[0].GetTensorMutableData<float>();
  const auto expected = outputs_of_apply(std::vector<float>(logits, logits + 20), 10, chaff::dcp{});
  defend(values[0]);
  expect_same_bits(std::vector<float>(logits, logits + 20), expected);
}

TEST(Operator, ReadsFloatAndDoubleOfEveryRank) {
  const chaff::dcp defense{.beta = 1.2};
  expect_answers_of_apply<float>("float", {10}, 10, defense);
  expect_answers_of_apply<float>("float", {33, 10}, 10, defense);
  expect_answers_of_apply<float>("float", {5, 1000, 1, 1}, 1000, defense);
  expect_answers_of_apply<float>("float", {1}, 1, defense);
  expect_answers_of_apply<float>("float", {}, 1, defense);
  expect_answers_of_apply<double>("double", {10}, 10, defense);
  expect_answers_of_apply<double>("double", {33, 10}, 10, defense);
  expect_answers_of_apply<double>("double", {5, 1000, 1, 1}, 1000, defense);
}

TEST(Operator, FollowsThePolicyAndReductions) {
  expect_answers_of_apply<float>("energy", {64, 7}, 7, chaff::energy_dcp{.tau = 1.5} | chaff::top_k{.k = 2},
                                 {.label_margin = 0.011});
  expect_answers_of_apply<float>("three_classes", {12}, 3, chaff::dcp{.beta = 1.2});
}

TEST(Operator, NoRowsAreAnsweredByNone) {
  Ort::Session session = session_of("float");
  EXPECT_EQ(run(session, tensor<float>{{0, 10}, {}}).shape, (sizes{0, 10}));
}

TEST(Operator, KeepsTheLabelsOfTheQuickstartsNetwork) {
  Ort::Session plain = session_of("network"), defended = session_of("network_defended");
  const tensor<float> images = random_logits<float>({50, 1, 28, 28});
  const tensor<float> logits = run(plain, images, "images", "logits");
  const tensor<float> answers = run(defended, images, "images", "logits");
  ASSERT_EQ(answers.shape, (sizes{50, 10}));
  for (std::size_t i = 0; i < 500; i += 10) {
    const auto label_of = [i](const std::vector<float>& values) {
      const float* const row = values.data() + i;
      return std::max_element(row, row + 10) - row;
    };
    EXPECT_EQ(label_of(answers.values), label_of(logits.values)) << "image " << i / 10;
  }
}

TEST(Operator, TwoOutputsOfAModelCanBeDefended) {
  Ort::Session session = session_of("two_heads");
  const tensor<float> logits = random_logits<float>({4, 6});
  expect_same_bits(run(session, logits, "x", "y").values, outputs_of_apply(logits.values, 6, chaff::dcp{.beta = 1.2}));
  expect_same_bits(run(session, logits, "x", "features").values,
                   outputs_of_apply(logits.values, 6, chaff::dcp{.beta = 0.9}));
}

TEST(Operator, BodiesOfAnIfReadTheLogitsAsNodesOutsideDo) {
  Ort::Session session = session_of("branches");
  const tensor<float> logits = random_logits<float>({4, 6});
  expect_same_bits(run(session, logits, "x", "copy").values, logits.values);
  expect_same_bits(run(session, logits).values, outputs_of_apply(logits.values, 6, chaff::dcp{.beta = 1.2}));
}

TEST(Operator, LeavesOtherOutputsAlone) {
  Ort::Session session = session_of("two_outputs");
  const tensor<float> logits = random_logits<float>({4, 6});
  expect_same_bits(run(session, logits, "x", "features").values, logits.values);
  expect_same_bits(run(session, logits).values, outputs_of_apply(logits.values, 6, chaff::dcp{.beta = 1.2}));
}

TEST(Operator, WrongTextIsTheStatusOfTheSession) {
  expect_status("beta is -1, allowed is [0, 1000]", [] { session_of("bad_defense"); });
  expect_status("max_l1 is 3, allowed is [0, 2]", [] { session_of("bad_policy"); });
  expect_status("keep_label", [] { session_of("label_cannot_be_kept"); });
  expect_status("chaff.Defend needs the attribute defense", [] { session_of("no_defense"); });
  expect_status("chaff.Defend's attribute defense must be a string", [] { session_of("number_for_defense"); });
  expect_status("chaff.Defend's attribute policy must be a string", [] { session_of("number_for_policy"); });
  expect_status("chaff.Defend's attribute defense must be a string", [] { session_of("list_for_defense"); });
  expect_status("defense, position 0", [] { session_of("empty_defense"); });
}

TEST(Operator, EmptyPolicyIsTheDefaultOne) {
  expect_answers_of_apply<float>("empty_policy", {3, 10}, 10, chaff::dcp{.beta = 1.2});
}

TEST(Operator, ModelOfIntegersIsRefusedByTheRuntime) {
  expect_status("Defend", [] { session_of("integers"); });
}

TEST(Operator, ModelThatDoesNotImportTheDomainIsAnswered) {
  expect_answers_of_apply<float>("no_import", {3, 10}, 10, chaff::dcp{});
}

TEST(Operator, HostThatDoesNotRegisterTheLibraryGetsNoLogits) {
  const Ort::Env& env = environment();
  expect_status("chaff", [&] { Ort::Session(env, CHAFF_MODELS "/network_defended.onnx", Ort::SessionOptions()); });
}

TEST(Operator, WrongRowIsTheStatusOfTheRun) {
  Ort::Session session = session_of("float");
  tensor<float> logits = random_logits<float>({3, 4});
  logits.values[6] = std::numeric_limits<float>::quiet_NaN();
  expect_status("chaff: logit 2 of row 1 is NaN", [&] { run(session, logits); });
  logits.values[6] = std::numeric_limits<float>::infinity();
  expect_status("chaff: logit 2 of row 1 is +inf", [&] { run(session, logits); });
  expect_status("policy.classes", [&] { run(session, random_logits<float>({3, 1})); });
  expect_status("3 x 0", [&] { run(session, random_logits<float>({3, 0})); });
  expect_status("policy.classes", [&] { run(session, random_logits<float>({3, 2, 4})); });
  expect_status("policy.classes", [&] {
    Ort::Session three = session_of("three_classes");
    run(three, random_logits<float>({2, 4}));
  });
  EXPECT_NO_THROW(run(session, random_logits<float>({3, 4})));
}

/// The library's entry point; it stays loaded for the rest of the test program.
auto entry_point(const char* library = CHAFF_OPERATOR) {
  void* const handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(handle, nullptr) << dlerror();
  return reinterpret_cast<OrtStatus* (*)(OrtSessionOptions*, const OrtApiBase*)>(dlsym(handle, "RegisterCustomOps"));
}

TEST(Operator, RuntimeThatIsTooOldIsTold) {
  environment();
  static const OrtApiBase old{
      [](std::uint32_t version) noexcept { return version <= 16 ? OrtGetApiBase()->GetApi(version) : nullptr; },
      []() noexcept { return "1.16.3"; }};
  Ort::SessionOptions options;
  expect_status("chaff.Defend needs ONNX Runtime 1.17 or newer",
                [&] { Ort::ThrowOnError(entry_point()(options, &old)); });
}

TEST(Operator, SecondRuntimeOfAProcessNeedsItsOwnCopyOfTheLibrary) {
  Ort::Session session = session_of("float");
  void* const other = dlopen(CHAFF_OTHER_RUNTIME, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(other, nullptr) << dlerror();
  const auto* const base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(other, "OrtGetApiBase"))();
  ASSERT_STRNE(base->GetVersionString(), OrtGetApiBase()->GetVersionString());
  const OrtApi& api = *base->GetApi(17);
  OrtSessionOptions* options = nullptr;
  ASSERT_EQ(api.CreateSessionOptions(&options), nullptr);

  OrtStatus* const refusal = entry_point()(options, base);
  ASSERT_NE(refusal, nullptr);
  EXPECT_STREQ(api.GetErrorMessage(refusal), "chaff.Defend serves another ONNX Runtime of this process already");
  api.ReleaseStatus(refusal);
  const tensor<float> logits = random_logits<float>({3, 10});
  const auto expected = outputs_of_apply(logits.values, 10, chaff::dcp{.beta = 1.2});
  expect_same_bits(run(session, logits).values, expected);

  const std::string copy = testing::TempDir() + "chaff_operator_for_another_runtime_" + std::to_string(getpid());
  std::filesystem::copy_file(CHAFF_OPERATOR, copy);
  EXPECT_EQ(entry_point(copy.c_str())(options, base), nullptr);
  std::filesystem::remove(copy);
  expect_same_bits(run(session, logits).values, expected);
  api.ReleaseSessionOptions(options);
}

TEST(Operator, IsUnloadedWithItsLastSession) {
  const auto is_loaded = [] {
    void* const handle = dlopen(CHAFF_OPERATOR, RTLD_NOW | RTLD_NOLOAD);
    if (handle != nullptr) dlclose(handle);
    return handle != nullptr;
  };
  {
    Ort::Session session = session_of("float");
    EXPECT_TRUE(is_loaded());
  }
  EXPECT_FALSE(is_loaded());
  expect_answers_of_apply<float>("float", {3, 10}, 10, chaff::dcp{.beta = 1.2});
}

TEST(Operator, RegisteringItTwiceIsAStatus) {
  environment();
  Ort::SessionOptions options;
  options.RegisterCustomOpsLibrary(CHAFF_OPERATOR);
  options.RegisterCustomOpsLibrary(CHAFF_OPERATOR);
  expect_status("already", [&] { Ort::Session(environment(), CHAFF_MODELS "/float.onnx", options); });
}

TEST(Runtime, HasTheVersionOfTheTestsName) {
  EXPECT_STREQ(OrtGetApiBase()->GetVersionString(), CHAFF_RUNTIME_VERSION);
}

TEST(Operator, ThreadsAndSessionsShareIt) {
  Ort::Session session = session_of("float");
  const tensor<float> logits = random_logits<float>({50, 10});
  const auto expected = outputs_of_apply(logits.values, 10, chaff::dcp{.beta = 1.2});
  std::vector<std::thread> threads;
  std::atomic<int> equal{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) equal += run(session, logits).values == expected;
    });
  }
  for (int i = 0; i < 20; ++i) session_of("float");  // the library is registered again and again
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(equal, 200);
}

}  // namespace
