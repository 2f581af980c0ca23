// SPDX-License-Identifier: MIT
/// Accounts in the running service: how requests name them, and what flagged ones get.
#include "running_service.hpp"

#include "accounts/account_options.hpp"

namespace {

/// A file for as long as it lives.
class temporary_file {
 public:
  explicit temporary_file(const std::string& text) {
    path = testing::TempDir() + "accounts-XXXXXX";
    const int descriptor = mkstemp(path.data());
    EXPECT_EQ(write(descriptor, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    close(descriptor);
  }
  ~temporary_file() { unlink(path.c_str()); }

  std::string path;
};

/// Confidences of benign users between 0.95 and 1. The shirt's is 0.9366, so each shirt has a surprise of log(1000) and
/// raises the evidence by 4.9; five reach the threshold of 20.2. The boot's is above most, and lowers the evidence.
const temporary_file benign_scores([] {
  std::string text;
  for (int i = 0; i < 999; ++i) text += std::to_string(0.95 + 0.05 * i / 999) + "\n";
  return text;
}());
constexpr int shirts_until_flagged = 5;

service::account_options by_header() {
  service::account_options chosen;
  chosen.header = "X-Account";
  chosen.benign_scores_file = benign_scores.path;
  return chosen;
}

service::options watching(const service::account_options& chosen) {
  return {.timeout_seconds = 2, .accounts = service::make_account_watch(chosen)};
}

httplib::Headers account(const std::string& name) {
  return {{"X-Account", name}};
}

std::string batch_of(const std::string& image, int count) {
  std::string data;
  for (int i = 0; i < count; ++i)
    for (const char pixel : image) data += std::to_string(static_cast<unsigned char>(pixel)) + ",";
  data.pop_back();
  return R"({"inputs":[{"name":"image","datatype":"UINT8","shape":[)" + std::to_string(count) + R"(,784],"data":[)" +
         data + "]}]}";
}

constexpr const char* infer = "/v2/models/fashion_mnist/infer";

TEST(Account, IsFlaggedAtTheQueryOfTheFormula) {
  const running_service service(watching(by_header()));
  for (int i = 1; i < shirts_until_flagged; ++i) EXPECT_EQ(service.post(shirt, account("a"))->status, 200) << i;
  expect_refused(service.post(shirt, account("a")), 403, "flagged");
  expect_refused(service.post(boot, account("a")), 403, "flagged");  // from then on
  EXPECT_EQ(service.post(shirt, account("b"))->status, 200);
  EXPECT_EQ(service.post(boot, {{"x-aCCount", "b"}})->status, 200);
}

TEST(Account, OfBenignQueriesIsNotFlagged) {
  const running_service service(watching(by_header()));
  for (int i = 0; i < 60; ++i) EXPECT_EQ(service.post(i % 10 == 9 ? shirt : boot, account("a"))->status, 200) << i;
}

TEST(Account, CountsQueriesOfBothRoutesAndOfBatches) {
  const running_service service(watching(by_header()));
  EXPECT_EQ(service.post(batch_of(pixels, 3), account("a"), infer)->status, 200);
  EXPECT_EQ(service.post(shirt, account("a"))->status, 200);
  const auto refused = service.post(batch_of(pixels, 1), account("a"), infer);
  EXPECT_EQ(refused->status, 403);
  EXPECT_EQ(json_of(refused), (nlohmann::json{{"error", "this account is not served"}}));
  EXPECT_EQ(service.post(batch_of(pixels, shirts_until_flagged), account("b"), infer)->status, 403);
  EXPECT_EQ(service.post(batch_of(pixels, shirts_until_flagged - 1), account("c"), infer)->status, 200);
}

TEST(Account, IsNotChargedForRequestsThatAreRefused) {
  const running_service service(watching(by_header()));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(service.post("bad", account("a"))->status, 415);
    EXPECT_EQ(service.post("{}", account("a"), infer)->status, 400);
  }
  for (int i = 1; i < shirts_until_flagged; ++i) EXPECT_EQ(service.post(shirt, account("a"))->status, 200) << i;
}

TEST(Account, GetsTheFlaggedDefenseFromTheFlaggingRowOn) {
  auto chosen = by_header();
  chosen.flagged_defense = "dcp(beta=1.5) | top_k(k=3)";
  chosen.flagged_policy = "max_l1=1.9";
  service::options options = watching(chosen);
  options.defense = chaff::dcp{.beta = 1.2};
  const running_service service(options);
  const network model(examples + "/quickstart/weights.bin");
  Eigen::VectorXf image(784);
  for (int i = 0; i < 784; ++i)
    image[i] = static_cast<float>(static_cast<unsigned char>(pixels[static_cast<std::size_t>(i)])) / 255;
  const Eigen::VectorXd logits = model(image).cast<double>();
  const Eigen::VectorXd normal = chaff::apply(chaff::dcp{.beta = 1.2} | chaff::rounded{.decimals = 4}, logits);
  const Eigen::VectorXd flagged =
      chaff::apply(chaff::dcp{.beta = 1.5} | chaff::top_k{.k = 3} | chaff::rounded{.decimals = 4}, logits,
                   chaff::policy{.max_l1 = 1.9});
  ASSERT_NE(normal, flagged);

  const auto body = json_of(service.post(batch_of(pixels, 8), account("a"), infer));
  const std::vector<float> data = body["outputs"][0]["data"];
  ASSERT_EQ(data.size(), 80u);
  for (std::size_t i = 0; i < 80; ++i) {
    const Eigen::VectorXd& expected = i / 10 + 1 < shirts_until_flagged ? normal : flagged;
    EXPECT_EQ(data[i], static_cast<float>(expected[static_cast<Eigen::Index>(i % 10)])) << i;
  }
  const std::vector<double> later = json_of(service.post(shirt, account("a")))["probabilities"];
  EXPECT_EQ(later, std::vector<double>(flagged.begin(), flagged.end()));
  const std::vector<double> other = json_of(service.post(shirt, account("b")))["probabilities"];
  EXPECT_EQ(other, std::vector<double>(normal.begin(), normal.end()));
}

TEST(AccountHeader, HasToBeThereOnceWithAName) {
  const running_service service(watching(by_header()));
  const auto refused = [&](const std::string& fields) {
    const auto response = service.classify(fields);
    EXPECT_EQ(response.status, 400) << fields.substr(0, 40);
    return response.code();
  };
  EXPECT_EQ(refused(""), "account");
  EXPECT_EQ(refused("X-Account:\r\n"), "account");
  EXPECT_EQ(refused("X-Account:  \t \r\n"), "account");
  EXPECT_EQ(refused("X-Account: a\r\nX-Account: a\r\n"), "account");
  EXPECT_EQ(refused("X-Account: a\r\nx-account:\r\n"), "account");
  EXPECT_EQ(refused("X-Account: " + std::string(257, 'a') + "\r\n"), "account");
  EXPECT_EQ(refused("X-Account2: a\r\n"), "account");
  EXPECT_EQ(refused("Account: 17\r\n"), "account");  // the name that the service uses in the head it writes
  EXPECT_EQ(refused("Authorization: Bearer a\r\n"), "account");
  EXPECT_EQ(refused(std::string("X-Account: a\0b\r\n", 16)), "bad_request");
  EXPECT_EQ(refused("X-Account: a\rb\r\n"), "bad_request");
  EXPECT_EQ(refused("X-Account: a\nb\r\n"), "bad_request");
  EXPECT_EQ(refused("X-Account: a\r\n b\r\n"), "bad_request");
  EXPECT_EQ(refused("X-Account : a\r\n"), "bad_request");
  EXPECT_EQ(service.classify("X-Account: " + std::string(256, 'a') + "\r\n").status, 200);
  EXPECT_EQ(service.classify("X-Account: a, \xc3\xa9 \"%0d%0a\"\r\n").status, 200);  // any bytes are a name
  EXPECT_EQ(service.classify("X-Account: " + std::string(1 << 20, 'a') + "\r\n").status, 431);
}

TEST(AccountHeader, TrimsBlanksAndKeepsCase) {
  const running_service service(watching(by_header()));
  for (int i = 1; i < shirts_until_flagged; ++i)
    EXPECT_EQ(service.classify(i % 2 == 0 ? "X-Account: a\r\n" : "X-Account: \t a \t\r\n").status, 200);
  EXPECT_EQ(service.classify("X-Account: A\r\n").status, 200);
  EXPECT_EQ(service.classify("X-Account:a\r\n").status, 403);
}

TEST(AccountHeader, IsNotNeededWhereNothingIsClassified) {
  const running_service service(watching(by_header()));
  for (const char* path : {"/", "/healthz", "/metrics", "/v2", "/v2/models/fashion_mnist"})
    EXPECT_EQ(service.get(path)->status, 200) << path;
  EXPECT_EQ(service.request("GET /healthz", "X-Account: a\r\nX-Account: b\r\n").status, 200);
  EXPECT_EQ(service.request("GET /v1/classify").code(), "method");
}

TEST(AccountHeader, HasNoEffectWithoutAccounts) {
  const running_service service;
  const std::string answer = service.post(shirt)->body;
  for (int i = 0; i < 30; ++i) EXPECT_EQ(service.post(shirt, account("a"))->body, answer);
  EXPECT_EQ(service.classify("X-Account: a\r\nX-Account: b\r\n").status, 200);
  EXPECT_EQ(service.classify("Authorization: Basic x\r\n").status, 200);
  EXPECT_EQ(service.get("/metrics")->body.find("account"), std::string::npos);
}

TEST(AccountHeader, MayNotBeOneThatTheServiceReadsItself) {
  for (const char* name : {"Host", "content-length", "Connection", "Expect", "Content-Type", "Content-Encoding",
                           "Transfer-Encoding", "X Account", "X-Account:", "\xc3\xa9"}) {
    auto chosen = by_header();
    chosen.header = name;
    EXPECT_THROW(service::make_account_watch(chosen), std::invalid_argument) << name;
  }
}

TEST(ApiKey, NamesTheAccount) {
  const temporary_file keys(
      "# staff\n\nalice 0123456789abcdef\r\nbob\tABCDEFGHIJKLMNOP-._~+/=\nalice   another-key-of-alice\n");
  service::account_options chosen;
  chosen.api_keys_file = keys.path;
  chosen.benign_scores_file = benign_scores.path;
  const running_service service(watching(chosen));
  const auto post = [&](const std::string& authorization) {
    return service.post(shirt, {{"Authorization", authorization}})->status;
  };
  EXPECT_EQ(post("Bearer 0123456789abcdef"), 200);
  EXPECT_EQ(post("bearer another-key-of-alice"), 200);
  EXPECT_EQ(post("BEARER   0123456789abcdef "), 200);
  EXPECT_EQ(post("Bearer another-key-of-alice"), 200);
  EXPECT_EQ(post("Bearer 0123456789abcdef"), 403);  // the fifth of alice
  EXPECT_EQ(post("Bearer ABCDEFGHIJKLMNOP-._~+/="), 200);
  for (const char* wrong : {"", "Bearer", "Bearer ", "Bearer 0123456789abcdeF", "Bearer 0123456789abcde",
                            "Bearer 0123456789abcdef0", "Bearer alice", "Basic 0123456789abcdef", "0123456789abcdef",
                            "Bearer 0123456789abcdef, Bearer x", "Bearer # staff"})
    EXPECT_EQ(post(wrong), 401) << wrong;
  const auto none = service.classify("");
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.code(), "api_key");
  EXPECT_TRUE(none.has("WWW-Authenticate: Bearer")) << none.head;
  EXPECT_EQ(service.classify("Authorization: Bearer 0123456789abcdef\r\nAuthorization: Bearer x\r\n").status, 400);
  EXPECT_EQ(service.classify("X-Account: bob\r\n").status, 401);
}

TEST(ApiKey, FileIsCheckedWithoutShowingKeys) {
  const auto why = [](const std::string& text) -> std::string {
    try {
      service::api_keys keys(text, "keys");
      return "accepted";
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  };
  const std::string key = "hunter2-hunter2-hunter2";
  EXPECT_EQ(why("alice " + key), "accepted");
  EXPECT_EQ(why(""), "keys has no keys");
  EXPECT_EQ(why("# only this\n"), "keys has no keys");
  EXPECT_EQ(why("\n" + key), "keys, line 2: an account's name and its key are wanted, separated by a blank");
  EXPECT_EQ(why("alice " + key + "\nbob " + key), "keys, line 2: the key is there already");
  EXPECT_EQ(why("alice hunter2"), "keys, line 1: a key has 16 to 256 letters, digits and - . _ ~ + / =");
  EXPECT_EQ(why("alice " + key + " " + key), "keys, line 1: a key has 16 to 256 letters, digits and - . _ ~ + / =");
  EXPECT_EQ(why("alice " + std::string(257, 'x')),
            "keys, line 1: a key has 16 to 256 letters, digits and - . _ ~ + / =");
  EXPECT_EQ(why(std::string(257, 'a') + " " + key), "keys, line 1: the name is longer than 256 bytes");
}

TEST(AccountOptions, ThatDoNotFitTogetherAreRefused) {
  const auto why = [](const auto& change) -> std::string {
    auto chosen = by_header();
    change(chosen);
    try {
      const network model(examples + "/quickstart/weights.bin");
      service::options options;
      options.accounts = service::make_account_watch(chosen);
      service::http_service(model, options);
      return "accepted";
    } catch (const std::exception& error) {
      return error.what();
    }
  };
  const auto expect = [&](const char* words, const auto& change) {
    EXPECT_NE(why(change).find(words), std::string::npos) << words << ": " << why(change);
  };
  expect("accepted", [](auto&) {});
  expect("not by both", [](auto& chosen) { chosen.api_keys_file = "x"; });
  expect("--benign-scores", [](auto& chosen) { chosen.benign_scores_file = ""; });
  expect("no such file", [](auto& chosen) { chosen.benign_scores_file = "no such file"; });
  expect("--account-key-file", [](auto& chosen) { chosen.place = "redis://127.0.0.1"; });
  expect("--flagged-defense", [](auto& chosen) { chosen.flagged_policy = "max_l1=1"; });
  expect("position 0", [](auto& chosen) { chosen.flagged_defense = "x"; });
  expect("leave out", [](auto& chosen) {
    chosen.flagged_defense = "dcp";
    chosen.flagged_policy = "answer=log_probabilities";
  });
  expect("no such key", [](auto& chosen) { chosen.key_file = "no such key"; });
  expect("--accounts is", [](auto& chosen) { chosen.place = "sqlite"; });
  const temporary_file bad_key("0123"), key("000102030405060708090a0b0c0d0e0f\n"), wide("0.5,0.6\n0.7,0.8\n");
  expect("32 hexadecimal digits", [&](auto& chosen) { chosen.key_file = bad_key.path; });
  expect("columns", [&](auto& chosen) { chosen.benign_scores_file = wide.path; });
  expect("TLS", [&](auto& chosen) {
    chosen.key_file = key.path;
    chosen.place = "rediss://127.0.0.1";
  });
  expect("accepted", [&](auto& chosen) { chosen.key_file = key.path; });
}

TEST(AccountOptions, NeedAGateWithAScore) {
  const network model(examples + "/quickstart/weights.bin");
  for (const auto& [text, is_accepted] :
       {std::pair("dcp", true), std::pair("energy_dcp(tau=4)", true), std::pair("dcp | top_k(k=3)", true),
        std::pair("gated(confidence_gate(tau=0.9), reverse_sigmoid)", true),
        std::pair("gated(energy_gate(tau=4), reverse_sigmoid)", true),
        std::pair("gated(always, reverse_sigmoid)", false), std::pair("none", false),
        std::pair("reverse_sigmoid", false),
        std::pair("random_vertex(epsilon=0.5, key=000102030405060708090a0b0c0d0e0f)", false)}) {
    auto options = watching(by_header());
    options.defense = chaff::parse_defense(text);
    if (is_accepted) {
      EXPECT_NO_THROW(service::http_service(model, options)) << text;
    } else {
      EXPECT_THROW(service::http_service(model, options), std::invalid_argument) << text;
    }
  }
}

TEST(GateScore, IsTheGatesOwn) {
  Eigen::VectorXf logits(4);
  logits << 2.5f, -1.0f, 0.25f, 7.0f;
  long double sum = 0;
  for (const float each : logits) sum += std::exp(static_cast<long double>(each));
  EXPECT_NEAR(service::gate_score(chaff::dcp{})(logits), static_cast<double>(std::exp(7.0L) / sum), 1e-14);
  EXPECT_NEAR(service::gate_score(chaff::energy_dcp{.tau = 4})(logits), static_cast<double>(std::log(sum)), 1e-14);
}

TEST(Account, HasTheEvidenceOfTheLibrarysMonitor) {
  std::vector<double> benign;
  for (int i = 0; i < 999; ++i) benign.push_back(0.95 + 0.05 * i / 999);
  const chaff::query_monitor monitor(benign, {.false_alarms = 1e-3, .queries = 10000, .drift = 1.5});
  service::memory_store store({.threshold = monitor.threshold(), .drift = 1.5}, 10);
  double evidence = 0;
  std::uint64_t state = 1;
  bool is_flagged = false;
  for (int i = 0; i < 300; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const double score = 0.938 + 0.062 * static_cast<double>(state >> 33) / 0x1p31;
    is_flagged = monitor.update(evidence, score);
    const double surprise = monitor.surprise(score);
    const auto result = store.count(1, {&surprise, 1});
    ASSERT_EQ(result.evidence, evidence) << i;
    ASSERT_EQ(result.first_flagged == 0, is_flagged) << i;
  }
  EXPECT_TRUE(is_flagged);
}

TEST(AccountMetrics, CountAccountsAndNameNone) {
  const running_service service(watching(by_header()));
  for (int i = 0; i < 6; ++i) service.post(shirt, account("secret-name"));
  service.post(boot, account("other-name"));
  const std::string text = service.get("/metrics")->body;
  for (const char* line :
       {"\nchaff_accounts 2\n", "\nchaff_accounts_seen_total 2\n", "\nchaff_accounts_flagged 1\n",
        "\nchaff_flagged_queries_total 2\n", "\nchaff_account_evidence_bucket{le=\"0\"} 1\n",
        "\nchaff_account_evidence_bucket{le=\"5\"} 2\n", "\nchaff_account_evidence_bucket{le=\"10\"} 3\n",
        "\nchaff_account_evidence_bucket{le=\"+Inf\"} 7\n", "\nchaff_account_evidence_count 7\n",
        "# TYPE chaff_account_evidence histogram\n", "\nchaff_accounts_forgotten_total 0\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  EXPECT_EQ(text.find("name"), std::string::npos);
  EXPECT_EQ(text.find("redis"), std::string::npos);
}

TEST(AccountId, IsTheSipHashOfTheName) {
  // Source: the test vectors of SipHash-2-4's authors, of the messages 00, 00 01, ... under the key 00 01 ... 0f
  const chaff::key key("000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(service::account_id_of(std::string_view("", 0), key), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(service::account_id_of(std::string_view("\0", 1), key), 0x74f839c593dc67fdu);
  EXPECT_EQ(service::redis_key_of(0x74f839c593dc67fdu), "chaff:account:74f839c593dc67fd");
}

}  // namespace
