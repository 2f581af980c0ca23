// SPDX-License-Identifier: MIT
#include "running_service.hpp"

namespace {

const std::string infer = "/v2/models/fashion_mnist/infer";
using json = nlohmann::json;

std::vector<int> bytes_of(const std::string& image) {
  return {reinterpret_cast<const unsigned char*>(image.data()),
          reinterpret_cast<const unsigned char*>(image.data()) + image.size()};
}

const std::vector<int> shirt_bytes = bytes_of(pixels);

json query(const json& data = shirt_bytes, const json& shape = {1, 28, 28}, const char* type = "UINT8") {
  return {{"id", "a-1"}, {"inputs", {{{"name", "image"}, {"datatype", type}, {"shape", shape}, {"data", data}}}}};
}

httplib::Result post_query(const running_service& service, const json& body) {
  return service.post(body.dump(), {}, infer.c_str());
}

/// Expects an error in the protocol's form, with fixed words.
void expect_error(const httplib::Result& result, int status) {
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, status) << result->body;
  EXPECT_EQ(result->get_header_value("Content-Type"), "application/json");
  const auto body = json_of(result);
  EXPECT_EQ(body.size(), 1u);
  EXPECT_TRUE(body["error"].is_string()) << result->body;
}

TEST(Inference, HasTheNumbersOfTheOtherRoute) {
  for (const double beta : {0.9, 1.2}) {
    const running_service service({.defense = chaff::dcp{.beta = beta}});
    const auto result = post_query(service, query());
    ASSERT_EQ(result->status, 200) << result->body;
    const auto answer = json_of(result);
    EXPECT_EQ(answer["model_name"], "fashion_mnist");
    EXPECT_EQ(answer["id"], "a-1");
    ASSERT_EQ(answer["outputs"].size(), 1u);
    EXPECT_EQ(answer["outputs"][0]["name"], "probabilities");
    EXPECT_EQ(answer["outputs"][0]["datatype"], "FP32");
    EXPECT_EQ(answer["outputs"][0]["shape"], json({1, 10}));
    // four decimals are written as four decimals
    EXPECT_EQ(answer["outputs"][0]["data"], json_of(service.post(pixels))["probabilities"]);
  }
}

TEST(Inference, TakesEachShapeAndType) {
  const running_service service;
  const auto expected = json_of(post_query(service, query()))["outputs"];
  for (const json& shape : {json{1, 784}, json{1, 1, 28, 28}})
    EXPECT_EQ(json_of(post_query(service, query(shirt_bytes, shape)))["outputs"], expected);
  std::vector<float> floats;
  for (const int byte : shirt_bytes) floats.push_back(static_cast<float>(byte) / 255);
  EXPECT_EQ(json_of(post_query(service, query(floats, {1, 28, 28}, "FP32")))["outputs"], expected);
}

TEST(Inference, AnswersEachImageOfBatchAsIfAlone) {
  const running_service service;
  const std::vector<int> black(784, 0);
  std::vector<int> both = shirt_bytes;
  both.insert(both.end(), black.begin(), black.end());
  const json rows = json_of(post_query(service, query(both, {2, 784})))["outputs"][0]["data"];
  json expected = json_of(post_query(service, query()))["outputs"][0]["data"];
  const json second = json_of(post_query(service, query(black)))["outputs"][0]["data"];
  expected.insert(expected.end(), second.begin(), second.end());
  EXPECT_EQ(rows, expected);
}

TEST(Inference, LimitsTheBatch) {
  const running_service service;
  const auto of = [](std::size_t count) { return query(std::vector<int>(784 * count, 0), {count, 784}); };
  EXPECT_EQ(post_query(service, of(64))->status, 200);
  expect_error(post_query(service, of(65)), 400);
  expect_error(post_query(service, query(std::vector<int>{}, {0, 784})), 400);
}

TEST(Inference, HasLogitsOnlyWhereTheOptionSaysSo) {
  json request = query();
  request["outputs"] = {{{"name", "logits"}}};
  const running_service service, upstream({.serves_undefended_logits = true});
  expect_error(post_query(service, request), 400);
  EXPECT_EQ(post_query(service, query())->body.find("logits"), std::string::npos);
  EXPECT_EQ(service.get("/v2/models/fashion_mnist")->body.find("logits"), std::string::npos);

  const network model(examples + "/quickstart/weights.bin");
  Eigen::VectorXf image(784);
  for (int i = 0; i < 784; ++i) image[i] = static_cast<float>(shirt_bytes[static_cast<std::size_t>(i)]) / 255;
  const Eigen::VectorXf logits = model(image);
  const auto answer = json_of(post_query(upstream, request));
  ASSERT_EQ(answer["outputs"].size(), 1u);
  EXPECT_EQ(answer["outputs"][0]["data"].get<std::vector<float>>(), std::vector<float>(logits.begin(), logits.end()));
  EXPECT_EQ(json_of(post_query(upstream, query()))["outputs"].size(), 2u);
  EXPECT_EQ(json_of(upstream.get("/v2/models/fashion_mnist"))["outputs"].size(), 2u);
  // the other route is defended all the same
  EXPECT_EQ(upstream.post(shirt)->body, service.post(shirt)->body);
}

