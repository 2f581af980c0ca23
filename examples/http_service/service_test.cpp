// SPDX-License-Identifier: MIT
#include "running_service.hpp"

namespace {

TEST(Answer, NamesTheClassAndSumsToOne) {
  const running_service service;
  const auto reply = json_of(service.post(shirt));
  EXPECT_EQ(reply["label"], "shirt");
  EXPECT_EQ(reply["class"], 6);
  double sum = 0, largest = 0;
  for (const double p : reply["probabilities"]) {
    sum += p;
    largest = std::max(largest, p);
    EXPECT_EQ(p, std::round(p * 1e4) / 1e4);
  }
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_EQ(reply["probabilities"][6], largest);
  EXPECT_FALSE(reply.contains("clean"));
  EXPECT_EQ(json_of(service.post(boot))["label"], "boot");
}

TEST(Answer, IsTheOutputOfTheDefense) {
  const network model(examples + "/quickstart/weights.bin");
  Eigen::VectorXf image(784);
  for (int i = 0; i < 784; ++i)
    image[i] = static_cast<float>(static_cast<unsigned char>(pixels[static_cast<std::size_t>(i)])) / 255;
  const Eigen::VectorXd logits = model(image).cast<double>();
  for (const double beta : {0.9, 1.2}) {
    const running_service service({.defense = chaff::dcp{.beta = beta}});
    const Eigen::VectorXd expected = chaff::apply(chaff::dcp{.beta = beta} | chaff::rounded{.decimals = 4}, logits);
    const std::vector<double> probabilities = json_of(service.post(pixels))["probabilities"];
    EXPECT_EQ(probabilities, std::vector<double>(expected.begin(), expected.end()));
  }
}

TEST(Answer, IsTheOutputOfADefenseFromTextUnderAPolicy) {
  const running_service service({.defense = chaff::parse_defense("dcp(beta=1.5) | top_k(k=3)"),
                                 .policy = chaff::parse_policy("label_margin=0.4, max_l1=1.9")});
  const std::vector<double> probabilities = json_of(service.post(shirt))["probabilities"];
  EXPECT_EQ(std::count(probabilities.begin(), probabilities.end(), 0.0), 7);
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (i != 6) {
      EXPECT_GE(probabilities[6], probabilities[i] + 0.4 - 1e-4);
    }
  }
  // without the policy, the label leads by less: the policy has an effect
  const running_service without({.defense = chaff::parse_defense("dcp(beta=1.5) | top_k(k=3)")});
  const std::vector<double> other = json_of(without.post(shirt))["probabilities"];
  EXPECT_LT(other[6] - std::max(*std::max_element(other.begin(), other.begin() + 6),
                                *std::max_element(other.begin() + 7, other.end())),
            0.4);
}

TEST(Answer, IsTheSameBytesForImageAndItsPixels) {
  const running_service service, replica;
  const std::string first = service.post(shirt)->body;
  EXPECT_EQ(service.post(pixels)->body, first);
  EXPECT_EQ(service.post(shirt)->body, first);
  EXPECT_EQ(replica.post(shirt)->body, first);
}

TEST(Answer, IsTheSameBytesForImageIn8And16Bits) {
  const running_service service;
  const auto answer_to = [&](const char* name) {
    return service.post(file(examples + "/http_service/test_data/" + name))->body;
  };
  const std::string answer = answer_to("grey8.png");
  EXPECT_NE(answer.find("\"label\""), std::string::npos) << answer;
  EXPECT_EQ(answer_to("grey16.png"), answer);
  EXPECT_EQ(answer_to("grey16_interlaced.png"), answer);
}

TEST(Answer, HasTheCleanPosteriorInDemonstrationOnly) {
  const running_service demo({.defense = chaff::dcp{.beta = 1.2}, .is_demo = true}),
      service({.defense = chaff::dcp{.beta = 1.2}});
  const auto shown = json_of(demo.post(shirt, {}, "/v1/classify?clean=1"));
  EXPECT_NE(shown["clean"], shown["probabilities"]);
  EXPECT_EQ(shown["clean"][6], 0.9366);
  EXPECT_FALSE(json_of(demo.post(shirt)).contains("clean"));
  const auto hidden = service.post(shirt, {}, "/v1/classify?clean=1");
  EXPECT_FALSE(json_of(hidden).contains("clean"));
  // nowhere in the answer or its headers
  EXPECT_EQ(
      service
          .raw("POST /v1/classify?clean=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 784\r\n\r\n" +
               pixels)
          .find("0.9366"),
      std::string::npos);
}

