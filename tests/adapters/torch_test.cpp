// SPDX-License-Identifier: MIT
#include <torch/script.h>
// after libtorch, whose macros of the same names would replace GoogleTest's
#include <gtest/gtest.h>
#include <chaff/adapters/torch.hpp>
#include <chaff/chaff.hpp>

#include "quickstart/images.hpp"
#include "quickstart/network.hpp"

namespace {

const std::vector<float> rows{1, 2, 3, 0.5f, 0.25f, 0.75f, -1, 4, 0};

at::Tensor logits() {
  return torch::tensor(rows).reshape({3, 3});
}

std::vector<float> values_of(const at::Tensor& answer) {
  const at::Tensor flat = answer.to(at::kFloat).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

std::vector<float> answers_to(const std::vector<float>& logits, std::size_t classes) {
  std::vector<float> answers(logits.size());
  chaff::apply_rows(chaff::dcp{}, logits, classes, answers);
  return answers;
}

std::vector<float> expected() {
  return answers_to(rows, 3);
}

TEST(Torch, TensorIsAnsweredAsSpansAreInItsShape) {
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{3, 3}, {3, 3, 1}, {3, 1, 3}, {3, 3, 1, 1}, {3, 1, 1, 3}, {3, 1, 3, 1, 1}}) {
    const at::Tensor answer = chaff::apply(chaff::dcp{}, logits().reshape(shape));
    EXPECT_EQ(answer.sizes().vec(), shape);
    EXPECT_EQ(answer.scalar_type(), at::kFloat);
    EXPECT_EQ(values_of(answer), expected());
  }
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, logits()[0])), values_of(chaff::apply(chaff::dcp{}, logits())[0]));
}

TEST(Torch, StridedTensorsAndThoseWithGradientsAreAnswered) {
  const at::Tensor strided = logits().t().contiguous().t();
  ASSERT_FALSE(strided.is_contiguous());
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, strided)), expected());
  const at::Tensor answer = chaff::apply(chaff::dcp{}, logits().requires_grad_());
  EXPECT_FALSE(answer.requires_grad());
  EXPECT_EQ(values_of(answer), expected());
}

TEST(Torch, DoubleIsKeptAndHalvesBecomeFloat) {
  EXPECT_EQ(chaff::apply(chaff::dcp{}, logits().to(at::kDouble)).scalar_type(), at::kDouble);
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    const at::Tensor answer = chaff::apply(chaff::dcp{}, logits().to(type));  // these logits are exact in both
    EXPECT_EQ(answer.scalar_type(), at::kFloat);
    EXPECT_EQ(values_of(answer), expected());
  }
}

TEST(Torch, LogitsAreLeftAsTheyWere) {
  const at::Tensor given = logits();
  static_cast<void>(chaff::apply(chaff::dcp{}, given));
  EXPECT_EQ(values_of(given), rows);
}

TEST(Torch, BatchOfNoRowsIsAnsweredWithNone) {
  EXPECT_EQ(chaff::apply(chaff::dcp{}, torch::zeros({0, 3})).sizes().vec(), (std::vector<std::int64_t>{0, 3}));
}

