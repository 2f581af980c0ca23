// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <poll.h>

#include "data_free.hpp"
#include "glyphs.hpp"
#include "knockoff.hpp"
#include "results.hpp"
#include "rob.hpp"
#include "surrogates.hpp"
#include "thieves.hpp"
#include "workers.hpp"

namespace {

/// Logits of 10 classes for queries that are logits themselves, as wide as an image.
torch::Tensor some_logits(std::int64_t count, double deviation) {
  torch::manual_seed(5);
  return deviation * torch::randn({count, 10});
}

victim_parts parts_of_logits() {
  const answering same = [](const torch::Tensor& z) { return rows_of(z); };
  const answering opposite = [](const torch::Tensor& z) { return rows_of(-z); };
  return {.model = same,
          .decoy = opposite,
          .surrogate = opposite,
          .redirection = opposite,
          .held_out = some_logits(1000, 2),
          .key = chaff::key("000102030405060708090a0b0c0d0e0f"),
          .codes = {.scale = 0.05f, .zero_point = 100}};
}

double l1(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().sum(1).mean().item<double>();
}

TEST(glyphs, are_many_classes_of_ink_and_the_same_for_the_same_seed) {
  const glyphs::press drawing;
  const image_set a = drawing.draw(300, false, 1), b = drawing.draw(300, false, 1), other = drawing.draw(300, true, 1);
  EXPECT_GE(glyphs::classes, 100);
  EXPECT_GE(drawing.faces(), 20u);
  EXPECT_TRUE(a.pixels.equal(b.pixels) && a.labels.equal(b.labels));
  EXPECT_FALSE(a.pixels.equal(other.pixels));
  EXPECT_GT(a.pixels.flatten(1).sum(1).min().item<float>(), 5);
  EXPECT_GE(a.pixels.min().item<float>(), 0);
  EXPECT_LE(a.pixels.max().item<float>(), 1);
}

TEST(settings, are_lawful_and_keep_the_labels_that_they_say_they_keep) {
  const victim_parts parts = parts_of_logits();
  const torch::Tensor z = some_logits(200, 2);
  std::set<std::string> names;
  for (const setting& each : every_setting()) {
    SCOPED_TRACE(each.name + " " + each.parameters);
    EXPECT_TRUE(names.insert(each.name + each.parameters + (each.label_kept ? "" : " free")).second);
    const torch::Tensor y = tensor_of(each.bind(parts)(z));
    EXPECT_GE(y.min().item<float>(), 0);
    EXPECT_LT((y.sum(1) - 1).abs().max().item<float>(), 1e-5);
    EXPECT_TRUE(!each.label_kept || y.argmax(1).equal(z.argmax(1)));
    EXPECT_TRUE(each.name == "none" || l1(y, z.softmax(1)) > 1e-4);
  }
}

TEST(settings, touch_the_share_of_customers_that_they_name) {
  const victim_parts parts = parts_of_logits();
  for (const double share : {0.005, 0.01, 0.05}) {
    for (const setting& each : {settings::misdirect(share, true), settings::misdirect(share, false)}) {
      const torch::Tensor y = tensor_of(each.bind(parts)(parts.held_out));
      const double changed = y.argmax(1).ne(parts.held_out.argmax(1)).to(torch::kDouble).mean().item<double>();
      // a confidence gate is 0.01 wide, and there a third class may come first
      EXPECT_NEAR(changed, share, each.name == "misdirect_energy" ? 0.0015 : 0.005)
          << each.name << ' ' << each.parameters;
    }
  }
}

TEST(settings, int8_answers_are_codes_of_the_same_defense) {
  const victim_parts parts = parts_of_logits();
  const torch::Tensor z = (some_logits(500, 1.5) / 0.05).round().clamp(-100, 155) * 0.05;
  for (const auto& [in_codes, in_float] :
       {std::pair{settings::int8_none(), settings::none()},
        std::pair{settings::int8_dcp(1.2f), settings::dcp(chaff::odds::clamped, 1.2, 0.2)}}) {
    const torch::Tensor y = tensor_of(in_codes.bind(parts)(z)), wanted = tensor_of(in_float.bind(parts)(z));
    EXPECT_TRUE((y * 256).equal((y * 256).round()));
    EXPECT_TRUE(y.argmax(1).equal(z.argmax(1)));
    EXPECT_LT((y - wanted).abs().max().item<float>(), 3.0f / 256);
  }
}

TEST(watched, counts_every_query_and_measures_what_was_answered) {
  const torch::Tensor z = some_logits(64, 2);
  for (const setting& each : {settings::none(), settings::dcp(chaff::odds::clamped, 1.2, 0.2)}) {
    const watched seen(each, parts_of_logits());
    service door(seen.answer());
    const torch::Tensor y = door(z);
    EXPECT_NEAR(seen.l1(), l1(y, z.softmax(1)), 1e-6);
    EXPECT_EQ(door.asked(), 64);
    EXPECT_EQ(each.name == "none", seen.l1() < 1e-5);
  }
}

TEST(labels_alone, are_one_for_the_largest_and_nothing_else) {
  const torch::Tensor y = torch::tensor({{0.2f, 0.5f, 0.3f}, {0.9f, 0.1f, 0.0f}});
  EXPECT_TRUE(labels_alone(y).equal(torch::tensor({{0.0f, 1.0f, 0.0f}, {1.0f, 0.0f, 0.0f}})));
}

TEST(averaged, asks_as_often_as_it_says) {
  std::vector<torch::Tensor> asked;
  service door([&](const torch::Tensor& x) {
    asked.push_back(x);
    return rows_of(x.flatten(1));
  });
  const torch::Tensor x = torch::rand({50, 1, 2, 2});
  const torch::Tensor mean = averaged(door, x, 4, 0.05);
  EXPECT_EQ(door.asked(), 200);
  EXPECT_FALSE(asked[0].equal(asked[1]));
  EXPECT_LT((mean - x.flatten(1)).abs().max().item<float>(), 0.2);
}

TEST(simulation, of_no_defense_is_clean_and_of_dcp_is_what_dcp_answers) {
  const torch::Tensor copy = some_logits(400, 3);
  simulation none(settings::none(), copy, parts_of_logits());
  const simulation::pairs clean = none.draw(1000);
  EXPECT_LT(l1(clean.clean, clean.defended), 1e-5);
  const setting dcp = settings::dcp(chaff::odds::clamped, 1.2, 0.2);
  simulation defended(dcp, copy, parts_of_logits());
  const simulation::pairs drawn = defended.draw(1000);
  const torch::Tensor again = tensor_of(dcp.bind(parts_of_logits())(drawn.clean.log()));
  EXPECT_LT((again - drawn.defended).abs().max().item<float>(), 1e-3);
}

TEST(restoring, comes_nearer_to_the_posteriors_than_the_answers_are) {
  const torch::Tensor z = some_logits(1000, 3);
  for (const setting& each : {settings::dcp(chaff::odds::clamped, 1.2, 0.2), settings::reverse_sigmoid(0.6, 0.2)}) {
    const torch::Tensor y = tensor_of(each.bind(parts_of_logits())(z));
    simulation simulated(each, some_logits(1000, 3), parts_of_logits());
    const torch::Tensor by_table = restored_by_table(simulated, y, 20000);
    const torch::Tensor by_network = restored_by_network(simulated, y, 100000, 3);
    EXPECT_LT(l1(by_table, z.softmax(1)), 0.6 * l1(y, z.softmax(1))) << each.name;
    EXPECT_LT(l1(by_network, z.softmax(1)), 0.6 * l1(y, z.softmax(1))) << each.name;
    EXPECT_TRUE(by_table.argmax(1).eq(y.argmax(1)).all().item<bool>()) << each.name;
    const torch::Tensor of_one_label = y.index_select(0, y.argmax(1).eq(3).nonzero().flatten());
    EXPECT_EQ(restored_by_table(simulated, of_one_label, 20000).sizes(), of_one_label.sizes()) << each.name;
  }
}

TEST(surrogates, a_double_backward_pass_is_the_sum_of_the_jacobian) {
  torch::manual_seed(3);
  torch::nn::Sequential network(torch::nn::Flatten(), torch::nn::Linear(4, 5), torch::nn::Tanh(),
                                torch::nn::Linear(5, 3));
  const torch::Tensor x = torch::rand({1, 1, 2, 2});
  const torch::Tensor logs = network->forward(x).log_softmax(1);
  const row_matrix g = redirection_of(network, x);
  for (std::int64_t k = 0; k < 3; ++k) {
    double sum = 0;
    for (const torch::Tensor& of : torch::autograd::grad({logs.select(1, k).sum()}, network->parameters(), {}, true)) {
      sum += of.sum().item<double>();
    }
    EXPECT_NEAR(g(0, k), sum, 1e-5);
  }
}

TEST(surrogates, the_last_layers_jacobian_and_the_closed_form_agree) {
  torch::manual_seed(3);
  torch::nn::Sequential network = lenet(10);
  const torch::Tensor x = torch::rand({1, 1, 28, 28});
  const answering model = [](const torch::Tensor& image) { return rows_of(image.flatten(1).narrow(1, 300, 10)); };
  const auto closed = chaff::last_layer{[&](const torch::Tensor& image) { return rows_of(logits_of(network, image)); }};
  const auto passes =
      chaff::jacobian{[&](const torch::Tensor& image) { return jacobian_of(network, image, last_weights(network)); }};
  const row_matrix a = chaff::defend(model, chaff::mad{closed, 1.0})(x),
                   b = chaff::defend(model, chaff::mad{passes, 1.0})(x);
  EXPECT_LT((a - b).cwiseAbs().maxCoeff(), 1e-6f);
  EXPECT_GT((a - chaff::defend(model, chaff::none{})(x)).cwiseAbs().sum(), 0.1f);  // the label's cap leaves this of 1
}

TEST(sampling_policy, asks_more_of_what_pays) {
  sampling_policy policy(3);
  for (int i = 0; i < 300; ++i) policy.reward(i % 3, i % 3 == 1 ? 1 : 0);
  EXPECT_GT(policy.chances()[1].item<double>(), 0.9);
  EXPECT_NEAR(policy.chances().sum().item<double>(), 1, 1e-12);
}

TEST(rewards, are_those_of_the_paper) {
  const torch::Tensor answers = torch::tensor({{0.7f, 0.2f, 0.1f}, {0.1f, 0.1f, 0.8f}});
  const torch::Tensor clone = torch::tensor({{0.7f, 0.2f, 0.1f}, {0.8f, 0.1f, 0.1f}});
  const std::vector<double> certain = rewards("certainty").of(answers, clone);
  EXPECT_NEAR(certain[0], 0.5, 1e-6);
  EXPECT_NEAR(certain[1], 0.7, 1e-6);
  const std::vector<double> lost = rewards("loss").of(answers, clone);
  EXPECT_NEAR(lost[0] / lost[1], 0.8018 / 2.0949, 1e-3);
  EXPECT_NEAR(lost[1], 1, 1e-6);
  const std::vector<double> varied = rewards("diversity").of(answers, clone);
  EXPECT_NEAR(varied[0] / varied[1], 0.35 / 0.35, 1e-5);  // 0.3 + 0.05 above the mean, and 0.35
  EXPECT_THROW(rewards("luck"), std::invalid_argument);
}

TEST(asked_adaptively, spends_its_budget_on_the_thiefs_own_images) {
  torch::manual_seed(1);
  const image_set own{torch::rand({90, 1, 28, 28}), torch::arange(90) % 3};
  service door([](const torch::Tensor& x) { return rows_of(torch::full({x.size(0), 10}, 0.1)); });
  const transfer_set loot = asked_adaptively(door, own, 150, "all");
  EXPECT_EQ(door.asked(), 150);
  EXPECT_EQ(loot.pixels.size(0), 150);
  EXPECT_EQ(loot.answers.size(1), 10);
  for (std::int64_t i = 0; i < 150; i += 50)
    EXPECT_TRUE((own.pixels == loot.pixels[i]).flatten(1).all(1).any().item<bool>());
}

TEST(forward_differences, estimate_the_gradient_of_a_linear_function) {
  torch::manual_seed(1);
  const torch::Tensor a = torch::tensor({1.0f, -2.0f, 0.5f, 3.0f}).view({1, 1, 2, 2});
  const auto f = [&](const torch::Tensor& x) { return (a * x).flatten(1).sum(1); };
  const torch::Tensor found = forward_differences(f, torch::rand({2, 1, 2, 2}), 4000, 1e-2);
  EXPECT_LT((found - a).abs().max().item<float>(), 0.25);
}

TEST(disagreement, is_zero_where_the_clone_is_the_victim) {
  const torch::Tensor z = some_logits(20, 1);
  EXPECT_LT(disagreement(z.softmax(1), z - z.mean(1, true), true).max().item<float>(), 1e-5);
  EXPECT_LT(disagreement(z.softmax(1), z + 7, false).abs().max().item<float>(), 1e-5);
  EXPECT_GT(disagreement(z.softmax(1), -z, false).min().item<float>(), 0.1);
}

TEST(stolen_without_data, asks_the_service_alone_and_keeps_to_its_budget) {
  torch::manual_seed(1);
  for (data_free_attack how : {dfme(500), maze(800)}) {
    how.batch = 16;
    std::int64_t asked = 0;
    service door([&](const torch::Tensor& x) {
      asked += x.size(0);
      EXPECT_GE(x.min().item<float>(), 0);
      EXPECT_LE(x.max().item<float>(), 1);
      return rows_of(torch::full({x.size(0), 10}, 0.1));
    });
    stolen_without_data(door, 10, how);
    EXPECT_EQ(asked, door.asked());
    EXPECT_LE(asked, how.budget);
    EXPECT_GT(asked, how.budget - 16 * (1 + how.directions + how.clone_steps));
  }
}

result_line a_line(long seed) {
  result_line line =
      named({.thief = "restoring_table", .defense = settings::dcp(chaff::odds::clamped, 1.2, 0.1), .seed = seed});
  line.victim_accuracy = line.defended_accuracy = 0.5;
  line.queries_spent = 7;
  return line;
}

TEST(results, go_on_after_a_line_that_was_cut_off) {
  const std::filesystem::path path = testing::TempDir() + "chaff_results.csv";
  std::filesystem::remove(path);
  results(path).add(a_line(1));
  results(path).add(a_line(2));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 3);
  results again(path);
  EXPECT_TRUE(again.has(a_line(1)));
  EXPECT_FALSE(again.has(a_line(2)));
  again.add(a_line(2));
  const std::vector<result_line> all = results_of(path);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].text(), a_line(2).text());
  again.add(a_line(2));
  EXPECT_THROW(results_of(path), std::runtime_error);
}