TEST(Answer, KeepsTheConnection) {
  const running_service service;
  httplib::Client client("127.0.0.1", service.port);
  client.set_keep_alive(true);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(client.Post("/v1/classify", i % 3 == 2 ? "bad" : shirt, "image/png")->status, i % 3 == 2 ? 415 : 200);
}

TEST(Refusal, OfBodyIsJson) {
  const running_service service;
  expect_refused(service.post(""), 400, "empty");
  expect_refused(service.post("hello"), 415, "unknown_format");
  expect_refused(service.post(std::string("\xFF\xD8\xFF\xE0JFIF", 8)), 415, "unknown_format");
  expect_refused(service.post(pixels + "x"), 415, "unknown_format");
  expect_refused(service.post(shirt.substr(0, 8)), 400, "bad_png");
  expect_refused(service.post(shirt.substr(0, 300)), 400, "bad_png");
  std::string wide = shirt;
  wide[18] = '\x7f';  // a width of 32,540, with a checksum that no longer fits
  expect_refused(service.post(wide), 400, "bad_png");
  expect_refused(service.post(shirt, {{"Content-Encoding", "gzip"}}), 415, "encoding");
  expect_refused(service.post(std::string(service::max_body_bytes + 1, 'x')), 413, "too_large");
  expect_refused(service.post(std::string(std::size_t{8} << 20, 'x')), 413, "too_large");
  httplib::Client client("127.0.0.1", service.port);
  expect_refused(client.Post("/v1/classify", httplib::MultipartFormDataItems{{"file", shirt, "a.png", "image/png"}}),
                 415, "form");
}

TEST(Refusal, OfRouteIsJson) {
  const running_service service;
  expect_refused(service.get("/nothing"), 404, "not_found");
  expect_refused(service.get("/v1/classify"), 405, "method");
  EXPECT_EQ(service.get("/v1/classify")->get_header_value("Allow"), "POST");
  expect_refused(service.post(shirt, {}, "/nothing"), 404, "not_found");
  httplib::Client client("127.0.0.1", service.port);
  expect_refused(client.Put("/v1/classify", shirt, "image/png"), 405, "method");
  expect_refused(client.Delete("/v1/classify"), 405, "method");
  expect_refused(service.get(("/" + std::string(9000, 'a')).c_str()), 414, "long_target");
}

