// SPDX-License-Identifier: MIT
/// Evidence in Redis: a real redis-server, which the tests end, stop and start again, and fakes.
#include <random>

#include "accounts/redis_store.hpp"
#include "running_redis.hpp"

namespace {

using namespace std::chrono_literals;
using service::account_id;
using service::evidence_rule;
using service::redis_store;

constexpr evidence_rule rule{.threshold = 20, .drift = 2};
/// Queries go on in this bound whatever Redis does; the margin is for a busy machine.
constexpr auto bound = 100ms;
constexpr auto margin = 1000ms;

/// Where a test does not measure the bound, Redis may take longer, so that a busy machine makes no outage.
service::redis_options options_for(int port, std::size_t max_accounts = 1000, std::chrono::milliseconds command = 5s) {
  return {.address = {.host = "127.0.0.1", .port = port},
          .max_accounts = max_accounts,
          .expiry = 1h,
          .patience = {.connect = 500ms, .command = command, .idle = 5s, .first_pause = 20ms, .longest_pause = 100ms}};
}

/// Whether something comes true within 10 seconds.
bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

std::vector<double> one(double surprise) {
  return {surprise};
}

std::vector<double> dyadic_surprises(std::mt19937& random, std::size_t count) {
  std::vector<double> surprises(count);
  for (double& each : surprises) each = static_cast<double>(random() % 300) / 64;
  return surprises;
}

TEST(RedisAddress, HasItsParts) {
  const auto plain = service::parse_redis_address("redis://127.0.0.1");
  EXPECT_EQ(plain.host, "127.0.0.1");
  EXPECT_EQ(plain.port, 6379);
  EXPECT_EQ(plain.database, 0);
  EXPECT_EQ(plain.password, "");
  const auto whole = service::parse_redis_address("redis://chaff:p%40ss%3a/@redis.example:6380/3");
  EXPECT_EQ(whole.user, "chaff");
  EXPECT_EQ(whole.password, "p@ss:/");
  EXPECT_EQ(whole.host, "redis.example");
  EXPECT_EQ(whole.port, 6380);
  EXPECT_EQ(whole.database, 3);
  const auto bracketed = service::parse_redis_address("redis://:secret@[::1]:7000/");
  EXPECT_EQ(bracketed.host, "::1");
  EXPECT_EQ(bracketed.port, 7000);
  EXPECT_EQ(bracketed.password, "secret");
  EXPECT_EQ(bracketed.user, "");
}

TEST(RedisAddress, OfAnotherFormIsRefusedWithoutShowingIt) {
  for (const char* text : {"",
                           "redis:",
                           "redis://",
                           "http://x",
                           "127.0.0.1:6379",
                           "redis://x:0",
                           "redis://x:65536",
                           "redis://x:y",
                           "redis://x:",
                           "redis://x/y",
                           "redis://x/-1",
                           "redis://x/1/2",
                           "redis://hunter2@x",
                           "redis://:@x",
                           "redis://u:@x",
                           "redis://:hunter2%4@x",
                           "redis://:hunter2%zz@x",
                           "redis://[::1",
                           "redis://[::1]x",
                           "redis://[]",
                           "redis://a b",
                           "redis://:hunter2@",
                           "redis://:hunter2@x:port",
                           "redis+tls://:hunter2@x",
                           "redis://x:1?y=1",
                           "redis://x\n"}) {
    try {
      service::parse_redis_address(text);
      ADD_FAILURE() << text;
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("--accounts"), std::string::npos) << error.what();
    }
  }
}

TEST(RedisAddress, WithTlsIsRefusedWithASentence) {
  try {
    service::parse_redis_address("rediss://:hunter2@x");
    ADD_FAILURE();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("TLS"), std::string::npos) << error.what();
  }
}

