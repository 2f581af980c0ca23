// SPDX-License-Identifier: MIT
/// The softmax of libtorch, XNNPACK and ONNX Runtime, each on one thread and at its best: what can be made before the
/// first call is, and the output goes to memory of the caller's.
#ifndef CHAFF_BENCHMARKS_OVERHEAD_PEER_LIBRARIES_HPP
#define CHAFF_BENCHMARKS_OVERHEAD_PEER_LIBRARIES_HPP

#include <onnxruntime_cxx_api.h>
#include <torch/torch.h>
#include <xnnpack.h>

#include <memory>
#include <stdexcept>
#include <vector>

/// A batch of rows of float in memory, one after another.
struct batch {
  const float* logits;
  float* output;
  std::size_t rows, classes;

  std::vector<std::int64_t> shape() const {
    return {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(classes)};
  }
};

/// A tensor over memory of the caller's.
inline at::Tensor tensor_over(const float* values, const batch& batch) {
  return torch::from_blob(const_cast<float*>(values), batch.shape());
}

class libtorch_softmax {
 public:
  explicit libtorch_softmax(const batch& batch)
      : logits_(tensor_over(batch.logits, batch)), output_(tensor_over(batch.output, batch)) {}
  void operator()() { at::softmax_out(output_, logits_, 1); }

 private:
  at::Tensor logits_, output_;
};

/// The published formula of DCP (arXiv 2309.01838), as its authors write it in PyTorch:
/// p = softmax(z), r = beta (sigmoid(gamma logit p) - 1/2), alpha = 1 / (1 + exp(nu (max p - beta))), y = p - alpha r,
/// y / sum y, with p / (1 - p) clamped to [1e-12, 1 - 1e-12].
class libtorch_dcp {
 public:
  explicit libtorch_dcp(const batch& batch)
      : logits_(tensor_over(batch.logits, batch)), output_(tensor_over(batch.output, batch)) {}
  void operator()() {
    constexpr double beta = 0.9, gamma = 0.2, nu = 1000;
    const at::Tensor p = at::softmax(logits_, 1);
    const at::Tensor odds = at::clamp(p / (1 - p), 1e-12, 1 - 1e-12);
    const at::Tensor r = beta * (at::sigmoid(gamma * at::log(odds)) - 0.5);
    const at::Tensor alpha = at::sigmoid(-nu * (p.amax(1, true) - beta));
    const at::Tensor y = p - alpha * r;
    at::div_out(output_, y, y.sum(1, true));
  }

 private:
  at::Tensor logits_, output_;
};

class xnnpack_softmax {
 public:
  explicit xnnpack_softmax(const batch& batch) {
    check(xnn_initialize(nullptr));
    xnn_operator_t softmax = nullptr;
    check(xnn_create_softmax_nc_f32(batch.classes, batch.classes, batch.classes, 0, &softmax));
    softmax_.reset(softmax, xnn_delete_operator);
    check(xnn_setup_softmax_nc_f32(softmax, batch.rows, batch.logits, batch.output, nullptr));
  }
  void operator()() { check(xnn_run_operator(softmax_.get(), nullptr)); }

 private:
  static void check(xnn_status status) {
    if (status != xnn_status_success) throw std::runtime_error("peers: XNNPACK refused a call");
  }
  std::shared_ptr<xnn_operator> softmax_;
};

/// A session with a model that is one Softmax, of rows of `classes` classes.
inline std::shared_ptr<Ort::Session> onnxruntime_session(std::size_t rows, std::size_t classes) {
  static const Ort::Env env(ORT_LOGGING_LEVEL_ERROR);
  const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(classes)};
  const Ort::TensorTypeAndShapeInfo rows_of_float(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, shape);
  const Ort::TypeInfo type = Ort::TypeInfo::CreateTensorInfo(rows_of_float.GetConst());
  std::vector<Ort::ValueInfo> inputs, outputs;
  inputs.emplace_back("z", type.GetConst());
  outputs.emplace_back("p", type.GetConst());
  Ort::Node softmax("Softmax", "", "softmax", {"z"}, {"p"});
  Ort::Graph graph;
  graph.SetInputs(inputs);
  graph.SetOutputs(outputs);
  graph.AddNode(softmax);
  Ort::Model model({{"", 13}});
  model.AddGraph(graph);
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(1).SetInterOpNumThreads(1);
  return std::make_shared<Ort::Session>(env, model, options);
}

class onnxruntime_softmax {
 public:
  onnxruntime_softmax(std::shared_ptr<Ort::Session> session, const batch& batch)
      : session_(std::move(session)), binding_(std::make_shared<Ort::IoBinding>(*session_)) {
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
    const std::vector<std::int64_t> shape = batch.shape();
    const auto value = [&](float* values) {
      return Ort::Value::CreateTensor<float>(memory, values, batch.rows * batch.classes, shape.data(), shape.size());
    };
    binding_->BindInput("z", value(const_cast<float*>(batch.logits)));
    binding_->BindOutput("p", value(batch.output));
  }
  void operator()() { session_->Run(Ort::RunOptions{nullptr}, *binding_); }

 private:
  std::shared_ptr<Ort::Session> session_;
  std::shared_ptr<Ort::IoBinding> binding_;
};

#endif