TEST(Refusal, ComesForBodyThatDoesNot) {
  const running_service service({.timeout_seconds = 1});
  const auto all =
      responses_of(service.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 784\r\n\r\nshort"));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].status, 408);
  EXPECT_EQ(all[0].code(), "slow");
  EXPECT_TRUE(all[0].has("Connection: close")) << all[0].head;
}

TEST(Limit, EndsIdleConnections) {
  const running_service service({.connections = 2, .timeout_seconds = 1});
  std::vector<std::jthread> idle;
  for (int i = 0; i < 10; ++i)
    idle.emplace_back([&] { service.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"); });
  idle.clear();  // each was ended by the service
  EXPECT_EQ(service.post(shirt)->status, 200);
}

TEST(Limit, OfPixelsIsCheckedBeforeUnpacking) {
  const auto of_size = [](png_uint_32 width, png_uint_32 height) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = width;
    image.height = height;
    image.format = PNG_FORMAT_GRAY;
    const std::vector<png_byte> blank(std::size_t{width} * height);
    png_alloc_size_t size = 1 << 20;
    std::string bytes(size, '\0');
    EXPECT_NE(png_image_write_to_memory(&image, bytes.data(), &size, 0, blank.data(), 0, nullptr), 0);
    bytes.resize(size);
    return bytes;
  };
  const running_service service;
  EXPECT_EQ(service.post(of_size(2048, 2048))->status, 200);
  EXPECT_EQ(service.post(of_size(1, 1))->status, 200);
  expect_refused(service.post(of_size(2049, 1)), 413, "too_many_pixels");
  expect_refused(service.post(of_size(1, 2049)), 413, "too_many_pixels");
}

TEST(Metrics, CountQueriesAndPerturbedAnswers) {
  const running_service service(
      {.defense = chaff::dcp{.beta = 0.95, .tau = 0.95}});  // the shirt is 0.9366: perturbed; the boot is surer
  for (int i = 0; i < 3; ++i) service.post(boot);
  service.post(shirt);
  service.post("bad");
  const auto result = service.get("/metrics");
  EXPECT_EQ(result->get_header_value("Content-Type"), "text/plain; version=0.0.4");
  for (const char* line : {"\nchaff_queries_total 4\n", "\nchaff_perturbed_total 1\n", "\nchaff_perturbed_share 0.25\n",
                           "\nchaff_refused_total 1\n", "\nchaff_latency_seconds_bucket{le=\"+Inf\"} 4\n",
                           "\nchaff_latency_seconds_count 4\n", "# TYPE chaff_latency_seconds histogram\n"}) {
    EXPECT_NE(result->body.find(line), std::string::npos) << line << result->body;
  }
}

TEST(Metrics, BucketsAreCumulative) {
  service::metrics metrics;
  metrics.count_query(false, std::chrono::microseconds(150));
  metrics.count_query(true, std::chrono::milliseconds(3));
  metrics.count_query(true, std::chrono::seconds(1));
  const std::string text = metrics.text();
  for (const char* line : {"{le=\"0.0001\"} 0\n", "{le=\"0.0002\"} 1\n", "{le=\"0.005\"} 2\n", "{le=\"0.1\"} 2\n",
                           "{le=\"+Inf\"} 3\n", "_sum 1.003150000\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(Metrics, LatencySumKeepsItsLastDigit) {
  service::metrics metrics;
  metrics.count_query(false, std::chrono::hours(24 * 365));
  metrics.count_query(false, std::chrono::nanoseconds(7));
  EXPECT_NE(metrics.text().find("_sum 31536000.000000007\n"), std::string::npos) << metrics.text();
}

TEST(Page, HasItsPartsAndTheirPolicy) {
  const running_service service;
  EXPECT_EQ(service.get("/healthz")->body, "{\"status\":\"ok\"}\n");
  for (const char* path : {"/", "/page.js", "/page.css"}) {
    const auto result = service.get(path);
    EXPECT_EQ(result->status, 200) << path;
    EXPECT_NE(result->get_header_value("Content-Security-Policy").find("default-src 'none'"), std::string::npos)
        << path;
    EXPECT_EQ(result->get_header_value("X-Content-Type-Options"), "nosniff") << path;
  }
  EXPECT_NE(service.get("/")->body.find("page.js"), std::string::npos);
}

TEST(Answer, IsTheSameForManyClientsAtOnce) {
  const running_service service;
  const std::string expected = service.post(shirt)->body;
  std::atomic<int> same{0};
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([&] {
        for (int j = 0; j < 50; ++j) same += service.post(shirt)->body == expected;
      });
    }
  }
  EXPECT_EQ(same, 400);
}

TEST(Defense, IsCheckedAtTheStart) {
  const network model(examples + "/quickstart/weights.bin");
  const auto expect_throws = [&](const chaff::any_defense& defense, const chaff::policy& policy) {
    EXPECT_THROW(service::http_service(model, {.defense = defense, .policy = policy}), std::invalid_argument)
        << to_string(defense) << ", " << to_string(policy);
  };
  expect_throws(chaff::dcp{.beta = -1}, {});
  expect_throws(chaff::dcp{} | chaff::top_k{.k = 0}, {});
  expect_throws(chaff::misdirect{chaff::key("000102030405060708090a0b0c0d0e0f")}, {});  // it changes labels
  expect_throws(chaff::dcp{}, {.max_l1 = 3});
  expect_throws(chaff::dcp{}, {.input = chaff::form::probabilities});
  expect_throws(chaff::dcp{}, {.answer = chaff::form::logits});
  // one reduction more than text may have, with the four decimals of the service
  std::string text = "dcp";
  for (std::size_t i = 0; i < chaff::any_defense::max_reductions; ++i) text += " | label_only";
  expect_throws(chaff::parse_defense(text), {});
}

}  // namespace