TEST(RedisStore, CountsAsMemoryDoesToTheBit) {
  const running_redis redis;
  redis_store store(rule, options_for(redis.port));
  ASSERT_TRUE(store.wait_until_up(10s));
  service::memory_store memory(rule, 1000);
  std::mt19937 random(1);
  std::exponential_distribution<double> benign(1), suspicious(0.3);
  for (int i = 0; i < 2000; ++i) {
    const account_id account = random() % 20;
    std::vector<double> surprises(random() % 6);
    for (double& each : surprises) each = account < 15 ? benign(random) : suspicious(random);
    const auto expected = memory.count(account, surprises), actual = store.count(account, surprises);
    ASSERT_EQ(actual.evidence, expected.evidence);
    ASSERT_EQ(actual.first_flagged, expected.first_flagged);
  }
  EXPECT_GE(memory.counts().flagged, 5u);
  EXPECT_EQ(store.counts().flagged, memory.counts().flagged);
  EXPECT_EQ(store.counts().outages, 0u);
}

TEST(RedisStore, OfTwoReplicasFlagsAtTheQueryWhereOneReplicaDoes) {
  const running_redis redis;
  redis_store first(rule, options_for(redis.port)), second(rule, options_for(redis.port));
  ASSERT_TRUE(first.wait_until_up(10s) && second.wait_until_up(10s));
  std::mt19937 random(2);
  std::exponential_distribution<double> suspicious(0.25);
  for (account_id account = 0; account < 50; ++account) {
    service::memory_store alone(rule, 10);
    bool is_flagged = false;
    for (int i = 0; i < 200 && !is_flagged; ++i) {
      const auto surprise = one(suspicious(random));
      const auto expected = alone.count(account, surprise);
      const auto actual = (random() % 2 == 0 ? first : second).count(account, surprise);
      ASSERT_EQ(actual.evidence, expected.evidence);
      ASSERT_EQ(actual.first_flagged, expected.first_flagged);
      is_flagged = expected.first_flagged == 0;
    }
    EXPECT_TRUE(is_flagged);
    EXPECT_EQ(first.count(account, one(0)).first_flagged, 0u);
    EXPECT_EQ(second.count(account, one(0)).first_flagged, 0u);
  }
}

TEST(RedisStore, LosesNoQueryOfManyThreadsAndReplicas) {
  const running_redis redis;
  constexpr evidence_rule endless{.threshold = 1e9, .drift = 2};
  redis_store first(endless, options_for(redis.port)), second(endless, options_for(redis.port));
  ASSERT_TRUE(first.wait_until_up(10s) && second.wait_until_up(10s));
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&store = i % 2 == 0 ? first : second] {
        for (int j = 0; j < 500; ++j) store.count(7, one(3));
      });
    }
  }
  // queries that were not answered in time on a busy machine are merged
  EXPECT_TRUE(comes_true([&] { return first.counts().unmerged + second.counts().unmerged == 0; }));
  if (first.counts().outages + second.counts().outages == 0) {
    EXPECT_EQ(first.count(7, {}).evidence, 4000);
  }
}

TEST(RedisStore, KeepsHashesAndEvidenceAloneAndForgetsThemInTime) {
  const running_redis redis;
  redis_store store(rule, options_for(redis.port));
  ASSERT_TRUE(store.wait_until_up(10s));
  store.count(0x0123456789abcdef, one(5));
  EXPECT_EQ(redis.reply({"GET", "chaff:account:0123456789abcdef"}), "3");
  const int seconds = std::stoi(redis.reply({"TTL", "chaff:account:0123456789abcdef"}));
  EXPECT_GT(seconds, 3500);
  EXPECT_LE(seconds, 3600);
  store.count(0x0123456789abcdef, one(0));
  store.count(0x0123456789abcdef, one(0));
  EXPECT_EQ(redis.reply({"EXISTS", "chaff:account:0123456789abcdef"}), "0");  // no evidence takes no memory
  store.count(1, one(50));
  EXPECT_EQ(redis.reply({"TTL", "chaff:account:0000000000000001"}), "-1");  // a flag stays
  EXPECT_EQ(redis.reply({"DBSIZE"}), "2");                                  // the account's, and the life's
}

