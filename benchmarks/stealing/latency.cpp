// SPDX-License-Identifier: MIT
/// Latency of one query of one image, with a network on one thread, undefended and under each defense, in random order
/// in one run. Surrogates and decoys are as large as the network.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <numeric>
#include <random>

#include "defenses.hpp"
#include "latency_columns.hpp"
#include "networks.hpp"
#include "surrogates.hpp"

namespace {

/// The model's name of the processor, as the system has it.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(": ") + 2);
  }
  return "unknown";
}

struct measured {
  std::string defense, evaluation;
  model_function answer;
  std::vector<double> microseconds = {};

  double median() const {
    std::vector<double> sorted = microseconds;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

/// All defenses around a network, gates open.
std::vector<measured> around(const torch::nn::Sequential& network, const torch::nn::Sequential& second) {
  const auto logits = [](torch::nn::Sequential of) {
    return [of](const torch::Tensor& x) mutable {
      const torch::NoGradGuard no_gradients;
      return rows_of(of->forward(x));
    };
  };
  const model_function model = logits(network), other = logits(second);
  const model_function redirection = [second](const torch::Tensor& x) { return redirection_of(second, x); };
  const auto passes = [second](std::vector<torch::Tensor> parameters) -> model_function {
    return [second, parameters](const torch::Tensor& x) { return jacobian_of(second, x, parameters); };
  };
  const chaff::key key("7468656c6162736f776e6b6579313637");
  std::vector<measured> all;
  const auto add = [&](std::string name, std::string evaluation, auto defense, const chaff::policy& policy = {}) {
    all.push_back({std::move(name), std::move(evaluation), chaff::defend(model, defense, policy)});
  };
  add("none", "", chaff::none{});
  add("dcp(beta=1.2)", "", chaff::dcp{.beta = 1.2});
  add("dcp(beta=1.2, rule=exact)", "", chaff::dcp{.beta = 1.2, .rule = chaff::odds::exact});
  add("dcp(beta=1.2) | rounded(decimals=2)", "", chaff::dcp{.beta = 1.2} | chaff::rounded{.decimals = 2});
  add("reverse_sigmoid(beta=0.9, rule=exact)", "", chaff::reverse_sigmoid{.beta = 0.9, .rule = chaff::odds::exact});
  add("random_vertex(epsilon=1)", "", chaff::random_vertex{.epsilon = 1, .key = key});
  add("modelguard_w(epsilon=1)", "", chaff::modelguard_w{.epsilon = 1});
  add("energy_dcp(beta=1.2)", "", chaff::energy_dcp{.beta = 1.2, .tau = 1e6});
  add("gated(energy_gate, misdirect)", "", chaff::gated{chaff::energy_gate{.tau = 1e6}, chaff::misdirect{.key = key}},
      {.keep_label = false});
  add("adaptive_misinformation", "second forward pass", chaff::adaptive_misinformation(other, {.tau = 10}));
  add("mad(epsilon=1)", "closed form", chaff::mad{chaff::last_layer{other}, 1.0});
  add("mad(epsilon=1)", "K backward passes to the last layer",
      chaff::mad{chaff::jacobian{passes(last_weights(second))}, 1.0});
  add("mad(epsilon=1)", "K backward passes to all parameters",
      chaff::mad{chaff::jacobian{passes(second->parameters())}, 1.0});
  add("mad(epsilon=1, keep_argmax=true)", "closed form", chaff::mad{chaff::last_layer{other}, 1.0, true});
  add("gradient_redirection(epsilon=1)", "double backward pass",
      chaff::gradient_redirection{chaff::redirection{redirection}, 1.0});
  return all;
}

int run(int count, char** arguments) {
  CLI::App app("Measures the latency of a query under each defense, and writes it to a CSV.");
  std::string out = "latency.csv";
  int repetitions = 301;
  bool quick = false;
  app.add_option("--out", out, "CSV to write");
  app.add_option("--repetitions", repetitions, "of the LeNet; of ResNet-18 a tenth of it")
      ->check(CLI::Range(5, 100000));
  app.add_flag("--quick", quick, "2 repetitions each");
  CLI11_PARSE(app, count, arguments);
  if (quick) repetitions = 2;

  at::set_num_threads(1);
  torch::manual_seed(1);
  std::ofstream file(out);
  file << latency_line::header() << '\n';
  struct {
    const char* name;
    torch::nn::Sequential network, second;
    torch::Tensor query;
    int repetitions;
  } networks[]{{"lenet", lenet(10), lenet(10), torch::rand({1, 1, 28, 28}), repetitions},
               {"resnet18", resnet18(3, 10), resnet18(3, 10), torch::rand({1, 3, 32, 32}),
                quick ? 2 : std::max(5, repetitions / 10)}};
  for (auto& each : networks) {
    each.network->eval();
    each.second->eval();
    std::vector<measured> all = around(each.network, each.second);
    std::mt19937 random(1);
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (int i = quick ? 0 : -2; i < each.repetitions; ++i) {  // the first ones warm up
      std::shuffle(order.begin(), order.end(), random);        // no defense always follows the most expensive
      for (const std::size_t chosen : order) {
        measured& one = all[chosen];
        one.answer(each.query);  // warms the caches after another defense
        const auto start = std::chrono::steady_clock::now();
        one.answer(each.query);
        const std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - start;
        if (i >= 0) one.microseconds.push_back(elapsed.count());
      }
    }
    for (const measured& one : all) {
      const latency_line result{
          each.name,        one.defense, one.evaluation, one.median(), one.median() / all.front().median(),
          each.repetitions, processor()};
      const std::string line = result.text();
      std::cout << line << std::endl;
      file << line << '\n';
    }
  }
  file.close();
  if (!file) throw std::runtime_error("cannot write " + out);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "latency: %s\n", error.what());
    return 1;
  }
}