std::string refusal(const at::Tensor& bad, const chaff::policy& policy = {}) {
  try {
    static_cast<void>(chaff::apply(chaff::dcp{}, bad, policy));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(Torch, WhatAreNoLogitsIsRefused) {
  EXPECT_EQ(refusal(torch::zeros({2, 3}, at::kLong)),
            "chaff: logits are CPULongType, allowed are dense tensors of a floating point type");
  EXPECT_NE(refusal(torch::zeros({2, 3}).to_sparse()).find("dense"), std::string::npos);
  EXPECT_NE(refusal(torch::quantize_per_tensor(torch::zeros({2, 3}), 0.1, 0, at::kQInt8)).find("dense"),
            std::string::npos);
  EXPECT_EQ(refusal(at::Tensor()),
            "chaff: logits are an undefined tensor, allowed are dense tensors of a floating point type");
  for (const at::ScalarType type : {at::kByte, at::kChar, at::kInt, at::kBool, at::kComplexFloat}) {
    EXPECT_NE(refusal(torch::zeros({2, 3}, type)).find("dense tensors of a floating point type"), std::string::npos);
  }
  EXPECT_EQ(refusal(torch::empty({2, 3}, at::TensorOptions(at::kMeta))),
            "chaff: logits are a tensor on the device meta, which has no values");
  EXPECT_NE(refusal(torch::zeros({2, 3}).to_sparse_csr()).find("dense"), std::string::npos);
  EXPECT_NE(refusal(torch::zeros({2, 3}).to_mkldnn()).find("dense"), std::string::npos);
  EXPECT_NE(refusal(at::_nested_tensor_from_tensor_list({torch::zeros({2, 3}), torch::zeros({1, 3})})).find("nested"),
            std::string::npos);
  EXPECT_NE(refusal(torch::zeros({2, 0})).find("has 0 classes"), std::string::npos);
  EXPECT_NE(refusal(torch::zeros({0})).find("has 0 classes"), std::string::npos);
  EXPECT_THROW(static_cast<void>(chaff::apply(chaff::dcp{}, torch::full({2, 3}, NAN))), std::domain_error);
}

TEST(Torch, ColumnIsOneRowOrABatchAsThePolicySays) {
  const at::Tensor column = torch::tensor(rows).reshape({9, 1});
  EXPECT_NE(refusal(column).find("set policy.classes to 9 if it is one row, or to 1 if each value is a row"),
            std::string::npos);
  for (const std::size_t classes : {9u, 3u, 1u}) {
    const at::Tensor answer = chaff::apply(chaff::dcp{}, column, {.classes = classes});
    EXPECT_EQ(answer.sizes(), column.sizes());
    EXPECT_EQ(values_of(answer), answers_to(rows, classes)) << classes;
  }
  EXPECT_NE(refusal(column, {.classes = 4}).find("policy.classes is 4"), std::string::npos);
}

TEST(Torch, OneDimensionIsOneRowAndASingleValueIsASigmoid) {
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, torch::tensor(rows))), answers_to(rows, 9));
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, torch::tensor(rows), {.classes = 1})), answers_to(rows, 1));
  const at::Tensor single = chaff::apply(chaff::dcp{}, torch::tensor(1.0f));
  EXPECT_EQ(single.dim(), 0);
  EXPECT_EQ(values_of(single), answers_to({1}, 1));
}

TEST(Torch, SequenceIsAnsweredWhereThePolicySaysThatItsClassesAreLast) {
  const at::Tensor sequence = logits().reshape({1, 3, 3});
  EXPECT_NE(refusal(sequence).find("logits are 1 x 3 x 3; set policy.classes to 3"), std::string::npos);
  const at::Tensor answer = chaff::apply(chaff::dcp{}, sequence, {.classes = 3});
  EXPECT_EQ(answer.sizes(), sequence.sizes());
  EXPECT_EQ(values_of(answer), expected());
}

TEST(Torch, LazilyNegatedTensorIsAnsweredAsItsValues) {
  const at::Tensor negated = (-logits()).contiguous()._neg_view();
  ASSERT_TRUE(negated.is_neg());
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, negated)), expected());
  const at::Tensor imaginary = at::imag(torch::complex(torch::zeros({3, 3}), -logits()).conj());
  ASSERT_TRUE(imaginary.is_neg());
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, imaginary)), expected());
  const at::Tensor real = at::real(torch::complex(logits(), logits()).conj());
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, real)), expected());
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, negated.to(at::kHalf))), expected());
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, negated.requires_grad_())), expected());
}