TEST(results, are_added_to_by_one_run_at_a_time) {
  const std::filesystem::path path = testing::TempDir() + "chaff_results_held.csv";
  std::filesystem::remove(path);
  {
    const results first(path);
    EXPECT_THROW(results{path}, std::runtime_error);
  }
  EXPECT_NO_THROW(results{path});
}

TEST(results, refuse_what_is_not_well_formed) {
  const std::string good = a_line(1).text();
  EXPECT_EQ(parsed(good).theft(), a_line(1).theft());
  const auto with = [&](const char* from, const char* to) {
    std::string bad = good;
    return bad.replace(bad.find(from), std::string(from).size(), to);
  };
  EXPECT_THROW(parsed(good + ",1"), std::runtime_error);
  EXPECT_THROW(parsed(with("mnist", "imagenet")), std::runtime_error);
  EXPECT_THROW(parsed(with("restoring", "naive")), std::runtime_error);
  EXPECT_THROW(parsed(with("0.5000", "nan")), std::runtime_error);
  EXPECT_THROW(parsed(with("0.5000", "1.5")), std::runtime_error);
  EXPECT_THROW(parsed(with("0.5000", "0.6")), std::runtime_error);  // a kept label that loses accuracy
}

TEST(every_theft, is_there_once_and_three_seeds_try_what_is_quoted) {
  for (const bool quick : {true, false}) {
    std::set<std::string> names;
    for (const theft& one : every_theft(quick)) {
      const std::string name = named(one).name();
      EXPECT_TRUE(names.insert(name).second) << name;
      EXPECT_EQ(std::count(name.begin(), name.end(), ','), 10) << name;
    }
    EXPECT_GT(names.size(), quick ? 80u : 600u);
    if (quick) continue;
    for (const auto& quoted : {quoted_settings(), known_settings(false), other_settings()}) {
      for (const setting& defense : quoted) {
        for (const std::int64_t seed : {1, 2, 3}) {
          EXPECT_TRUE(names.contains(named(theft{.defense = defense, .seed = seed}).name())) << defense.name;
        }
      }
    }
  }
}