TEST(RedisStore, ForgetsAFlagThatAnOperatorDeletes) {
  const running_redis redis;
  redis_store store(rule, options_for(redis.port));
  ASSERT_TRUE(store.wait_until_up(10s));
  store.count(1, one(50));
  ASSERT_EQ(store.count(1, one(0)).first_flagged, 0u);
  redis.reply({"DEL", service::redis_key_of(1)});
  EXPECT_EQ(store.count(1, one(3)).evidence, 1);
  EXPECT_EQ(store.counts().flagged, 0u);
}

TEST(RedisStore, OverwritesWhatIsNoEvidence) {
  const running_redis redis;
  redis_store store(rule, options_for(redis.port));
  ASSERT_TRUE(store.wait_until_up(10s));
  for (const char* value : {"hello", "nan", "-5", "", "inf", "-inf", "1e999", "1e", "{}"}) {
    redis.reply({"SET", service::redis_key_of(1), value});
    EXPECT_EQ(store.count(1, one(5)).evidence, 3) << value;
  }
  redis.reply({"DEL", service::redis_key_of(1)});
  redis.reply({"LPUSH", service::redis_key_of(1), "a", "b"});
  EXPECT_EQ(store.count(1, one(5)).evidence, 3);
  redis.reply({"DEL", service::redis_key_of(1)});
  redis.reply({"HSET", service::redis_key_of(1), "a", "b"});
  EXPECT_EQ(store.count(1, one(1)).evidence, 0);
  redis.reply({"SET", service::redis_key_of(1), "1e9"});
  EXPECT_EQ(store.count(1, one(1)).first_flagged, 0u);
  EXPECT_EQ(store.counts().outages, 0u);
}

TEST(RedisStore, SendsTheScriptAgainWhereRedisHasDroppedIt) {
  const running_redis redis;
  redis_store store(rule, options_for(redis.port));
  ASSERT_TRUE(store.wait_until_up(10s));
  EXPECT_EQ(store.count(1, one(5)).evidence, 3);
  redis.reply({"SCRIPT", "FLUSH"});
  EXPECT_EQ(store.count(1, one(5)).evidence, 6);
  EXPECT_EQ(store.counts().outages, 0u);
}

TEST(RedisStore, UsesPasswordAndDatabase) {
  const running_redis redis({"--requirepass", "s3:c/r@t"});
  auto chosen = options_for(redis.port);
  chosen.address =
      service::parse_redis_address("redis://:s3%3ac%2fr%40t@127.0.0.1:" + std::to_string(redis.port) + "/5");
  redis_store store(rule, chosen);
  ASSERT_TRUE(store.wait_until_up(10s));
  EXPECT_EQ(store.count(1, one(5)).evidence, 3);
  chosen.address.database = 6;
  redis_store other(rule, chosen);
  ASSERT_TRUE(other.wait_until_up(10s));
  EXPECT_EQ(other.count(1, {}).evidence, 0);
  chosen.address.database = 99;  // it has 16
  chosen.address.user = "default";
  redis_store beyond(rule, chosen);
  EXPECT_FALSE(beyond.wait_until_up(300ms));
  EXPECT_EQ(beyond.count(1, one(5)).evidence, 3);
}

TEST(RedisStore, GoesOnAloneWithAWrongPassword) {
  const running_redis redis({"--requirepass", "right"});
  auto chosen = options_for(redis.port);
  for (const char* password : {"", "wrong"}) {
    chosen.address.password = password;
    redis_store store(rule, chosen);
    EXPECT_FALSE(store.wait_until_up(300ms));
    EXPECT_EQ(store.count(1, one(5)).evidence, 3);
    EXPECT_EQ(store.count(1, one(5)).evidence, 6);
    EXPECT_EQ(store.counts().unmerged, 1u);
  }
}

