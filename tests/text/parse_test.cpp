// SPDX-License-Identifier: MIT
/// Text of defenses and policies: what it may hold, its canonical form, and the errors.
#include <gtest/gtest.h>

#include <chaff/any_defense.hpp>
#include <locale>

#include "support/shared_text.hpp"

namespace {

using chaff::parse_defense;
using chaff::parse_policy;

const std::string key = "000102030405060708090a0b0c0d0e0f";

/// The message of the std::invalid_argument that parsing raises, or what it made of the text.
template <class Parse>
std::string message_of(Parse parse, const std::string& text) {
  try {
    return "no error: " + to_string(parse(text));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

std::string defense_error(const std::string& text) {
  return message_of([](const std::string& given) { return parse_defense(given); }, text);
}
std::string policy_error(const std::string& text) {
  return message_of([](const std::string& given) { return parse_policy(given); }, text);
}

TEST(ParseDefense, GivesCanonicalText) {
  const std::pair<std::string, std::string> texts[] = {
      {"none", "none"},
      {"none()", "none"},
      {"dcp", "dcp(beta=0.9, gamma=0.2, nu=1000, rule=clamped)"},
      {"dcp()", "dcp(beta=0.9, gamma=0.2, nu=1000, rule=clamped)"},
      {" \tdcp\n(\r\nbeta =1.20,gamma= 2e-1 ) ", "dcp(beta=1.2, gamma=0.2, nu=1000, rule=clamped)"},
      {"dcp(rule=exact, tau=.5, nu=1e9)", "dcp(beta=0.9, gamma=0.2, nu=1e+09, tau=0.5, rule=exact)"},
      {"energy_dcp(tau=-4.70)", "energy_dcp(beta=1.2, gamma=0.2, nu=1000, tau=-4.7, rule=clamped)"},
      {"reverse_sigmoid(beta=0)", "reverse_sigmoid(beta=0, gamma=0.2, rule=clamped)"},
      {"random_vertex(key=000102030405060708090A0B0C0D0E0F)", "random_vertex(epsilon=1, key=" + key + ")"},
      {"modelguard_w", "modelguard_w(epsilon=1)"},
      {"gated(energy_gate(tau=5),modelguard_w(epsilon=.50))",
       "gated(energy_gate(tau=5, nu=1000), modelguard_w(epsilon=0.5))"},
      {"misdirect( key = " + key + " )", "misdirect(key=" + key + ")"},
      {"gated(always,reverse_sigmoid)", "gated(always, reverse_sigmoid(beta=0.32, gamma=0.2, rule=clamped))"},
      {"gated ( confidence_gate ( ) , misdirect(key=" + key + ") )",
       "gated(confidence_gate(tau=0.9, nu=1000), misdirect(key=" + key + "))"},
      {"gated(energy_gate(tau=5), random_vertex(epsilon=2, key=" + key + "))",
       "gated(energy_gate(tau=5, nu=1000), random_vertex(epsilon=2, key=" + key + "))"},
      {"none|top_k|rounded|label_only|high_confidence|gaussian_noise(key=" + key + ")",
       "none | top_k(k=5) | rounded(decimals=3) | label_only | high_confidence(cutoff=0.25) | "
       "gaussian_noise(sigma=0.2, key=" +
           key + ")"},
      {"none | top_k(k=18446744073709551615) | rounded(decimals=0)",
       "none | top_k(k=18446744073709551615) | rounded(decimals=0)"}};
  for (const auto& [text, canonical] : texts) {
    if (sizeof(std::size_t) < 8 && text.find("18446744073709551615") != text.npos) continue;
    EXPECT_EQ(to_string(parse_defense(text)), canonical);
    EXPECT_EQ(to_string(parse_defense(canonical)), canonical);
  }
}

TEST(ParseDefense, TakesEachKindOfText) {
  EXPECT_EQ(to_string(parse_defense("none")), "none");
  EXPECT_EQ(to_string(parse_defense(std::string("none"))), "none");
  EXPECT_EQ(to_string(parse_defense(std::string_view("none | no").substr(0, 4))), "none");
  chaff::any_defense (*const function)(std::string_view) = chaff::parse_defense;
  EXPECT_EQ(to_string(function("none")), "none");
}

TEST(ParseDefense, NamesPositionWhatWasReadAndWhatIsAllowed) {
  const std::string defenses =
      "allowed is a defense: gated, none, dcp, energy_dcp, reverse_sigmoid, random_vertex, modelguard_w, misdirect";
  const std::string reductions = "allowed is a reduction: top_k, rounded, label_only, high_confidence, gaussian_noise";
  const std::string of_dcp = "allowed is a parameter of dcp: beta, gamma, nu, tau, rule";
  const std::string number = "allowed is a finite decimal number";
  const std::pair<std::string, std::string> errors[] = {
      {"", "0: read the end of the text, " + defenses},
      {"  ", "2: read the end of the text, " + defenses},
      {"dpc", "0: read 'dpc', " + defenses},
      {"DCP", "0: read 'DCP', " + defenses},
      {"(dcp)", "0: read '(', " + defenses},
      {"| top_k", "0: read '|', " + defenses},
      {"energy_gate(tau=1)", "0: read 'energy_gate', " + defenses},
      {"dcp(betta=1)", "4: read 'betta', " + of_dcp},
      {"dcp(1.2)", "4: read '1.2', " + of_dcp},
      {"dcp(beta=1,)", "11: read ')', " + of_dcp},
      {"dcp(,beta=1)", "4: read ',', " + of_dcp},
      {"dcp(.beta=1)", "4: read '.beta', " + of_dcp},
      {"dcp(", "4: read the end of the text, " + of_dcp},
      {"dcp(beta", "8: read the end of the text, allowed is '='"},
      {"dcp(beta:1)", "8: read ':', allowed is '='"},
      {"dcp(beta=", "9: read the end of the text, " + number},
      {"dcp(beta=)", "9: read ')', " + number},
      {"dcp(beta=1", "10: read the end of the text, allowed is ',' or ')'"},
      {"dcp(beta=1;gamma=2)", "10: read ';', allowed is ',' or ')'"},
      {"dcp(beta=1 gamma=2)", "11: read 'gamma', allowed is ',' or ')'"},
      {"dcp(beta=1,beta=1)", "11: beta of dcp is given twice"},
      {"dcp(beta=1, gamma=2, beta=3)", "21: beta of dcp is given twice"},
      {"dcp(beta=nan)", "9: read 'nan', " + number},
      {"dcp(beta=inf)", "9: read 'inf', " + number},
      {"dcp(beta=0x1)", "9: read '0x1', " + number},
      {"dcp(beta=1e999)", "9: read '1e999', " + number},
      {"dcp(beta= 1,5)", "12: read '5', " + of_dcp},
      {"dcp(beta=1.2f)", "9: read '1.2f', " + number},
      {"dcp(beta=-1)", "9: beta is -1, allowed is [0, 1000]"},
      {"dcp(gamma=0.2, tau = 10.5)", "21: tau is 10.5, allowed is [0, 10]"},
      {"dcp(nu=0)", "7: nu is 0, allowed is [1e-06, 1e+09]"},
      {"dcp(rule=odd)", "9: read 'odd', allowed is clamped, exact"},
      {"dcp(rule=1)", "9: read '1', allowed is clamped, exact"},
      {"dcp)", "3: read ')', allowed is '|', or the end of the text"},
      {"dcp dcp", "4: read 'dcp', allowed is '|', or the end of the text"},
      {"dcp()()", "5: read '(', allowed is '|', or the end of the text"},
      {"dcp,", "3: read ',', allowed is '|', or the end of the text"},
      {"dcp|", "4: read the end of the text, " + reductions},
      {"dcp || top_k", "5: read '|', " + reductions},
      {"dcp | dcp", "6: read 'dcp', " + reductions},
      {"dcp | top_k(k=0)", "6: k of top_k is 0, allowed is 1 or more"},
      {"dcp | top_k(k=-1)", "14: read '-1', allowed is a whole number from 0 to "},
      {"dcp | top_k(k=5.0)", "14: read '5.0', allowed is a whole number from 0 to "},
      {"dcp | top_k(k=18446744073709551616)", "14: read a word of 20 characters, allowed is a whole number from 0 to "},
      {"dcp | rounded(decimals=8)", "23: decimals is 8, allowed is [0, 7]"},
      {"dcp | rounded(decimals=-1)", "23: decimals is -1, allowed is [0, 7]"},
      {"dcp | high_confidence(cutoff=2)", "29: cutoff is 2, allowed is [0, 1]"},
      {"dcp | label_only(k=1)", "17: read 'k', allowed is ')', since label_only has no parameters"},
      {"energy_dcp", "0: tau of the energy gate is not set, and no default fits every model: take it from calibrate"},
      {"gated", "5: read the end of the text, allowed is '(': gated(gate, perturbation)"},
      {"gated_by(always, reverse_sigmoid)", "0: read 'gated_by', " + defenses},
      {"gated()", "6: read ')', allowed is a gate: always, confidence_gate, energy_gate"},
      {"gated(always)", "12: read ')', allowed is ',', and then a perturbation"},
      {"gated(always, dcp)",
       "14: read 'dcp', allowed is a perturbation: reverse_sigmoid, random_vertex, modelguard_w, misdirect"},
      {"gated(dcp, reverse_sigmoid)", "6: read 'dcp', allowed is a gate: always, confidence_gate, energy_gate"},
      {"gated(always, reverse_sigmoid", "29: read the end of the text, allowed is ')'"},
      {"gated(energy_gate, reverse_sigmoid)",
       "6: tau of the energy gate is not set, and no default fits every model: take it from calibrate"},
      {"misdirect", "9: misdirect needs a key, which has no default: key=..."},
      {"random_vertex(epsilon=1)", "23: random_vertex needs a key, which has no default: key=..."},
      {"top_k(k=2)", "0: top_k is a reduction, which follows a defense: none | ..., for example"},
      {"gated(always, rounded)", "14: rounded is a reduction, which follows a defense"},
      {"mad", "0: mad needs a surrogate model and the query, which text cannot hold: "},
      {"gradient_redirection", "0: gradient_redirection needs a surrogate model and the query, which text cannot hold"},
      {"adaptive_misinformation(tau=0.9)", "0: adaptive_misinformation needs a second model, the decoy, which text"},
      {"codebook", "0: codebook has a table, which text cannot hold: make it in C++ with chaff::codebook_of"},
      {"gated(always, codebook(epsilon=1))", "14: codebook has a table, which text cannot hold"},
      {"gated(always, decoy)", "14: decoy needs a second model, the decoy, which text cannot hold"},
      {"d\xc3\xa9", "0: read 'd', " + defenses},
      {"none\xc3\xa9", "4: read byte 0xc3, allowed is '|', or the end of the text"},
      {std::string("dcp\0", 4), "3: read byte 0x00, allowed is '|', or the end of the text"}};
  for (const auto& [text, message] : errors) {
    EXPECT_EQ(defense_error(text).substr(0, 25 + message.size()), "chaff: defense, position " + message) << text;
  }
}

TEST(ParseDefense, ShowsNothingOfAKeyInAnError) {
  const std::string secret = "deadbeefdeadbeefdeadbeefdeadbee";  // 31 digits
  for (const std::string& text : std::vector<std::string>{
           "misdirect(key=" + secret + ")", "misdirect(key=" + secret + "00)", "misdirect(key=" + secret + "g)",
           "misdirect(" + secret + "f)", "misdirect(key=deadbeefdeadbeef deadbeefdeadbeef)", secret + "f",
           "misdirect(key=" + secret + "f)" + secret, "misdirect(key=" + secret + "f, key=" + secret + "f)",
           "dcp(beta=" + secret + ")", "dcp | top_k(k=" + secret + ")", "dcp(rule=" + secret + ")"}) {
    const std::string message = defense_error(text);
    EXPECT_EQ(message.rfind("chaff: defense, position ", 0), 0u) << message;
    EXPECT_EQ(message.find("dead"), message.npos) << message;
  }
}

TEST(ParseDefense, RefusesTextOfAnyLengthWithAShortMessage) {
  const std::string long_text(100000, 'x'), many_digits(100000, '7');
  EXPECT_EQ(defense_error(long_text).find("chaff: defense, position 0: read a word of 100000 characters"), 0u);
  EXPECT_EQ(defense_error("dcp(beta=" + many_digits + ")").find("chaff: defense, position 9: read a word of 100000"),
            0u);
  EXPECT_EQ(defense_error("none" + std::string(100000, '(')).find("chaff: defense, position 5: read '('"), 0u);
}

TEST(ParsePolicy, GivesEveryMember) {
  const chaff::policy read = parse_policy(
      "keep_label=false, max_l1=0.5, input=log_probabilities, answer=logits, constant_time_gate=true, classes=10");
  EXPECT_FALSE(read.keep_label);
  EXPECT_EQ(read.label_margin, 0);
  EXPECT_EQ(read.max_l1, 0.5);
  EXPECT_EQ(read.input, chaff::form::log_probabilities);
  EXPECT_EQ(read.answer, chaff::form::logits);
  EXPECT_TRUE(read.constant_time_gate);
  EXPECT_EQ(read.classes, 10u);
}

TEST(ParsePolicy, GivesCanonicalText) {
  const auto with = [](const char* margin, const char* max_l1, const char* answer) {
    return std::string("policy(keep_label=true, label_margin=") + margin + ", max_l1=" + max_l1 +
           ", input=logits, answer=" + answer + ", constant_time_gate=false, classes=0)";
  };
  const std::pair<std::string, std::string> texts[] = {
      {"", with("0", "2", "probabilities")},
      {"  ", with("0", "2", "probabilities")},
      {"policy", with("0", "2", "probabilities")},
      {"policy()", with("0", "2", "probabilities")},
      {"label_margin=0.011, max_l1=0.5", with("0.011", "0.5", "probabilities")},
      {" policy ( label_margin = 0.011 , max_l1=.50 ) ", with("0.011", "0.5", "probabilities")},
      {"answer=log_probabilities", with("0", "2", "log_probabilities")}};
  for (const auto& [text, canonical] : texts) {
    EXPECT_EQ(to_string(parse_policy(text)), canonical);
    EXPECT_EQ(to_string(parse_policy(canonical)), canonical);
  }
}

TEST(ParsePolicy, NamesPositionWhatWasReadAndWhatIsAllowed) {
  const std::string parameters =
      "allowed is a parameter of policy: keep_label, label_margin, max_l1, input, answer, constant_time_gate, classes";
  const std::pair<std::string, std::string> errors[] = {
      {"max_l2=1", "0: read 'max_l2', " + parameters},
      {"(max_l1=1)", "0: read '(', " + parameters},
      {"max_l1=1,", "9: read the end of the text, " + parameters},
      {"max_l1=1)", "8: read ')', allowed is ',', or the end of the text"},
      {"policy max_l1=1", "7: read 'max_l1', allowed is ',', or the end of the text"},
      {"policy(max_l1=1", "15: read the end of the text, allowed is ',' or ')'"},
      {"policy_of(max_l1=1)", "0: read 'policy_of', " + parameters},
      {"policy(policy())", "7: read 'policy', " + parameters},
      {"max_l1=1,max_l1=1", "9: max_l1 of policy is given twice"},
      {"max_l1=3", "7: policy.max_l1 is 3, allowed is [0, 2]"},
      {"keep_label=false, label_margin=0.1", "31: policy.label_margin is 0.1, allowed is [0, 0]"},
      {"keep_label=1", "11: read '1', allowed is false, true"},
      {"input=softmax", "6: read 'softmax', allowed is logits, probabilities, log_probabilities"},
      {"classes=ten", "8: read 'ten', allowed is a whole number from 0 to "}};
  for (const auto& [text, message] : errors) {
    EXPECT_EQ(policy_error(text).substr(0, 24 + message.size()), "chaff: policy, position " + message) << text;
  }
}

}  // namespace