TEST(run_in_processes, ends_its_processes_where_it_is_killed) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t run = ::fork();
  if (run == 0) {
    run_in_processes(2, 2, [&](std::size_t, const std::atomic<std::size_t>&) {
      const char mark = 'x';
      if (::write(ends[1], &mark, 1) != 1) ::_exit(1);
      ::sleep(300);
    });
    ::_exit(0);
  }
  ::close(ends[1]);
  char marks[2];
  for (char& mark : marks) ASSERT_EQ(::read(ends[0], &mark, 1), 1);
  ::kill(run, SIGKILL);
  ::waitpid(run, nullptr, 0);
  pollfd end{.fd = ends[0], .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&end, 1, 30000), 1);  // no process has the other end of the pipe any more
  ::close(ends[0]);
}

TEST(run_in_processes, does_each_job_once_and_says_where_one_failed) {
  const std::filesystem::path folder = testing::TempDir() + "chaff_jobs";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const auto job = [&](std::size_t i, const std::atomic<std::size_t>&) {
    const std::filesystem::path mark = folder / std::to_string(i);
    if (std::filesystem::exists(mark)) throw std::runtime_error("done before");
    std::ofstream(mark) << i;
  };
  run_in_processes(20, 3, job);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(std::filesystem::exists(folder / std::to_string(i)));
  EXPECT_THROW(run_in_processes(20, 3, job), std::runtime_error);
}

}  // namespace