TEST(RedisStore, GoesOnAloneWhereRedisRefusesWrites) {
  const running_redis redis;
  redis_store store(rule, options_for(redis.port));
  ASSERT_TRUE(store.wait_until_up(10s));
  store.count(1, one(5));
  redis.reply({"CONFIG", "SET", "maxmemory", "1"});  // no room for any write
  EXPECT_EQ(store.count(1, one(5)).evidence, 6);
  EXPECT_TRUE(comes_true([&] { return !store.counts().is_redis_up; }));
  EXPECT_FALSE(store.wait_until_up(300ms));
  redis.reply({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(comes_true([&] { return store.counts().unmerged == 0; }));
  EXPECT_EQ(redis.reply({"GET", service::redis_key_of(1)}), "6");
}

TEST(RedisStore, MergesWhatReplicasCountedWhileRedisWasAway) {
  running_redis redis({"--appendonly", "yes", "--appendfsync", "always"});
  constexpr evidence_rule high{.threshold = 200, .drift = 2};
  redis_store first(high, options_for(redis.port)), second(high, options_for(redis.port));
  ASSERT_TRUE(first.wait_until_up(10s) && second.wait_until_up(10s));
  std::mt19937 random(3);
  std::vector<double> before;
  for (account_id account = 0; account < 20; ++account)
    before.push_back(first.count(account, dyadic_surprises(random, 10)).evidence);
  redis.end();
  ASSERT_TRUE(comes_true([&] { return !first.counts().is_redis_up && !second.counts().is_redis_up; }));

  std::vector<std::vector<double>> by_first(20), by_second(20);
  for (account_id account = 0; account < 20; ++account) {
    for (int i = 0; i < 10; ++i) {
      const auto batch = dyadic_surprises(random, random() % 4);
      first.count(account, batch);
      by_first[account].insert(by_first[account].end(), batch.begin(), batch.end());
    }
    // the second replica had not heard of the account
    by_second[account] = dyadic_surprises(random, account % 3 == 0 ? 5 : 0);
    if (!by_second[account].empty()) second.count(account, by_second[account]);
  }
  EXPECT_GE(first.counts().unmerged, 15u);
  redis.start();
  ASSERT_TRUE(comes_true([&] { return first.counts().unmerged + second.counts().unmerged == 0; }));

  for (account_id account = 0; account < 20; ++account) {
    const auto after = [&](const std::vector<double>& one_first, const std::vector<double>& one_second) {
      const auto between = count_queries(high, before[account], one_first);
      return count_queries(high, between.evidence, one_second).evidence;
    };
    const double merged = first.count(account, {}).evidence;
    EXPECT_TRUE(merged == after(by_first[account], by_second[account]) ||
                merged == after(by_second[account], by_first[account]))
        << account << ": " << merged;
    EXPECT_EQ(second.count(account, {}).evidence, merged);
  }
}

TEST(RedisStore, FlagsAnAccountThatReplicasFlagTogetherOnTheWay) {
  running_redis redis({"--appendonly", "yes", "--appendfsync", "always"});
  redis_store first(rule, options_for(redis.port)), second(rule, options_for(redis.port));
  ASSERT_TRUE(first.wait_until_up(10s) && second.wait_until_up(10s));
  first.count(1, std::vector<double>{7, 7, 7});  // 15, which the second replica does not know
  redis.end();
  ASSERT_TRUE(comes_true([&] { return !second.counts().is_redis_up; }));
  // up by 6 and down again: below the threshold for the second replica, and above it from 15 on
  EXPECT_EQ(second.count(1, std::vector<double>{5, 5, 0, 0, 0, 0}).evidence, 0);
  redis.start();
  ASSERT_TRUE(comes_true([&] { return second.counts().unmerged == 0; }));
  EXPECT_EQ(second.count(1, one(0)).first_flagged, 0u);
  ASSERT_TRUE(first.wait_until_up(10s));
  EXPECT_EQ(first.count(1, one(0)).first_flagged, 0u);
}

TEST(RedisStore, FlagsForAllReplicasWhatOneFlaggedWhileRedisWasAway) {
  running_redis redis;
  redis_store first(rule, options_for(redis.port)), second(rule, options_for(redis.port));
  ASSERT_TRUE(first.wait_until_up(10s) && second.wait_until_up(10s));
  redis.end();
  ASSERT_TRUE(comes_true([&] { return !first.counts().is_redis_up && !second.counts().is_redis_up; }));
  EXPECT_EQ(first.count(1, std::vector<double>{6, 6, 6, 6, 6, 0, 0, 0, 0}).first_flagged, 4u);
  EXPECT_EQ(first.count(1, one(0)).first_flagged, 0u);
  redis.start();
  ASSERT_TRUE(comes_true([&] { return first.counts().unmerged == 0; }));
  ASSERT_TRUE(second.wait_until_up(10s));
  EXPECT_EQ(second.count(1, one(0)).first_flagged, 0u);
}

TEST(RedisStore, TellsRedisOfItsFlagsWhereItHasLostThem) {
  running_redis redis;  // it keeps nothing on disk
  redis_store first(rule, options_for(redis.port)), second(rule, options_for(redis.port));
  ASSERT_TRUE(first.wait_until_up(10s) && second.wait_until_up(10s));
  first.count(1, one(50));
  first.count(2, one(5));
  redis.end();
  ASSERT_TRUE(comes_true([&] { return !first.counts().is_redis_up && !second.counts().is_redis_up; }));
  redis.start();
  ASSERT_TRUE(first.wait_until_up(10s) && second.wait_until_up(10s));
  EXPECT_EQ(first.count(1, one(0)).first_flagged, 0u);
  EXPECT_EQ(second.count(1, one(0)).first_flagged, 0u);
  EXPECT_EQ(first.count(2, one(5)).evidence, 3);  // evidence below the threshold is lost with Redis's data
}

TEST(RedisStore, StartsWithoutRedisAndFindsItLater) {
  const int port = free_port();
  redis_store store(rule, options_for(port));
  EXPECT_EQ(store.count(1, one(5)).evidence, 3);
  EXPECT_FALSE(store.counts().is_redis_up);
  const running_redis redis({}, port);
  EXPECT_TRUE(comes_true([&] { return store.counts().unmerged == 0; }));
  EXPECT_EQ(redis.reply({"GET", service::redis_key_of(1)}), "3");
}

TEST(RedisStore, KeepsNobodyWaitingForARedisThatHangs) {
  running_redis redis;
  constexpr evidence_rule endless{.threshold = 1e9, .drift = 2};
  redis_store store(endless, options_for(redis.port, 1000, bound));
  ASSERT_TRUE(store.wait_until_up(10s));
  store.count(1, one(3));
  redis.hang();
  std::atomic<std::chrono::nanoseconds::rep> longest{0};
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 1000; ++j) {
          const auto before = std::chrono::steady_clock::now();
          store.count(1, one(3));
          const auto took = (std::chrono::steady_clock::now() - before).count();
          for (auto known = longest.load(); took > known && !longest.compare_exchange_weak(known, took);) continue;
        }
      });
    }
  }
  EXPECT_LT(longest.load(), std::chrono::nanoseconds(bound + margin).count());
  // all threads waited at most once or twice, rather than 8,000 times
  EXPECT_LT(std::chrono::steady_clock::now() - start, 8000 * bound / 20);
  redis.go_on();
  ASSERT_TRUE(comes_true([&] { return store.counts().unmerged == 0; }));
  const double evidence = store.count(1, {}).evidence;
  EXPECT_GE(evidence, 8001);  // nothing is lost
  if (store.counts().outages == 1) {
    EXPECT_LE(evidence, 8001 + 8);  // the queries that were sent and not answered may count twice
  }
}

