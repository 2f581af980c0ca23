// SPDX-License-Identifier: MIT
#include "service.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <fstream>
#include <thread>

namespace {

const std::string examples = CHAFF_EXAMPLES;

std::string file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::string shirt = file(examples + "/data/shirt.png");
const std::string boot = file(examples + "/data/boot.png");
const std::string pixels = file(examples + "/data/images.idx3-ubyte").substr(16 + 4 * 784, 784);  // the shirt's

/// A service on a free port of this machine, while it lives.
class running {
 public:
  explicit running(const service::options& chosen = {.timeout_seconds = 2})
      : model_(examples + "/quickstart/weights.bin"), served_(model_, chosen) {
    port = served_.server().bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { served_.server().listen_after_bind(); });
    for (int i = 0; i < 500 && !served_.server().is_running(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ~running() { served_.server().stop(); }

  httplib::Result post(const std::string& body, const httplib::Headers& headers = {},
                       const char* path = "/v1/classify") const {
    httplib::Client client("127.0.0.1", port);
    return client.Post(path, headers, body, "application/octet-stream");
  }
  httplib::Result get(const char* path) const { return httplib::Client("127.0.0.1", port).Get(path); }

  /// What comes back for these bytes, until the service ends the connection.
  std::string raw(const std::string& bytes) const {
    const int socket_of = socket(AF_INET, SOCK_STREAM, 0);
    const timeval patience{8, 0};
    setsockopt(socket_of, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_of, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return "no connection";
    send(socket_of, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    std::string all;
    char part[4096];
    for (ssize_t count; (count = recv(socket_of, part, sizeof part, 0)) > 0;)
      all.append(part, static_cast<std::size_t>(count));
    close(socket_of);
    return all;
  }

  int port;

 private:
  network model_;
  service::http_service served_;
  std::jthread thread_;
};

nlohmann::json json_of(const httplib::Result& result) {
  return nlohmann::json::parse(result->body);
}

/// That it is an error of this status, as JSON, that ends with nothing of an answer in it.
void expect_refused(const httplib::Result& result, int status, const char* code) {
  ASSERT_TRUE(result) << code << ": " << httplib::to_string(result.error());
  EXPECT_EQ(result->status, status) << code;
  EXPECT_EQ(result->get_header_value("Content-Type"), "application/json") << code;
  const auto body = json_of(result);
  EXPECT_EQ(body["error"]["code"], code);
  EXPECT_GT(std::string(body["error"]["message"]).size(), 5u) << code;
  EXPECT_EQ(body.size(), 1u) << code;
}

TEST(http_service_answers, name_the_class_and_sum_to_one) {
  const running served;
  const auto reply = json_of(served.post(shirt));
  EXPECT_EQ(reply["label"], "shirt");
  EXPECT_EQ(reply["class"], 6);
  double sum = 0, most = 0;
  for (const double p : reply["probabilities"]) {
    sum += p;
    most = std::max(most, p);
    EXPECT_EQ(p, std::round(p * 1e4) / 1e4);
  }
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_EQ(reply["probabilities"][6], most);
  EXPECT_FALSE(reply.contains("clean"));
  EXPECT_EQ(json_of(served.post(boot))["label"], "boot");
}

TEST(http_service_answers, are_the_librarys_defended_ones) {
  const network model(examples + "/quickstart/weights.bin");
  Eigen::VectorXf image(784);
  for (int i = 0; i < 784; ++i)
    image[i] = static_cast<float>(static_cast<unsigned char>(pixels[static_cast<std::size_t>(i)])) / 255;
  const Eigen::VectorXd logits = model(image).cast<double>();
  for (const double beta : {0.9, 1.2}) {
    const running served({.defense = {.beta = beta}});
    const Eigen::VectorXd expected = chaff::apply(chaff::dcp{.beta = beta} | chaff::rounded{.decimals = 4}, logits);
    const std::vector<double> told = json_of(served.post(pixels))["probabilities"];
    EXPECT_EQ(told, std::vector<double>(expected.begin(), expected.end()));
  }
}

TEST(http_service_answers, are_the_same_bytes_for_an_image_and_its_pixels_however_often) {
  const running served, replica;
  const std::string first = served.post(shirt)->body;
  EXPECT_EQ(served.post(pixels)->body, first);
  EXPECT_EQ(served.post(shirt)->body, first);
  EXPECT_EQ(replica.post(shirt)->body, first);
}

TEST(http_service_answers, show_the_clean_posterior_in_a_demonstration_alone) {
  const running demo({.defense = {.beta = 1.2}, .is_demo = true}), served({.defense = {.beta = 1.2}});
  const auto shown = json_of(demo.post(shirt, {}, "/v1/classify?clean=1"));
  EXPECT_NE(shown["clean"], shown["probabilities"]);
  EXPECT_EQ(shown["clean"][6], 0.9366);
  EXPECT_FALSE(json_of(demo.post(shirt)).contains("clean"));
  const auto hidden = served.post(shirt, {}, "/v1/classify?clean=1");
  EXPECT_FALSE(json_of(hidden).contains("clean"));
  // nowhere in the answer or its headers
  EXPECT_EQ(
      served
          .raw("POST /v1/classify?clean=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 784\r\n\r\n" +
               pixels)
          .find("0.9366"),
      std::string::npos);
}

TEST(http_service_answers, keep_a_connection) {
  const running served;
  httplib::Client client("127.0.0.1", served.port);
  client.set_keep_alive(true);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(client.Post("/v1/classify", i % 3 == 2 ? "bad" : shirt, "image/png")->status, i % 3 == 2 ? 415 : 200);
}

TEST(http_service_refusals, of_bodies_are_json) {
  const running served;
  expect_refused(served.post(""), 400, "empty");
  expect_refused(served.post("hello"), 415, "unknown_format");
  expect_refused(served.post(std::string("\xFF\xD8\xFF\xE0JFIF", 8)), 415, "unknown_format");
  expect_refused(served.post(pixels + "x"), 415, "unknown_format");
  expect_refused(served.post(shirt.substr(0, 8)), 400, "bad_png");
  expect_refused(served.post(shirt.substr(0, 300)), 400, "bad_png");
  std::string wide = shirt;
  wide[18] = '\x7f';  // a width of 32,540, with a checksum that no longer fits
  expect_refused(served.post(wide), 400, "bad_png");
  expect_refused(served.post(shirt, {{"Content-Encoding", "gzip"}}), 415, "encoding");
  expect_refused(served.post(std::string(service::most_bytes + 1, 'x')), 413, "too_large");
  expect_refused(served.post(std::string(service::most_drained, 'x')), 413, "too_large");
  httplib::Client client("127.0.0.1", served.port);
  expect_refused(client.Post("/v1/classify", httplib::MultipartFormDataItems{{"file", shirt, "a.png", "image/png"}}),
                 415, "form");
}

TEST(http_service_refusals, of_routes_are_json) {
  const running served;
  expect_refused(served.get("/nothing"), 404, "not_found");
  expect_refused(served.get("/v1/classify"), 405, "method");
  EXPECT_EQ(served.get("/v1/classify")->get_header_value("Allow"), "POST");
  expect_refused(served.post(shirt, {}, "/nothing"), 404, "not_found");
  httplib::Client client("127.0.0.1", served.port);
  expect_refused(client.Put("/v1/classify", shirt, "image/png"), 405, "method");
  expect_refused(client.Delete("/v1/classify"), 405, "method");
  expect_refused(served.get(("/" + std::string(9000, 'a')).c_str()), 414, "long_target");
}

/// Of raw bytes: the status, that the body is JSON, and that one answer came: what is left of a body is no request.
void expect_one_answer(const std::string& came, int status) {
  EXPECT_EQ(came.substr(0, 12), "HTTP/1.1 " + std::to_string(status)) << came;
  EXPECT_EQ(came.find("HTTP/1.1", 8), std::string::npos) << came;
  EXPECT_NE(came.find("\r\n\r\n{\"error\":"), std::string::npos) << came;
}

TEST(http_service_refusals, leave_no_body_to_be_taken_for_a_request) {
  const running served;
  const std::string smuggled = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string length = "Content-Length: " + std::to_string(smuggled.size()) + "\r\n\r\n" + smuggled;
  expect_one_answer(served.raw("POST /nothing HTTP/1.1\r\nHost: x\r\n" + length), 404);
  expect_one_answer(served.raw("GET /healthz HTTP/1.1\r\nHost: x\r\n" + length), 400);
  expect_one_answer(served.raw("GET /v1/classify HTTP/1.1\r\nHost: x\r\n" + length), 405);
  expect_one_answer(served.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\n" + length), 415);
  expect_one_answer(served.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + length),
                    411);
  expect_one_answer(served.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\n\r\n" + smuggled), 411);
  expect_one_answer(served.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 5x\r\n\r\n" + smuggled), 400);
  expect_one_answer(
      served.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\n" + smuggled),
      400);
  expect_one_answer(
      served.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n" + smuggled), 413);
  expect_one_answer(
      served.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n" + smuggled),
      400);
}

TEST(http_service_refusals, come_for_a_body_that_does_not) {
  const running served({.timeout_seconds = 1});
  expect_one_answer(served.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 784\r\n\r\nshort"), 408);
}

TEST(http_service_limits, hold_many_idle_connections_off) {
  const running served({.connections = 2, .timeout_seconds = 1});
  std::vector<std::jthread> idle;
  for (int i = 0; i < 10; ++i)
    idle.emplace_back([&] { served.raw("POST /v1/classify HTTP/1.1\r\nContent-Length: 9\r\n\r\n"); });
  idle.clear();  // each was ended by the service
  EXPECT_EQ(served.post(shirt)->status, 200);
}

TEST(http_service_limits, of_an_image_are_looked_at_before_it_is_unpacked) {
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
  const running served;
  EXPECT_EQ(served.post(of_size(2048, 2048))->status, 200);
  EXPECT_EQ(served.post(of_size(1, 1))->status, 200);
  expect_refused(served.post(of_size(2049, 1)), 413, "too_many_pixels");
  expect_refused(served.post(of_size(1, 2049)), 413, "too_many_pixels");
}

TEST(http_service_metrics, count_queries_and_what_was_touched) {
  const running served({.defense = {.beta = 0.95, .tau = 0.95}});  // the shirt is 0.9366: touched; the boot is surer
  for (int i = 0; i < 3; ++i) served.post(boot);
  served.post(shirt);
  served.post("bad");
  const auto result = served.get("/metrics");
  EXPECT_EQ(result->get_header_value("Content-Type"), "text/plain; version=0.0.4");
  for (const char* line : {"\nchaff_queries_total 4\n", "\nchaff_touched_total 1\n", "\nchaff_touched_share 0.25\n",
                           "\nchaff_refused_total 1\n", "\nchaff_latency_seconds_bucket{le=\"+Inf\"} 4\n",
                           "\nchaff_latency_seconds_count 4\n", "# TYPE chaff_latency_seconds histogram\n"}) {
    EXPECT_NE(result->body.find(line), std::string::npos) << line << result->body;
  }
}

TEST(http_service_metrics, buckets_rise) {
  service::metrics counted;
  counted.answered(false, std::chrono::microseconds(150));
  counted.answered(true, std::chrono::milliseconds(3));
  counted.answered(true, std::chrono::seconds(1));
  const std::string text = counted.text();
  for (const char* line : {"{le=\"0.0001\"} 0\n", "{le=\"0.0002\"} 1\n", "{le=\"0.005\"} 2\n", "{le=\"0.1\"} 2\n",
                           "{le=\"+Inf\"} 3\n", "_sum 1.00315\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(http_service_page, comes_with_its_parts_and_a_policy_for_them) {
  const running served;
  EXPECT_EQ(served.get("/healthz")->body, "{\"status\":\"ok\"}\n");
  for (const char* path : {"/", "/page.js", "/page.css"}) {
    const auto result = served.get(path);
    EXPECT_EQ(result->status, 200) << path;
    EXPECT_NE(result->get_header_value("Content-Security-Policy").find("default-src 'none'"), std::string::npos)
        << path;
    EXPECT_EQ(result->get_header_value("X-Content-Type-Options"), "nosniff") << path;
  }
  EXPECT_NE(served.get("/")->body.find("page.js"), std::string::npos);
}

TEST(http_service_answers, serve_many_at_a_time_the_same) {
  const running served;
  const std::string expected = served.post(shirt)->body;
  std::atomic<int> same{0};
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 8; ++i) {
      callers.emplace_back([&] {
        for (int j = 0; j < 50; ++j) same += served.post(shirt)->body == expected;
      });
    }
  }
  EXPECT_EQ(same, 400);
}

TEST(http_service_defense, is_checked_at_the_start) {
  const network model(examples + "/quickstart/weights.bin");
  EXPECT_THROW(service::http_service(model, {.defense = {.beta = -1}}), std::invalid_argument);
}

}  // namespace