TEST(Torch, ZeroTensorWithoutMemoryIsAnsweredAsZeros) {
  const at::Tensor zeros = at::_efficientzerotensor({2, 3}, at::TensorOptions(at::kFloat));
  ASSERT_TRUE(zeros._is_zerotensor());
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, zeros)), values_of(chaff::apply(chaff::dcp{}, torch::zeros({2, 3}))));
}

TEST(Torch, ViewsAreAnsweredAsTheirValues) {
  const at::Tensor row = torch::tensor(rows);
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, row.expand({4, 9}))),
            values_of(chaff::apply(chaff::dcp{}, row.expand({4, 9}).contiguous())));
  const at::Tensor wide = torch::cat({logits(), logits()}, 1);
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, wide.slice(1, 3, 6))), expected());
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, wide.slice(1, 0, 6, 2))),
            values_of(chaff::apply(chaff::dcp{}, wide.slice(1, 0, 6, 2).contiguous())));
  const at::Tensor channels_last = logits().reshape({3, 3, 1, 1}).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, channels_last)), expected());
  const torch::InferenceMode guard;
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, logits().t().t())), expected());
}

TEST(Torch, DefendedNetworkReturnsWhatApplyReturns) {
  const std::string examples = CHAFF_EXAMPLES;
  const labelled_images images(examples + "/data/images.idx3-ubyte", examples + "/data/labels.idx1-ubyte");
  torch::jit::Module net = torch::jit::load(examples + "/libtorch/network.pt");
  const at::Tensor pixels = torch::from_blob(const_cast<float*>(images.pixels.data()), {20, 1, 28, 28});
  at::Tensor given;
  auto served = chaff::defend(
      [&](const at::Tensor& x) {
        given = net.forward({x}).toTensor();
        return given;
      },
      chaff::dcp{.beta = 1.2});
  const at::Tensor answer = served(pixels);
  ASSERT_EQ(answer.sizes().vec(), (std::vector<std::int64_t>{20, 10}));
  const std::vector<float> logits = values_of(given.detach());
  std::vector<float> expected(logits.size());
  chaff::apply_rows(chaff::dcp{.beta = 1.2}, logits, 10, expected);
  EXPECT_EQ(values_of(answer), expected);
}

TEST(Torch, DecoyMayReturnATensor) {
  const auto model = [](const at::Tensor& x) { return 2 * x; };
  const auto decoy = [](const at::Tensor& x) { return (-x).to(at::kDouble); };
  const at::Tensor answer = chaff::defend(model, chaff::decoy{decoy}, {.keep_label = false})(logits());
  EXPECT_TRUE(torch::allclose(answer, (-logits()).softmax(1), 0, 1e-6));
}

TEST(Torch, DecoyMayReturnALazilyNegatedTensor) {
  const auto model = [](const at::Tensor& x) { return 2 * x; };
  const auto decoy = [](const at::Tensor& x) { return x.to(at::kDouble)._neg_view(); };
  const at::Tensor answer = chaff::defend(model, chaff::decoy{decoy}, {.keep_label = false})(logits());
  EXPECT_TRUE(torch::allclose(answer, (-logits()).softmax(1), 0, 1e-6));
}

TEST(Torch, ExportedNetworkIsTheQuickstarts) {
  const std::string examples = CHAFF_EXAMPLES;
  const network model(examples + "/quickstart/weights.bin");
  const labelled_images images(examples + "/data/images.idx3-ubyte", examples + "/data/labels.idx1-ubyte");
  torch::jit::Module net = torch::jit::load(examples + "/libtorch/network.pt");
  const at::Tensor pixels = torch::from_blob(const_cast<float*>(images.pixels.data()), {100, 1, 28, 28});
  const at::Tensor found = net.forward({pixels}).toTensor().detach();
  for (Eigen::Index i = 0; i < 100; ++i) {
    const Eigen::VectorXf own = model(images.pixels.row(i));
    for (int j = 0; j < 10; ++j) EXPECT_NEAR(found[i][j].item<float>(), own[j], 1e-3f) << i;
  }
}

}  // namespace