TEST(RedisStore, GoesOnUnderLoadWhileRedisEndsAndStarts) {
  running_redis redis({"--appendonly", "yes", "--appendfsync", "always"});
  constexpr evidence_rule endless{.threshold = 1e9, .drift = 2};
  redis_store first(endless, options_for(redis.port)), second(endless, options_for(redis.port));
  ASSERT_TRUE(first.wait_until_up(10s) && second.wait_until_up(10s));
  std::atomic<int> queries{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i](std::stop_token stop) {
        while (!stop.stop_requested()) {
          (i % 2 == 0 ? first : second).count(static_cast<account_id>(queries++ % 100), one(3));
          std::this_thread::sleep_for(1ms);
        }
      });
    }
    for (int i = 0; i < 3; ++i) {
      std::this_thread::sleep_for(200ms);
      redis.end();
      std::this_thread::sleep_for(200ms);
      redis.start();
    }
  }
  ASSERT_TRUE(comes_true([&] { return first.counts().unmerged + second.counts().unmerged == 0; }));
  double total = 0;
  for (account_id account = 0; account < 100; ++account) total += first.count(account, {}).evidence;
  EXPECT_GE(total, queries);
  // at each outage of a replica, the commands of its two threads and of its merging thread may count twice, and each
  // may carry what Redis has missed of one account
  const double outages = static_cast<double>(first.counts().outages + second.counts().outages);
  EXPECT_LE(total, queries + outages * 3 * (1 + queries / 100.0));
  EXPECT_GE(first.counts().outages, 3u);
}

