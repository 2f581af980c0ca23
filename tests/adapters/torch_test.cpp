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

std::vector<float> expected() {
  std::vector<float> answers(rows.size());
  chaff::apply_rows(chaff::dcp{}, rows, 3, answers);
  return answers;
}

TEST(torch_adapter, answers_as_spans_do_and_keeps_the_shape) {
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{3, 3}, {3, 1, 3}, {1, 3, 1, 3}}) {
    const at::Tensor answer = chaff::apply(chaff::dcp{}, logits().reshape(shape));
    EXPECT_EQ(answer.sizes().vec(), shape);
    EXPECT_EQ(answer.scalar_type(), at::kFloat);
    EXPECT_EQ(values_of(answer), expected());
  }
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, logits()[0])), values_of(chaff::apply(chaff::dcp{}, logits())[0]));
}

TEST(torch_adapter, answers_strided_tensors_and_those_with_gradients) {
  const at::Tensor strided = logits().t().contiguous().t();
  ASSERT_FALSE(strided.is_contiguous());
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, strided)), expected());
  const at::Tensor answer = chaff::apply(chaff::dcp{}, logits().requires_grad_());
  EXPECT_FALSE(answer.requires_grad());
  EXPECT_EQ(values_of(answer), expected());
}

TEST(torch_adapter, keeps_double_and_turns_halves_to_float) {
  EXPECT_EQ(chaff::apply(chaff::dcp{}, logits().to(at::kDouble)).scalar_type(), at::kDouble);
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    const at::Tensor answer = chaff::apply(chaff::dcp{}, logits().to(type));  // these logits are exact in both
    EXPECT_EQ(answer.scalar_type(), at::kFloat);
    EXPECT_EQ(values_of(answer), expected());
  }
}

TEST(torch_adapter, leaves_logits_as_they_were) {
  const at::Tensor given = logits();
  chaff::apply(chaff::dcp{}, given);
  EXPECT_EQ(values_of(given), rows);
}

TEST(torch_adapter, answers_no_rows_with_none) {
  EXPECT_EQ(chaff::apply(chaff::dcp{}, torch::zeros({0, 3})).sizes().vec(), (std::vector<std::int64_t>{0, 3}));
}

std::string refusal(const at::Tensor& bad) {
  try {
    chaff::apply(chaff::dcp{}, bad);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(torch_adapter, refuses_what_are_no_logits) {
  EXPECT_EQ(refusal(torch::zeros({2, 3}, at::kLong)),
            "chaff: logits are CPULongType, allowed are dense tensors of a floating point type");
  EXPECT_NE(refusal(torch::zeros({2, 3}).to_sparse()).find("dense"), std::string::npos);
  EXPECT_NE(refusal(torch::quantize_per_tensor(torch::zeros({2, 3}), 0.1, 0, at::kQInt8)).find("dense"),
            std::string::npos);
  EXPECT_EQ(refusal(at::Tensor()),
            "chaff: logits are an undefined tensor, allowed are dense tensors of a floating point type");
  EXPECT_EQ(refusal(torch::tensor(1.0f)), "chaff: logits are a tensor without dimensions");
  EXPECT_NE(refusal(torch::zeros({2, 0})).find("has 0 classes"), std::string::npos);
  EXPECT_THROW(chaff::apply(chaff::dcp{}, torch::full({2, 3}, NAN)), std::domain_error);
}

TEST(torch_adapter, the_exported_network_is_the_quickstarts) {
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
