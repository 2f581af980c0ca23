// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <poll.h>
#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>

#include "attackers.hpp"
#include "data_free.hpp"
#include "glyphs.hpp"
#include "knockoff.hpp"
#include "pictured.hpp"
#include "results.hpp"
#include "run_attack.hpp"
#include "surrogates.hpp"
#include "workers.hpp"

namespace {

/// Logits of 10 classes for queries that are logits themselves, as wide as an image.
torch::Tensor some_logits(std::int64_t count, double deviation) {
  torch::manual_seed(5);
  return deviation * torch::randn({count, 10});
}

victim_parts parts_of_logits() {
  const model_function same = [](const torch::Tensor& z) { return rows_of(z); };
  const model_function opposite = [](const torch::Tensor& z) { return rows_of(-z); };
  return {.model = same,
          .decoy = opposite,
          .surrogate = opposite,
          .redirection = opposite,
          .held_out = some_logits(1000, 2),
          .key = chaff::key("000102030405060708090a0b0c0d0e0f"),
          .codes = {.scale = 0.05f, .zero_point = 100}};
}

/// The models of an attacker whose queries are 10 logits each.
attacker_models models_of(const torch::Tensor& substitute_logits) {
  return {substitute_logits, substitute_logits, parts_of_logits()};
}

double l1(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().sum(1).mean().item<double>();
}

TEST(Glyphs, SameSeedGivesTheSameDrawingsOfManyClasses) {
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

TEST(Settings, ResponsesAreProbabilitiesAndKeepTheLabelWhereThePolicyDoes) {
  const victim_parts parts = parts_of_logits();
  const torch::Tensor z = some_logits(200, 2);
  std::set<std::string> names;
  for (const setting& each : every_setting()) {
    SCOPED_TRACE(each.name());
    EXPECT_TRUE(names.insert(each.name()).second);
    const torch::Tensor y = tensor_of(each.bind(parts)(z));
    EXPECT_GE(y.min().item<float>(), 0);
    EXPECT_LT((y.sum(1) - 1).abs().max().item<float>(), 1e-5);
    EXPECT_TRUE(!each.keeps_label() || y.argmax(1).equal(z.argmax(1)));
    EXPECT_TRUE(each.is_none() || l1(y, z.softmax(1)) > 1e-4);
  }
}

TEST(Settings, CalibratedGatePerturbsTheNamedFractionOfHeldOutRows) {
  const victim_parts parts = parts_of_logits();
  for (const double perturbed : {0.005, 0.01, 0.05}) {
    for (const setting& each : {settings::misdirect(perturbed, true), settings::misdirect(perturbed, false)}) {
      const torch::Tensor y = tensor_of(each.bind(parts)(parts.held_out));
      const double changed = y.argmax(1).ne(parts.held_out.argmax(1)).to(torch::kDouble).mean().item<double>();
      // a confidence gate is 0.01 wide, and there a third class may come first
      EXPECT_NEAR(changed, perturbed, each.defense == "gated(energy_gate, misdirect)" ? 0.0015 : 0.005) << each.name();
    }
  }
}

TEST(Settings, Int8VictimsRespondInCodesUnderTheDefensesOfTheInt8PathAndElseAsFloatOnes) {
  const victim_parts parts = parts_of_logits();
  const torch::Tensor z = (some_logits(500, 1.5) / 0.05).round().clamp(-100, 155) * 0.05;
  const std::vector<setting> of_int8 = int8_settings(), of_float = large_settings();
  ASSERT_EQ(of_int8.size(), of_float.size());
  for (std::size_t i = 0; i < of_int8.size(); ++i) {
    SCOPED_TRACE(of_int8[i].name());
    EXPECT_EQ(of_int8[i].name(), of_float[i].name());
    const torch::Tensor y = tensor_of(of_int8[i].bind(parts)(z)), wanted = tensor_of(of_float[i].bind(parts)(z));
    const bool are_codes = (y * 256).equal((y * 256).round());
    const std::set<std::string> of_codes{"none", "dcp(beta=0.9)", "dcp(beta=1.2)"};
    EXPECT_EQ(are_codes, of_codes.contains(of_int8[i].name()));
    EXPECT_TRUE(y.argmax(1).equal(z.argmax(1)));
    EXPECT_LT((y - wanted).abs().max().item<float>(), are_codes ? 3.0f / 256 : 1e-9f);
  }
}

TEST(ObservedDefense, MeasuresL1OfAllResponses) {
  const torch::Tensor z = some_logits(64, 2);
  for (const setting& each : {settings::none(), settings::dcp(chaff::odds::clamped, 1.2, 0.2)}) {
    const observed_defense observed(each, parts_of_logits());
    victim_api api(observed.answer());
    const torch::Tensor y = api(z);
    EXPECT_NEAR(observed.l1(), l1(y, z.softmax(1)), 1e-6);
    EXPECT_EQ(api.queries(), 64);
    EXPECT_EQ(each.is_none(), observed.l1() < 1e-5);
  }
}

TEST(OneHotLabels, AreOneAtTheArgmaxAndZeroElsewhere) {
  const torch::Tensor y = torch::tensor({{0.2f, 0.5f, 0.3f}, {0.9f, 0.1f, 0.0f}});
  EXPECT_TRUE(one_hot_labels(y).equal(torch::tensor({{0.0f, 1.0f, 0.0f}, {1.0f, 0.0f, 0.0f}})));
}

TEST(QueryAveraged, SendsEachQueryTheGivenNumberOfTimes) {
  std::vector<torch::Tensor> queries;
  victim_api api([&](const torch::Tensor& x) {
    queries.push_back(x);
    return rows_of(x.flatten(1));
  });
  const torch::Tensor x = torch::rand({50, 1, 2, 2});
  const torch::Tensor mean = query_averaged(api, x, 4, 0.05);
  EXPECT_EQ(api.queries(), 200);
  EXPECT_FALSE(queries[0].equal(queries[1]));
  EXPECT_LT((mean - x.flatten(1)).abs().max().item<float>(), 0.2);
}

TEST(Simulation, PairsAreThoseOfTheDefense) {
  const torch::Tensor substitute = some_logits(400, 3);
  simulation none(settings::none(), models_of(substitute));
  const simulation::pairs clean = none.draw(1000);
  EXPECT_LT(l1(clean.clean, clean.defended), 1e-5);
  const setting dcp = settings::dcp(chaff::odds::clamped, 1.2, 0.2);
  simulation defended(dcp, models_of(substitute));
  const simulation::pairs drawn = defended.draw(1000);
  const torch::Tensor again = tensor_of(dcp.bind(parts_of_logits())(drawn.clean.log()));
  EXPECT_LT((again - drawn.defended).abs().max().item<float>(), 1e-3);
}

TEST(Simulation, RowsAreDrawnAroundEachRowEquallyOften) {
  torch::manual_seed(1);
  simulation none(settings::none(), models_of(some_logits(3, 3)));
  const torch::Tensor rows = some_logits(3, 1).softmax(1);
  const simulation::pairs drawn = none.draw_around(rows, 30000);
  EXPECT_LT(l1(drawn.clean, drawn.defended), 1e-5);
  for (std::int64_t i = 0; i < 3; ++i) {
    const torch::Tensor own = drawn.clean.slice(0, i, 30000, 3);
    const torch::Tensor p = rows[i];
    EXPECT_LT((own.mean(0) - p).abs().max().item<float>(), 0.003);
    // the variance of a Dirichlet distribution of concentration 8 K
    EXPECT_LT((own.var(0) - p * (1 - p) / 81).abs().max().item<float>(), 0.0002);
  }
}

TEST(Simulation, RowsAroundAQueryHaveItsEnergyAndItsSurrogate) {
  attacker_models known = models_of(torch::cat({some_logits(1, 1), some_logits(1, 1) + 40}));
  known.queries = torch::arange(2).view({2, 1});
  known.own.surrogate = [](const torch::Tensor& queries) { return rows_of(queries.expand({-1, 10})); };
  // the response shows the energy and the surrogate's output
  const setting shows{"shows", "", "", [](const victim_parts& of) -> model_function {
                        return [of](const torch::Tensor& row) -> row_matrix {
                          torch::Tensor shown = torch::zeros({row.size(0), 10});
                          shown.select(1, 0) = tensor_of(of.model(row)).logsumexp(1);
                          shown.select(1, 1) = tensor_of(of.surrogate(row)).select(1, 3);
                          return rows_of(shown);
                        };
                      }};
  const torch::Tensor shown = simulation(shows, known).draw_around(some_logits(2, 1).softmax(1), 10).defended;
  const torch::Tensor energy = known.substitute_logits.logsumexp(1);
  for (std::int64_t i = 0; i < 10; ++i) {
    EXPECT_NEAR(shown[i][0].item<float>(), energy[i % 2].item<float>(), 1e-3);
    EXPECT_EQ(shown[i][1].item<float>(), static_cast<float>(i % 2));
  }
}

/// What partial Bayes recovers, by a scan of all rows: the formula as it is written.
torch::Tensor scanned(const simulation::pairs& table, const torch::Tensor& responses, double radius) {
  torch::Tensor found = responses.clone();
  const torch::Tensor labels = table.defended.argmax(1);
  for (std::int64_t i = 0; i < responses.size(0); ++i) {
    const torch::Tensor same = labels.eq(responses[i].argmax()).nonzero().flatten();
    if (same.size(0) == 0) continue;
    const torch::Tensor clean = table.clean.index_select(0, same);
    const torch::Tensor distance = (table.defended.index_select(0, same) - responses[i]).abs().sum(1);
    const torch::Tensor near = distance.le(radius).nonzero().flatten();
    found[i] = near.size(0) > 0 ? clean.index_select(0, near).mean(0) : clean[distance.argmin().item<std::int64_t>()];
  }
  return found;
}

TEST(TableOfPairs, SearchByWindowFindsTheRowsOfAFullScan) {
  for (const std::int64_t classes : {3, 40}) {
    torch::manual_seed(2);
    const auto rows = [&](std::int64_t count) { return (2 * torch::randn({count, classes})).softmax(1); };
    // a third of them sure of their label, as most responses to images of the victim's kind are
    const auto some = [&](std::int64_t count) {
      return torch::cat({rows(2 * count), (60 * torch::randn({count, classes})).softmax(1)});
    };
    const torch::Tensor defended = some(2000);
    const simulation::pairs table{rows(6000), defended}, own{defended, defended};
    const torch::Tensor in_codes = (some(50) * 256).round() / 256;  // their sums are not 1
    const torch::Tensor responses = torch::cat({some(100), defended.narrow(0, 0, 20), in_codes});
    const auto distance = [&](const torch::Tensor& found) { return (found - responses).abs().sum(1); };
    for (const double radius : {0.01, 0.1, 1.0}) {
      SCOPED_TRACE(std::to_string(classes) + " classes, radius " + std::to_string(radius));
      // of rows that are equally near either may be found, so their distance is compared
      const torch::Tensor expected = distance(scanned(own, responses, radius));
      EXPECT_LT((distance(table_of_pairs(own).recovered(responses, radius)) - expected).abs().max().item<float>(),
                1e-5);
      // a mean of rows within the radius lies within it
      const torch::Tensor has_mean = expected.le(radius);
      EXPECT_GT(has_mean.sum().item<std::int64_t>(), 0);
      EXPECT_LT(
          ((table_of_pairs(table).recovered(responses, radius) - scanned(table, responses, radius)).abs().amax(1) *
           has_mean)
              .max()
              .item<float>(),
          1e-5);
    }
  }
}

TEST(TableOfPairs, ResponseStaysWhereNoRowHasItsLabel) {
  const torch::Tensor first = torch::tensor({{0.8f, 0.1f, 0.1f}}), last = torch::tensor({{0.1f, 0.1f, 0.8f}});
  EXPECT_TRUE(table_of_pairs({first, first}).recovered(last, 2).equal(last));
}

TEST(AdaptiveAttackers, RecoverRowsNearerToThePosteriorsThanTheResponses) {
  const torch::Tensor z = some_logits(1000, 3);
  for (const setting& each : {settings::dcp(chaff::odds::clamped, 1.2, 0.2), settings::reverse_sigmoid(0.6, 0.2)}) {
    const torch::Tensor y = tensor_of(each.bind(parts_of_logits())(z));
    simulation simulated(each, models_of(some_logits(1000, 3)));
    const torch::Tensor by_network = recovered_by_d_dae(simulated, y, {.pairs = 100000, .epochs = 3});
    EXPECT_LT(l1(by_network, z.softmax(1)), 0.6 * l1(y, z.softmax(1))) << each.name();
    const torch::Tensor by_table = recovered_by_partial_bayes(simulated, y, 100000);
    EXPECT_LT(l1(by_table, z.softmax(1)), 0.8 * l1(y, z.softmax(1))) << each.name();
    const torch::Tensor of_one_label = y.index_select(0, y.argmax(1).eq(3).nonzero().flatten());
    EXPECT_EQ(recovered_by_partial_bayes(simulated, of_one_label, 20000).sizes(), of_one_label.sizes()) << each.name();
  }
}

TEST(AdaptiveAttackers, CanSimulateEveryRecordedDefense) {
  const torch::Tensor z = some_logits(50, 3);
  for (const setting& each : recorded_settings()) {
    SCOPED_TRACE(each.name());
    simulation simulated(each, models_of(z));
    for (const simulation::pairs& drawn : {simulated.draw(200), simulated.draw_around(z.softmax(1), 200)}) {
      EXPECT_LT((drawn.defended.sum(1) - 1).abs().max().item<float>(), 1e-4);
      EXPECT_TRUE(!each.keeps_label() || drawn.defended.argmax(1).equal(drawn.clean.argmax(1)));
    }
  }
}

TEST(Moved, LitPixelIsShiftedAndTurned) {
  torch::Tensor image = torch::zeros({1, 1, 28, 28});
  image[0][0][5][20] = 1;
  const auto lit = [](const torch::Tensor& moved_image, std::int64_t row, std::int64_t column) {
    EXPECT_NEAR(moved_image[0][0][row][column].item<float>(), 1, 1e-4);
    EXPECT_NEAR(moved_image.sum().item<float>(), 1, 1e-4);
  };
  lit(moved(image, torch::zeros({1}), torch::tensor({{2.0f, -1.0f}})), 4, 22);
  // clockwise about the centre, (13.5, 13.5): (x, y) becomes (-y, x)
  lit(moved(image, torch::full({1}, std::numbers::pi / 2), torch::zeros({1, 2})), 20, 22);
  lit(moved(image, torch::full({1}, std::numbers::pi / 2), torch::tensor({{-2.0f, 1.0f}})), 21, 20);
  lit(quarter_turned(image, torch::tensor({1})), 7, 5);
  lit(quarter_turned(image, torch::tensor({2})), 22, 7);
  lit(quarter_turned(image, torch::tensor({0})), 5, 20);
}

TEST(Augmented, LitPixelStaysWithinTwoPixelsAndTenDegrees) {
  torch::manual_seed(1);
  torch::Tensor images = torch::zeros({500, 1, 28, 28});
  images.select(3, 20).select(2, 13).fill_(1);
  const torch::Tensor drawn = augmented(images).squeeze(1);
  const torch::Tensor at = torch::arange(28, torch::kFloat);
  const torch::Tensor x = (drawn.sum(1) * at).sum(1), y = (drawn.sum(2) * at).sum(1);  // the mass is 1 inside the image
  EXPECT_LT((x - 20).abs().max().item<float>(), 2.3);
  EXPECT_LT((y - 13).abs().max().item<float>(), 2 + 6.5 * 0.18);
  EXPECT_GT((x - 20).abs().max().item<float>(), 1.8);
  EXPECT_GT((y - 13).abs().max().item<float>(), 2);
}

/// A small network, and the weights that it has before each step of a training.
std::vector<torch::Tensor> trained_weights(torch::nn::Sequential& network, const schedule& how) {
  torch::manual_seed(4);
  network = torch::nn::Sequential(torch::nn::Flatten(), torch::nn::Linear(4, 3));
  std::vector<torch::Tensor> before;
  const torch::Tensor pixels = torch::rand({40, 1, 2, 2}), answers = torch::randn({40, 3}).softmax(1);
  fit(network, pixels, answers, how, [&](const torch::Tensor& logits, const torch::Tensor& some) {
    before.push_back(network->parameters()[0].detach().clone());
    return cross_entropy(logits, some);
  });
  return before;
}

TEST(Fit, AveragedWeightsAreTheMeanOfTheLastSteps) {
  torch::nn::Sequential last, averaged;
  const schedule how{.epochs = 2, .batch = 8, .rate = 0.1};  // 10 steps
  std::vector<torch::Tensor> steps = trained_weights(last, how);
  steps.push_back(last->parameters()[0].detach());
  schedule of_mean = how;
  of_mean.averaged = 0.4;
  trained_weights(averaged, of_mean);
  const torch::Tensor wanted = (steps[7] + steps[8] + steps[9] + steps[10]) / 4;
  EXPECT_LT((averaged->parameters()[0] - wanted).abs().max().item<float>(), 1e-6);
  EXPECT_GT((last->parameters()[0] - wanted).abs().max().item<float>(), 1e-4);
}

TEST(Fit, RotationLossTeachesAllLayersButTheLast) {
  torch::manual_seed(4);
  const torch::Tensor pixels = torch::rand({64, 1, 2, 2}), answers = torch::full({64, 3}, 1.0 / 3);
  torch::nn::Sequential network(torch::nn::Flatten(), torch::nn::Linear(4, 8), torch::nn::ReLU(),
                                torch::nn::Linear(8, 3));
  const torch::Tensor first = network->parameters()[0].detach().clone(),
                      last = network->parameters()[2].detach().clone();
  const auto no_loss = [](const torch::Tensor& logits, const torch::Tensor&) { return 0 * logits.sum(); };
  EXPECT_NEAR(rotation_head(network).loss(pixels).item<double>(), std::log(4.0), 0.7);
  fit(network, pixels, answers, {.epochs = 2}, no_loss);
  EXPECT_TRUE(network->parameters()[0].equal(first));
  fit(network, pixels, answers, {.epochs = 2, .rotations = true}, no_loss);
  EXPECT_FALSE(network->parameters()[0].equal(first));
  EXPECT_TRUE(network->parameters()[2].equal(last));
  EXPECT_THROW(rotation_head(torch::nn::Sequential(torch::nn::Linear(2, 2), torch::nn::ReLU())), std::invalid_argument);
}

TEST(Surrogates, DoubleBackwardPassIsTheSumOfTheJacobian) {
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

TEST(Surrogates, LastLayerJacobianAgreesWithTheClosedForm) {
  torch::manual_seed(3);
  torch::nn::Sequential network = lenet(10);
  const torch::Tensor x = torch::rand({1, 1, 28, 28});
  const model_function model = [](const torch::Tensor& image) { return rows_of(image.flatten(1).narrow(1, 300, 10)); };
  const auto closed = chaff::last_layer{[&](const torch::Tensor& image) { return rows_of(logits_of(network, image)); }};
  const auto passes =
      chaff::jacobian{[&](const torch::Tensor& image) { return jacobian_of(network, image, last_weights(network)); }};
  const row_matrix a = chaff::defend(model, chaff::mad{closed, 1.0})(x),
                   b = chaff::defend(model, chaff::mad{passes, 1.0})(x);
  EXPECT_LT((a - b).cwiseAbs().maxCoeff(), 1e-6f);
  EXPECT_GT((a - chaff::defend(model, chaff::none{})(x)).cwiseAbs().sum(), 0.1f);  // the label's cap leaves this of 1
}

TEST(SamplingPolicy, RewardedClassIsSampledMoreOften) {
  sampling_policy policy(3);
  for (int i = 0; i < 300; ++i) policy.reward(i % 3, i % 3 == 1 ? 1 : 0);
  EXPECT_GT(policy.probabilities()[1].item<double>(), 0.9);
  EXPECT_NEAR(policy.probabilities().sum().item<double>(), 1, 1e-12);
}

TEST(Rewards, AreThoseOfThePaper) {
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

TEST(QueryAdaptively, SpendsItsBudgetOnTheAttackersImages) {
  torch::manual_seed(1);
  const image_set own{torch::rand({90, 1, 28, 28}), torch::arange(90) % 3};
  victim_api api([](const torch::Tensor& x) { return rows_of(torch::full({x.size(0), 10}, 0.1)); });
  const transfer_set transfer = query_adaptively(api, own, 150, "all");
  EXPECT_EQ(api.queries(), 150);
  EXPECT_EQ(transfer.pixels.size(0), 150);
  EXPECT_EQ(transfer.answers.size(1), 10);
  for (std::int64_t i = 0; i < 150; i += 50)
    EXPECT_TRUE((own.pixels == transfer.pixels[i]).flatten(1).all(1).any().item<bool>());
}

TEST(ForwardDifferences, EstimateTheGradientOfALinearFunction) {
  torch::manual_seed(1);
  const torch::Tensor a = torch::tensor({1.0f, -2.0f, 0.5f, 3.0f}).view({1, 1, 2, 2});
  const auto f = [&](const torch::Tensor& x) { return (a * x).flatten(1).sum(1); };
  const torch::Tensor found = forward_differences(f, torch::rand({2, 1, 2, 2}), 4000, 1e-2);
  EXPECT_LT((found - a).abs().max().item<float>(), 0.25);
}

TEST(Disagreement, IsZeroWhereTheCloneIsTheVictim) {
  const torch::Tensor z = some_logits(20, 1);
  EXPECT_LT(disagreement(z.softmax(1), z - z.mean(1, true), true).max().item<float>(), 1e-5);
  EXPECT_LT(disagreement(z.softmax(1), z + 7, false).abs().max().item<float>(), 1e-5);
  EXPECT_GT(disagreement(z.softmax(1), -z, false).min().item<float>(), 0.1);
}

TEST(ExtractWithoutData, StaysWithinItsQueryBudget) {
  torch::manual_seed(1);
  for (data_free_attack how : {dfme(500), maze(800)}) {
    how.batch = 16;
    std::int64_t queries = 0;
    victim_api api([&](const torch::Tensor& x) {
      queries += x.size(0);
      EXPECT_GE(x.min().item<float>(), 0);
      EXPECT_LE(x.max().item<float>(), 1);
      return rows_of(torch::full({x.size(0), 10}, 0.1));
    });
    extract_without_data(api, 10, how);
    EXPECT_EQ(queries, api.queries());
    EXPECT_LE(queries, how.budget);
    EXPECT_GT(queries, how.budget - 16 * (1 + how.directions + how.clone_steps));
  }
}

result_line a_line(long seed) {
  result_line line = result_line_of(
      {.attacker = "partial_bayes", .defense = settings::dcp(chaff::odds::exact, 1.2, 0.2), .seed = seed});
  line.victim_accuracy = line.defended_accuracy = 0.5;
  line.queries = 7;
  line.commit = "0123456789";
  return line;
}

TEST(Results, ResumeAfterATruncatedLine) {
  const std::filesystem::path path = testing::TempDir() + "chaff_results.csv";
  std::filesystem::remove(path);
  results(path).add(a_line(1));
  results(path).add(a_line(2));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 3);
  results again(path);
  EXPECT_TRUE(again.has(a_line(1)));
  EXPECT_FALSE(again.has(a_line(2)));
  again.add(a_line(2));
  const std::vector<result_line> all = lines_of<result_line>(path);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].text(), a_line(2).text());
  again.add(a_line(2));
  EXPECT_THROW(lines_of<result_line>(path), std::runtime_error);
}

TEST(Results, RefuseASecondWriter) {
  const std::filesystem::path path = testing::TempDir() + "chaff_results_held.csv";
  std::filesystem::remove(path);
  {
    const results first(path);
    EXPECT_THROW(results{path}, std::runtime_error);
  }
  EXPECT_NO_THROW(results{path});
}

TEST(Results, RefuseMalformedLines) {
  const std::string good = a_line(1).text();
  EXPECT_EQ(result_line::parsed(good).configuration(), a_line(1).configuration());
  const auto with = [&](const char* from, const char* to) {
    std::string bad = good;
    return bad.replace(bad.find(from), std::string(from).size(), to);
  };
  EXPECT_THROW(result_line::parsed(good + ",1"), std::runtime_error);
  EXPECT_THROW(result_line::parsed(with("mnist", "imagenet")), std::runtime_error);
  EXPECT_THROW(result_line::parsed(with("partial_bayes", "unknown")), std::runtime_error);
  EXPECT_THROW(result_line::parsed(with("0.5000", "nan")), std::runtime_error);
  EXPECT_THROW(result_line::parsed(with("0.5000", "1.5")), std::runtime_error);
  EXPECT_THROW(result_line::parsed(with("0.5000", "0.6")),
               std::runtime_error);  // a defense that keeps the label and loses accuracy
  EXPECT_THROW(result_line::parsed(with("lenet", "perceptron")), std::runtime_error);
  EXPECT_THROW(result_line::parsed(with("long", "endless")), std::runtime_error);
  EXPECT_THROW(result_line::parsed(with("0123456789", "")), std::runtime_error);
}

TEST(EveryAttackRun, IsUniqueAndRunsEachPart) {
  for (const bool quick : {true, false}) {
    std::set<std::string> names, networks, attackers, attacks, precisions, samplings, trainings;
    std::set<std::int64_t> seeds;
    for (const attack_run& one : every_attack_run(quick)) {
      const std::string name = result_line_of(one).name();
      EXPECT_TRUE(names.insert(name).second) << name;
      EXPECT_EQ(fields_of(name).size(), 13u) << name;
      networks.insert(one.network);
      attackers.insert(one.attacker);
      attacks.insert(one.attack);
      precisions.insert(one.precision);
      samplings.insert(one.sampling);
      trainings.insert(one.training);
      seeds.insert(one.seed);
      EXPECT_GT(expected_seconds(one), 0);
      EXPECT_NO_THROW(sizes{}.cloning(one.victim, one.network, one.training)) << name;
    }
    EXPECT_EQ(networks.size(), 2u);
    EXPECT_EQ(attackers.size(), 5u);
    EXPECT_EQ(attacks.size(), 3u);
    EXPECT_EQ(precisions.size(), quick ? 3u : 2u);
    EXPECT_EQ(samplings.size(), 6u);
    EXPECT_EQ(trainings.size(), quick ? 3u : 4u);
    EXPECT_EQ(seeds.size(), quick ? 2u : 5u);
  }
}

TEST(PicturedSettings, AreThoseOfThePictures) {
  std::set<std::string> drawn{"none"}, recorded;
  for (const candidate& each : candidates) drawn.insert(each.setting);
  for (const setting& each : pictured_settings()) recorded.insert(each.name());
  EXPECT_EQ(recorded, drawn);
}

TEST(EveryAttackRun, BeginsWithThePicturedDefensesAndGivesEachFiveSeedsAndItsAttackers) {
  std::set<std::string> names, pictured;
  for (const setting& each : pictured_settings()) pictured.insert(each.name());
  const auto is_pictured = [&](const attack_run& run) {
    return run.network == "lenet" && run.precision == "float32" && run.attack == "knockoff" &&
           run.sampling == "random" && run.training == "long" && pictured.contains(run.defense.name());
  };
  const std::vector<attack_run> all = every_attack_run(false);
  EXPECT_TRUE(std::is_partitioned(all.begin(), all.end(), is_pictured));
  for (const attack_run& run : all) names.insert(result_line_of(run).name());
  for (const char* victim : {"mnist", "fashion_mnist", "glyphs"}) {
    const bool is_mnist = std::string(victim) == "mnist";
    for (const setting& defense : is_mnist ? recorded_settings() : pictured_settings()) {
      for (const std::string attacker : {"naive", "partial_bayes", "d_dae", "label_only"}) {
        const bool is_wanted = attacker == "naive"        ? true
                               : attacker == "label_only" ? defense.is_none() || !defense.keeps_label()
                                                          : !defense.is_none();
        for (const std::int64_t seed : {1, 2, 3, 4, 5}) {
          const attack_run run{.victim = victim,
                               .query_data = is_mnist ? "fashion_mnist" : victim,
                               .attacker = attacker,
                               .defense = defense,
                               .seed = seed};
          EXPECT_EQ(names.contains(result_line_of(run).name()), is_wanted) << result_line_of(run).name();
        }
      }
    }
  }
}

TEST(EveryAttackRun, GivesQuantisedVictimsTheDefensesAndAttackersOfLargeOnes) {
  std::map<std::string, std::set<std::string>> runs_of;
  for (const attack_run& run : every_attack_run(false)) {
    if (run.attack == "knockoff") {
      runs_of[run.victim + ' ' + run.network + ' ' + run.precision].insert(run.defense.name() + ' ' + run.attacker);
    }
  }
  const std::set<std::string> of_large = runs_of["glyphs resnet18 float32"];
  EXPECT_EQ(of_large.size(), 2 * large_settings().size());
  EXPECT_TRUE(of_large.contains("modelguard_w(epsilon=1) partial_bayes"));
  EXPECT_EQ(runs_of["fashion_mnist resnet18 float32"], of_large);
  EXPECT_EQ(runs_of["fashion_mnist resnet18 int8_ptq"], of_large);
  EXPECT_EQ(runs_of["glyphs resnet18 int8_ptq"], of_large);
  const std::set<std::string> of_int8 = runs_of["mnist lenet int8_ptq"];
  EXPECT_TRUE(std::ranges::includes(of_int8, of_large));
  for (const setting& each : settings_of_dcp_paper()) EXPECT_TRUE(of_int8.contains(each.name() + " naive"));
}

TEST(Lab, TwoSeedsGiveTwoVictimsAndTwoDivisions) {
  const std::filesystem::path work = testing::TempDir() + "chaff_lab_seeds";
  std::filesystem::remove_all(work);
  lab in({.work = work, .digits = "", .quantise = "", .size = {.quick = true}});
  for (const char* name : {"fashion_mnist", "glyphs"}) {
    SCOPED_TRACE(name);
    const victim first = in.victim_of({.data = name, .seed = 1}), second = in.victim_of({.data = name, .seed = 2});
    EXPECT_FALSE(first.data->train.pixels.equal(second.data->train.pixels));
    EXPECT_FALSE(first.data->held_out.pixels.equal(second.data->held_out.pixels));
    EXPECT_TRUE(first.data->test.pixels.equal(second.data->test.pixels));
    EXPECT_EQ(first.data->train.size(), second.data->train.size());
    EXPECT_EQ(first.data->held_out.size(), second.data->held_out.size());
    const torch::Tensor test = first.data->test.pixels;
    EXPECT_GT((first.parts.model(test) - second.parts.model(test)).cwiseAbs().maxCoeff(), 1e-3f);
    EXPECT_GT((first.parts.decoy(test) - second.parts.decoy(test)).cwiseAbs().maxCoeff(), 1e-3f);
    // the one of the first seed is read from its file
    EXPECT_EQ(in.victim_of({.data = name, .seed = 1}).parts.model(test), first.parts.model(test));
  }
}

TEST(Lab, LogitsOfALargeNetworkAreReadFromTheFolderTheSecondTime) {
  const std::filesystem::path work = testing::TempDir() + "chaff_lab_large";
  std::filesystem::remove_all(work);
  const auto files = [&] {
    const std::filesystem::directory_iterator folder(work / "logits");
    return std::distance(begin(folder), end(folder));
  };
  row_matrix first;
  for (int round = 0; round < 2; ++round) {
    lab in({.work = work, .digits = "", .quantise = "", .size = {.quick = true, .quick_epochs = 0}});
    const victim large = in.victim_of({.data = "fashion_mnist", .network = "resnet18"});
    const torch::Tensor x = large.data->test.pixels.narrow(0, 0, 20);
    const row_matrix z = large.parts.model(x);
    if (round == 0) first = z;
    EXPECT_EQ(z, first);
    EXPECT_EQ(large.parts.model(x), first);
    EXPECT_EQ(files(), 2);  // for these images, and for those that were held out
    EXPECT_THROW(large.parts.decoy(x), std::invalid_argument);
  }
  for (const auto& file : std::filesystem::directory_iterator(work / "logits")) {
    torch::Tensor kept;
    torch::load(kept, file.path());
    torch::save(torch::zeros_like(kept), file.path());
  }
  lab in({.work = work, .digits = "", .quantise = "", .size = {.quick = true, .quick_epochs = 0}});
  const victim large = in.victim_of({.data = "fashion_mnist", .network = "resnet18"});
  EXPECT_TRUE((large.parts.model(large.data->test.pixels.narrow(0, 0, 20)).array() == 0).all());
  EXPECT_GT(large.parts.model(large.data->test.pixels.narrow(0, 1, 20)).cwiseAbs().maxCoeff(), 0);
  EXPECT_EQ(files(), 3);
}

TEST(DataSet, AnotherDivisionHasTheSameImages) {
  const auto part = [](std::int64_t from, std::int64_t to) {
    return image_set{torch::arange(from, to, torch::kFloat).view({-1, 1, 1, 1}), torch::arange(from, to, torch::kLong)};
  };
  const data_set whole{10, part(0, 70), part(70, 80), part(80, 100)};
  const data_set other = whole.divided(2), third = whole.divided(3);
  EXPECT_TRUE(whole.divided(1).train.labels.equal(whole.train.labels));
  EXPECT_EQ(other.train.size(), 70);
  EXPECT_EQ(other.held_out.size(), 10);
  EXPECT_TRUE(other.test.labels.equal(whole.test.labels));
  EXPECT_TRUE(std::get<0>(torch::cat({other.train.labels, other.held_out.labels}).sort()).equal(torch::arange(80)));
  EXPECT_TRUE(other.train.pixels.flatten().to(torch::kLong).equal(other.train.labels));
  EXPECT_FALSE(other.held_out.labels.equal(whole.held_out.labels));
  EXPECT_FALSE(other.held_out.labels.equal(third.held_out.labels));
}

TEST(Sizes, RecipesAndNetworksAreKnownByName) {
  const sizes size;
  EXPECT_EQ(size.cloning("mnist", "lenet", "short").epochs, 6);
  EXPECT_GT(size.cloning("mnist", "lenet", "long").epochs, 6);
  EXPECT_FALSE(size.cloning("mnist", "lenet", "long").augmented);
  EXPECT_TRUE(size.cloning("mnist", "lenet", "augmented").augmented);
  EXPECT_TRUE(size.cloning("mnist", "lenet", "rotations").rotations);
  EXPECT_EQ(size.cloning("mnist", "resnet18", "long").batch, 128);
  EXPECT_THROW(size.cloning("mnist", "lenet", "endless"), std::invalid_argument);
  EXPECT_THROW(size.cloning("mnist", "resnet18", "short"), std::invalid_argument);
  EXPECT_THROW(size.cloning("mnist", "perceptron", "short"), std::invalid_argument);
  EXPECT_THROW(size.training("mnist", "perceptron"), std::invalid_argument);
  EXPECT_THROW(network_of("perceptron", 10), std::invalid_argument);
}

TEST(RunInProcesses, KillsItsProcessesWhenItIsKilled) {
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

TEST(RunInProcesses, RunsEachJobOnceAndReportsFailures) {
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

TEST(Network, ResNet18HasItsElevenMillionParameters) {
  std::int64_t wanted = 49 * 1 * 64 + 2 * 64;  // the first convolution, and its batch norm
  std::int64_t in = 64;
  for (const std::int64_t out : {64, 128, 256, 512}) {
    wanted += 9 * in * out + 3 * 9 * out * out + 4 * 2 * out;  // four convolutions, and their batch norms
    if (in != out) wanted += in * out + 2 * out;               // the way past, and its batch norm
    in = out;
  }
  wanted += 512 * 10 + 10;
  EXPECT_EQ(wanted, 11175370);
  std::int64_t count = 0;
  for (const torch::Tensor& each : network_of("resnet18", 10)->parameters()) count += each.numel();
  EXPECT_EQ(count, wanted);
}

TEST(Network, GivesOneLogitForEachClassAndRefusesUnknownNames) {
  for (const char* name : {"lenet", "resnet18"}) {
    const torch::Tensor z = network_of(name, 111)->forward(torch::rand({2, 1, 28, 28}));
    EXPECT_EQ(z.sizes(), (std::vector<std::int64_t>{2, 111})) << name;
  }
  EXPECT_THROW(network_of("resnet", 10), std::invalid_argument);
  EXPECT_THROW(network_of("", 10), std::invalid_argument);
}

TEST(Network, ResNet18SeesTheImageInAFrameOfZeros) {
  torch::manual_seed(1);
  torch::nn::Sequential of_28 = network_of("resnet18", 10);
  torch::manual_seed(1);
  torch::nn::Sequential of_32 = resnet18(1, 10);
  const torch::Tensor x = torch::rand({3, 1, 28, 28});
  const torch::Tensor framed = torch::constant_pad_nd(x, {2, 2, 2, 2});
  EXPECT_LT((of_28->forward(x) - of_32->forward(framed)).abs().max().item<float>(), 1e-5);
}

/// Parameters and buffers by name, as quantise.py reads them.
c10::impl::GenericDict state_of(const torch::nn::Sequential& network) {
  c10::impl::GenericDict state(c10::StringType::get(), c10::TensorType::get());
  for (const auto& each : network->named_parameters()) state.insert(each.key(), each.value().detach());
  for (const auto& each : network->named_buffers()) state.insert(each.key(), each.value());
  return state;
}

TEST(QuantisedNetwork, HasLogitsNearTheFloatOnes) {
  struct {
    const char* name;
    double largest_error;  // eight seeds have up to 0.045 and 0.216; with a wrong layer it is 1.3 or more
  } const networks[]{{"lenet", 0.1}, {"resnet18", 0.3}};
  for (const auto& [name, largest_error] : networks) {
    torch::manual_seed(4);
    const torch::Tensor x = torch::rand({128, 1, 28, 28}) * torch::rand({128, 1, 1, 1});
    torch::nn::Sequential of_float = network_of(name, 10);
    const torch::NoGradGuard no_gradients;
    for (torch::Tensor& each : of_float->parameters()) {
      if (each.dim() == 1) {
        each.add_(0.2 * torch::randn_like(each));  // no batch norm is the identity
      } else {
        each.mul_(std::sqrt(6.0));  // of He et al. 2015: images differ at the last layer as much as at the first
      }
    }
    for (const auto& each : of_float->modules()) {
      if (auto* norm = each->as<torch::nn::BatchNorm2d>()) norm->options.momentum(1);
    }
    of_float->forward(x);  // sets the means and variances of the batch norms
    of_float->eval();
    c10::impl::GenericDict given = state_of(of_float);
    given.insert("pixels", x);
    given.insert("labels", torch::zeros({128}, torch::kLong));
    const std::string from = testing::TempDir() + "chaff_" + name + ".in", to = testing::TempDir() + "chaff_int8.pt";
    const std::vector<char> bytes = torch::pickle_save(given);
    std::ofstream(from, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_EQ(std::system((CHAFF_QUANTISE " int8_ptq '" + from + "' '" + to + "'").c_str()), 0) << name;
    torch::jit::Module of_int8 = torch::jit::load(to);
    const torch::Tensor z = of_float->forward(x), q = of_int8.forward({x}).toTensor();
    const torch::Tensor codes =
        q / of_int8.attr("scale").toDouble() + static_cast<double>(of_int8.attr("zero_point").toInt());
    EXPECT_LT((codes - codes.round()).abs().max().item<float>(), 1e-3) << name;
    EXPECT_GE(codes.min().item<float>(), -1e-3) << name;
    EXPECT_LE(codes.max().item<float>(), 255 + 1e-3) << name;
    const torch::Tensor of_images = z - z.mean(0, true);  // what the images make of the logits
    const double error = ((q - z).norm() / of_images.norm()).item<double>();
    EXPECT_LT(error, largest_error) << name;
    EXPECT_GT(error, 0) << name;
  }
}

}  // namespace