TEST(RedisStore, NoticesWithoutQueriesThatRedisHangs) {
  const running_redis redis;
  auto chosen = options_for(redis.port, 1000, bound);
  chosen.patience.idle = 50ms;
  redis_store store(rule, chosen);
  ASSERT_TRUE(store.wait_until_up(10s));
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(store.counts().outages, 0u);  // it answers what the link sends in the meantime
  redis.hang();
  EXPECT_TRUE(comes_true([&] { return !store.counts().is_redis_up; }));
  redis.go_on();
  EXPECT_TRUE(comes_true([&] { return store.counts().is_redis_up; }));
}

TEST(RedisStore, BoundsWhatItRemembersWhileRedisIsAway) {
  redis_store store(rule, options_for(free_port(), 100));
  for (account_id account = 0; account < 10000; ++account) store.count(account, one(5));
  EXPECT_EQ(store.counts().held, 100u);
  EXPECT_EQ(store.counts().unmerged, 100u);
  EXPECT_EQ(store.counts().forgotten, 9900u);
}

TEST(RedisStore, GoesOnAloneWhateverAFakeAnswers) {
  const std::string big(100'000, 'x');
  for (const std::string& bytes : {std::string(),
                                   std::string("garbage"),
                                   std::string("HTTP/1.1 400 Bad Request\r\n\r\n"),
                                   std::string("+OK\r\n"),
                                   std::string(":1\r\n"),
                                   std::string("$-1\r\n"),
                                   std::string("*-1\r\n"),
                                   std::string("*1000000000\r\n"),
                                   std::string("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"),
                                   std::string("$99999999999\r\nx"),
                                   std::string("$-5\r\n"),
                                   std::string("$4\r\nab"),
                                   "$100000\r\n" + big + "\r\n",
                                   "+" + big,
                                   big,
                                   std::string("-NOSCRIPT x\r\n"),
                                   std::string("-ERR\r\n"),
                                   std::string("-\r\n"),
                                   std::string("\0\0\0\0", 4),
                                   std::string("+0 1\r\n+0 1\r\n+0 1\r\n"),
                                   std::string("$40\r\n0123456789012345678901234567890123456789\r\n"),
                                   std::string("$16\r\n0123456789abcdef\r\n")}) {
    fake_redis fake({bytes});
    redis_store store(rule, options_for(fake.port, 1000, bound));
    ASSERT_TRUE(comes_true([&] { return fake.pieces > 0; })) << bytes.substr(0, 60);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(store.count(1, one(5)).evidence, 3) << bytes.substr(0, 60);
    EXPECT_EQ(store.count(1, one(5)).evidence, 6) << bytes.substr(0, 60);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 2 * bound + margin) << bytes.substr(0, 60);
  }
}