TEST(Inference, RefusesWhatIsNoQuery) {
  const running_service service;
  for (const char* body : {"", "x", "[]", "3", "null", "{", "{}{}", "{\"inputs\":[NaN]}", "{\"inputs\":1e999}", "\xff",
                           "{\"id\":\"\xff\"}"})
    expect_error(service.post(body, {}, infer.c_str()), 400);
  expect_error(service.post(std::string(500000, '['), {}, infer.c_str()), 400);
  expect_error(
      service.post("{\"inputs\":" + std::string(100000, '[') + std::string(100000, ']') + "}", {}, infer.c_str()), 400);
  // as small as they are, 100,000 arrays would take megabytes
  json many = query();
  many["x"] = std::vector<json>(200, json::array());
  expect_error(post_query(service, many), 400);
  const auto changed = [](const char* name, const json& value) {
    json body = query();
    body["inputs"][0][name] = value;
    return body;
  };
  for (const json& shape :
       {json{28, 28}, json{1, 28, 27}, json{784}, json{2, 784}, json{-1, 784}, json{1.0, 784}, json(), json{1, 1, 784},
        json{1, 28, 28, 1}, json{"1", 784}, json::array(), json("x"), json{18446744073709551615u, 784}, json{{1, 784}}})
    expect_error(post_query(service, changed("shape", shape)), 400);
  for (const char* type : {"INT8", "FP64", "BYTES", "uint8", ""})
    expect_error(post_query(service, changed("datatype", type)), 400);
  expect_error(post_query(service, changed("datatype", 3)), 400);
  for (const json& name : {json("images"), json(), json(1)})
    expect_error(post_query(service, changed("name", name)), 400);
  for (const json& data :
       {json(), json("x"), json::array(), json(std::vector<int>(783)), json(std::vector<int>(785)),
        json(std::vector<int>(784, -1)), json(std::vector<int>(784, 256)), json(std::vector<float>(784, 0.5f)),
        json(std::vector<bool>(784)), json(std::vector<json>(784)), json{std::vector<int>(784)},
        json(std::vector<std::string>(784, "1"))})
    expect_error(post_query(service, changed("data", data)), 400);
  for (const double pixel : {-0.1, 1.1, 1e300})
    expect_error(post_query(service, query(std::vector<double>(784, pixel), {1, 784}, "FP32")), 400);
  json body = query();
  body["inputs"].push_back(body["inputs"][0]);
  expect_error(post_query(service, body), 400);
  body["inputs"] = json::array();
  expect_error(post_query(service, body), 400);
  body.erase("inputs");
  expect_error(post_query(service, body), 400);
  for (const json& outputs : {json::array(), json("x"), json{{{"name", "x"}}}, json{{{"name", 1}}}, json{1}, json(),
                              json{{{"name", "probabilities"}}, {{"name", "probabilities"}}}}) {
    body = query();
    body["outputs"] = outputs;
    expect_error(post_query(service, body), 400);
  }
}

TEST(Inference, EchoesNothingButAnId) {
  const running_service service;
  for (const json& id : {json(""), json(std::string(129, 'a')), json("a\"b"), json("a\n"), json("<x>"), json("\u00e9"),
                         json(1), json(), json::array()}) {
    json body = query();
    body["id"] = id;
    expect_error(post_query(service, body), 400);
  }
  json body = query();
  body["id"] = std::string(126, 'a') + ":9";
  body["SECRET"] = body["inputs"][0]["SECRET"] = body["parameters"]["SECRET"] = "SECRET";
  const auto result = post_query(service, body);
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(json_of(result)["id"], body["id"]);
  EXPECT_EQ(result->body.find("SECRET"), std::string::npos);
  body.erase("id");
  EXPECT_FALSE(json_of(post_query(service, body)).contains("id"));
}

TEST(Protocol, HasItsRoutes) {
  const running_service service;
  for (const char* path :
       {"/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/fashion_mnist", "/v2/models/fashion_mnist/ready"}) {
    const auto result = service.get(path);
    EXPECT_EQ(result->status, 200) << path;
    EXPECT_EQ(result->get_header_value("Content-Type"), "application/json") << path;
    EXPECT_TRUE(json_of(result).is_object()) << path;
  }
  const auto metadata = json_of(service.get("/v2/models/fashion_mnist"));
  EXPECT_EQ(metadata["inputs"][0]["shape"], json({-1, 28, 28}));
  EXPECT_EQ(metadata["outputs"][0]["shape"], json({-1, 10}));
}

TEST(Protocol, HasItsErrors) {
  const running_service service;
  for (const char* path : {"/v2/", "/v2/models", "/v2/models/other", "/v2/models/other/ready", "/v2/health",
                           "/v2/models/fashion_mnist/x", "/v2/models/fashion-mnist"})
    expect_error(service.get(path), 404);
  expect_error(service.get(infer.c_str()), 405);
  expect_error(service.post("{}", {}, "/v2/models/other/infer"), 404);
  expect_error(service.post("{}", {}, "/v2"), 404);
  expect_error(service.post(std::string(service::max_body_bytes + 1, ' '), {}, infer.c_str()), 413);
  expect_error(service.post("{}", {{"Content-Encoding", "gzip"}}, infer.c_str()), 415);
  // its neighbours have the service's own
  expect_refused(service.get("/v2x"), 404, "not_found");
  expect_refused(service.get("/v1/v2"), 404, "not_found");
  const auto binary = query().dump();
  expect_error(service.post(binary + std::string(784, '\1'),
                            {{"Inference-Header-Content-Length", std::to_string(binary.size())}}, infer.c_str()),
               400);
}

TEST(Protocol, IsCounted) {
  const running_service service({.defense = chaff::dcp{.beta = 0.95, .tau = 0.95}});  // the shirt is perturbed
  std::vector<int> both = shirt_bytes;
  both.insert(both.end(), shirt_bytes.begin(), shirt_bytes.end());
  post_query(service, query(both, {2, 784}));
  post_query(service, query());
  post_query(service, query(1));
  service.get("/v2/models/other");
  const auto text = service.get("/metrics")->body;
  for (const char* line : {"\nchaff_queries_total 3\n", "\nchaff_perturbed_total 3\n", "\nchaff_refused_total 2\n",
                           "\nchaff_latency_seconds_count 3\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

}  // namespace
