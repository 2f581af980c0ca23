// SPDX-License-Identifier: MIT
/// A library of ONNX Runtime's custom operators: chaff.Defend turns logits into defended probabilities.
///
/// Attributes: `defense`, a string such as "dcp(beta=1.2) | top_k(k=5)"; and `policy`, such as "label_margin=0.011",
/// which may be left out.
/// Shapes: those of chaff::rows_of; the output has the input's.
/// Types: float and double.
/// Errors: a session cannot be created from a defense or a policy that is not valid. A run fails on logits with NaN or
/// +inf, and on a shape that does not say which values are one row. Both statuses hold chaff's sentence.
#define ORT_API_MANUAL_INIT  // runtimes older than the headers are served, too
#include <onnxruntime_cxx_api.h>

#include <chaff/adapters/shape.hpp>
#include <chaff/any_defense.hpp>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace {

/// The oldest version of the runtime's interface that has operators whose functions return a status.
constexpr std::uint32_t api_version = 17;

/// Calls `run`, and turns an exception, which the runtime must not see, into a status.
template <class Run>
OrtStatusPtr status_of(Run run) noexcept {
  try {
    run();
    return nullptr;
  } catch (const Ort::Exception& error) {
    return Ort::GetApi().CreateStatus(error.GetOrtErrorCode(), error.what());
  } catch (const std::exception& error) {
    return Ort::GetApi().CreateStatus(ORT_INVALID_ARGUMENT, error.what());
  } catch (...) {
    return Ort::GetApi().CreateStatus(ORT_FAIL, "chaff.Defend failed");
  }
}

/// Whether a node has an attribute of a name that is a number or a list of numbers. The runtime's function for texts
/// returns the same status for such an attribute as for one that is missing.
bool is_number(const Ort::ConstKernelInfo& info, const char* name) {
  const auto has = [&](auto get) { return Ort::Status(get()).IsOK(); };
  const OrtApi& api = Ort::GetApi();
  float real = 0;
  std::int64_t integer = 0;
  std::size_t size = 0;  // of a list, which is then not copied
  return has([&] { return api.KernelInfoGetAttribute_float(info, name, &real); }) ||
         has([&] { return api.KernelInfoGetAttribute_int64(info, name, &integer); }) ||
         has([&] { return api.KernelInfoGetAttributeArray_float(info, name, nullptr, &size); }) ||
         has([&] { return api.KernelInfoGetAttributeArray_int64(info, name, nullptr, &size); });
}

/// A text attribute of a node, or nothing where it has none.
std::optional<std::string> text_attribute(const Ort::ConstKernelInfo& info, const char* name) {
  std::size_t size = 0;
  if (Ort::Status(Ort::GetApi().KernelInfoGetAttribute_string(info, name, nullptr, &size)).IsOK()) {
    return info.GetAttribute<std::string>(name);
  }
  if (is_number(info, name))
    throw std::invalid_argument(std::string("chaff.Defend's attribute ") + name + " must be a string");
  return {};
}

chaff::any_defense defense_of(const Ort::ConstKernelInfo& info) {
  const auto text = text_attribute(info, "defense");
  if (!text) throw std::invalid_argument("chaff.Defend needs the attribute defense, such as \"dcp(beta=1.2)\"");
  return chaff::parse_defense(*text);
}

template <class T>
struct kernel {
  chaff::any_defense defense;
  chaff::policy policy;

  explicit kernel(const Ort::ConstKernelInfo& info)
      : defense(defense_of(info)), policy(chaff::parse_policy(text_attribute(info, "policy").value_or(""))) {
    chaff::check(defense, policy);
  }

  OrtStatusPtr ComputeV2(OrtKernelContext* context) noexcept {
    return status_of([&] {
      const Ort::KernelContext values(context);
      const Ort::ConstValue logits = values.GetInput(0);
      const std::vector<std::int64_t> shape = logits.GetTensorTypeAndShapeInfo().GetShape();
      const auto [rows, classes] = chaff::rows_of(std::span<const std::int64_t>(shape), policy.classes);
      Ort::UnownedValue output = values.GetOutput(0, shape);
      if (rows == 0) return;
      chaff::apply_rows(defense, std::span<const T>(logits.GetTensorData<T>(), rows * classes), classes,
                        std::span<T>(output.GetTensorMutableData<T>(), rows * classes), policy);
    });
  }
};

template <class T>
struct defend : Ort::CustomOpBase<defend<T>, kernel<T>, true> {
  static constexpr auto type =
      std::is_same_v<T, float> ? ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT : ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;

  defend() { this->version = api_version; }

  const char* GetName() const { return "Defend"; }
  const char* GetExecutionProviderType() const { return "CPUExecutionProvider"; }
  std::size_t GetInputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetInputType(std::size_t) const { return type; }
  std::size_t GetOutputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetOutputType(std::size_t) const { return type; }

  OrtStatusPtr CreateKernelV2(const OrtApi&, const OrtKernelInfo* info, void** created) const noexcept {
    return status_of([&] { *created = new kernel<T>(Ort::ConstKernelInfo(info)); });
  }
};

/// Gives the C++ wrappers the functions of the runtime that registers the library first. Returns whether `api` is that
/// runtime's: the wrappers hold one table of functions, and would call one runtime with the objects of another.
bool is_first_runtime(const OrtApi* api) noexcept {
  static const OrtApi* const first = [api] {
    Ort::InitApi(api);
    return api;
  }();
  return api == first;
}

}  // namespace

/// What every host of ONNX Runtime calls when the library is registered.
extern "C" __attribute__((visibility("default"))) OrtStatus* ORT_API_CALL RegisterCustomOps(OrtSessionOptions* options,
                                                                                            const OrtApiBase* base) {
  const OrtApi* const api = base->GetApi(api_version);
  if (api == nullptr) {  // every version of the interface begins with CreateStatus
    return base->GetApi(1)->CreateStatus(ORT_FAIL, "chaff.Defend needs ONNX Runtime 1.17 or newer");
  }
  if (!is_first_runtime(api)) {
    return api->CreateStatus(ORT_FAIL, "chaff.Defend serves another ONNX Runtime of this process already");
  }
  return status_of([&] {
    // sessions refer to them for as long as they live
    static const defend<float> of_float;
    static const defend<double> of_double;
    static const Ort::CustomOpDomain domain = [] {
      Ort::CustomOpDomain chaff("chaff");
      chaff.Add(&of_float);
      chaff.Add(&of_double);
      return chaff;
    }();
    Ort::UnownedSessionOptions(options).Add(domain);
  });
}
