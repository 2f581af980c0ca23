// SPDX-License-Identifier: MIT
/// What the tests share: a running service, and a client that sends any bytes.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_RUNNING_SERVICE_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_RUNNING_SERVICE_HPP

#include "service.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <fstream>
#include <thread>

inline const std::string examples = CHAFF_EXAMPLES;

inline std::string file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline const std::string shirt = file(examples + "/data/shirt.png");
inline const std::string boot = file(examples + "/data/boot.png");
/// The shirt's, as 784 bytes.
inline const std::string pixels = file(examples + "/data/images.idx3-ubyte").substr(16 + 4 * 784, 784);

/// One response as received.
struct wire_response {
  int status = 0;
  std::string head, body;

  bool has(const std::string& field) const { return head.find("\r\n" + field + "\r\n") != head.npos; }
  std::string code() const {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    return json.contains("error") ? json["error"].value("code", "") : "";
  }
};

/// Splits bytes into responses. What is left over makes a last response of status 0.
/// A response to HEAD has no body whatever its length says.
inline std::vector<wire_response> responses_of(std::string bytes, bool is_head_request = false) {
  std::vector<wire_response> all;
  while (!bytes.empty()) {
    wire_response one;
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == bytes.npos || bytes.substr(0, 9) != "HTTP/1.1 ") {
      one.body = bytes;
      bytes.clear();
    } else {
      one.head = bytes.substr(0, end + 2);
      one.status = std::stoi(bytes.substr(9, 3));
      const std::size_t at = one.head.find("\r\nContent-Length: ");
      const std::size_t length = at == one.head.npos || is_head_request ? 0 : std::stoul(one.head.substr(at + 18));
      one.body = bytes.substr(end + 4, length);
      if (one.body.size() < length) one.status = 0;
      bytes.erase(0, end + 4 + length);
    }
    all.push_back(one);
  }
  return all;
}

/// A service on a free port of this machine, for as long as it lives.
class running_service {
 public:
  explicit running_service(const service::options& chosen = {.timeout_seconds = 2})
      : model_(examples + "/quickstart/weights.bin"), service_(model_, chosen) {
    port = service_.server().bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { service_.server().listen_after_bind(); });
    for (int i = 0; i < 500 && !service_.server().is_running(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ~running_service() { service_.server().stop(); }

  httplib::Result post(const std::string& body, const httplib::Headers& headers = {},
                       const char* path = "/v1/classify") const {
    httplib::Client client("127.0.0.1", port);
    return client.Post(path, headers, body, "application/octet-stream");
  }
  httplib::Result get(const char* path, const httplib::Headers& headers = {}) const {
    return httplib::Client("127.0.0.1", port).Get(path, headers);
  }

  /// What comes back for these bytes, and for `late` ones 1.5 seconds later, until the service ends the connection.
  std::string raw(const std::string& bytes, const std::string& late = "") const {
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    const timeval patience{8, 0};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return "no connection";
    send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (!late.empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1500));
      send(client, late.data(), late.size(), MSG_NOSIGNAL);
    }
    std::string all;
    char part[4096];
    for (ssize_t count; (count = recv(client, part, sizeof part, 0)) > 0;)
      all.append(part, static_cast<std::size_t>(count));
    close(client);
    return all;
  }

  /// The response to one request that ends its connection. `line` is "GET /path"; `fields` end with CRLF each.
  wire_response request(const std::string& line, const std::string& fields = "", const std::string& body = "") const {
    const auto all = responses_of(raw(line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + "\r\n" + body),
                                  line.starts_with("HEAD"));
    EXPECT_EQ(all.size(), 1u) << line << "\n" << fields;
    return all.empty() ? wire_response{} : all.front();
  }
  wire_response classify(const std::string& fields, const std::string& body = pixels) const {
    return request("POST /v1/classify", "Content-Length: " + std::to_string(body.size()) + "\r\n" + fields, body);
  }

  int port;

 private:
  network model_;
  service::http_service service_;
  std::jthread thread_;
};

inline nlohmann::json json_of(const httplib::Result& result) {
  return nlohmann::json::parse(result->body);
}

/// Expects an error of this status and code as JSON, with nothing else in it.
inline void expect_refused(const httplib::Result& result, int status, const char* code) {
  ASSERT_TRUE(result) << code << ": " << httplib::to_string(result.error());
  EXPECT_EQ(result->status, status) << code;
  EXPECT_EQ(result->get_header_value("Content-Type"), "application/json") << code;
  const auto body = json_of(result);
  EXPECT_EQ(body["error"]["code"], code);
  EXPECT_GT(std::string(body["error"]["message"]).size(), 5u) << code;
  EXPECT_EQ(body.size(), 1u) << code;
}

#endif