/// What a Redis answers to the preparation of a connection: the script's digest, and the life of its data.
const std::vector<std::string> preparation{"$40\r\n0123456789012345678901234567890123456789\r\n",
                                           "$16\r\n0123456789abcdef\r\n"};

TEST(RedisStore, CountsWhatAFakeSaysInTheFormOfTheScript) {
  fake_redis fake({preparation[0], preparation[1], "$6\r\n1 12.5\r\n"});
  redis_store store(rule, options_for(fake.port));
  ASSERT_TRUE(store.wait_until_up(10s));
  EXPECT_EQ(store.count(1, one(5)).evidence, 12.5);  // the fakes of the next test get as far
}

TEST(RedisStore, GoesOnAloneWhereAFakeGetsThroughThePreparation) {
  for (const std::string bytes :
       {"", "$3\r\n0 x\r\n", "$3\r\n9 1\r\n", "$5\r\n0 nan\r\n", "$4\r\n0 -1\r\n", "+0 1\r\n+0 1\r\n", "$1\r\n0\r\n",
        ":5\r\n", "$-1\r\n", "*1\r\n$3\r\n0 1\r\n", "-WRONGTYPE x\r\n", "-NOSCRIPT x\r\n", "-LOADING x\r\n",
        "-MOVED 1 127.0.0.1:1\r\n", "-READONLY x\r\n", "garbage"}) {
    fake_redis fake({preparation[0], preparation[1], bytes});
    redis_store store(rule, options_for(fake.port, 1000, bound));
    ASSERT_TRUE(store.wait_until_up(10s)) << bytes;
    const bool is_late = bytes == "+0 1\r\n+0 1\r\n";  // the second reply belongs to no command
    for (int i = 1; i <= 3; ++i) {
      const auto start = std::chrono::steady_clock::now();
      const auto result = store.count(1, one(5));
      EXPECT_LT(std::chrono::steady_clock::now() - start, bound + margin) << bytes;
      if (!is_late) {
        EXPECT_EQ(result.evidence, 3 * i) << bytes;
        EXPECT_EQ(result.first_flagged, 1u) << bytes;
      }
      ASSERT_TRUE(store.wait_until_up(10s)) << bytes;
    }
    EXPECT_GE(store.counts().outages, 1u) << bytes;
  }
}

TEST(RedisStore, LosesNothingToARedisThatAnswersThePreparationAlone) {
  int port = 0;
  std::optional<redis_store> store;
  {
    fake_redis fake({preparation[0], preparation[1], ""});
    port = fake.port;
    store.emplace(rule, options_for(port, 1000, bound));
    ASSERT_TRUE(store->wait_until_up(10s));
    EXPECT_EQ(store->count(1, one(5)).evidence, 3);
    // the merging thread takes the run to Redis, and back, several times
    ASSERT_TRUE(comes_true([&] { return fake.connections >= 5; }));
    EXPECT_EQ(store->count(1, one(5)).evidence, 6);
    ASSERT_TRUE(comes_true([&] { return fake.connections >= 8; }));
  }
  const running_redis redis({}, port);
  ASSERT_TRUE(comes_true([&] { return store->counts().unmerged == 0 && store->counts().is_redis_up; }));
  EXPECT_EQ(redis.reply({"GET", service::redis_key_of(1)}), "6");
}

TEST(VerdictOfRedis, IsParsedStrictly) {
  const auto parsed = service::detail::parse_verdict("3 12.345000000000001", 3);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->first_flagged, 3u);
  EXPECT_EQ(parsed->evidence, 12.345000000000001);
  for (const char* text : {"", " ", "3", "3 ", " 3 1", "4 1", "-1 1", "3 -1", "3 nan", "3 inf", "3 1 ", "3  1", "3 1x",
                           "x 1", "3,1", "99999999999999999999 1", "3 1e999"})
    EXPECT_FALSE(service::detail::parse_verdict(text, 3)) << text;
}

}  // namespace
