// SPDX-License-Identifier: MIT
/// The HTTP library's server, shielded from what clients write into heads.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_SERVER_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_SERVER_HPP

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <semaphore>
#include <string>

#include "connection.hpp"
#include "inference.hpp"

namespace service {

/// One thread for each connection, for as long as it lasts, and no more connections than threads: the thread that
/// accepts them waits, and the kernel's backlog bounds the rest.
class bounded_pool : public httplib::TaskQueue {
 public:
  explicit bounded_pool(std::size_t connections)
      : free_(static_cast<std::ptrdiff_t>(connections)), pool_(connections) {}

  void enqueue(std::function<void()> task) override {
    free_.acquire();
    pool_.enqueue([this, task = std::move(task)] {
      task();
      free_.release();
    });
  }
  void shutdown() override { pool_.shutdown(); }

 private:
  std::counting_semaphore<> free_;
  httplib::ThreadPool pool_;
};

/// Sent with every response. The library would otherwise offer ranges; the service has none.
inline const httplib::Headers common_headers{
    {"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}, {"Accept-Ranges", "none"}};

/// The error as JSON; under /v2 in the form that the Open Inference Protocol wants.
inline std::string body_of(const refusal& why, bool is_protocol) {
  if (is_protocol) return nlohmann::json{{"error", why.message}}.dump() + "\n";
  return nlohmann::json{{"error", {{"code", why.code}, {"message", why.message}}}}.dump() + "\n";
}

/// Hands to the library only requests that `admit` does not refuse. The refused ones get their response here, before
/// their body is read, and end their connection.
class server : public httplib::Server {
 public:
  using admission = std::function<std::optional<refusal>(request_head&)>;

  /// `count_refusal` is called once for each request that is refused here. `account_field` is the name of the header
  /// that names the account, in lower case; empty if none does.
  server(std::chrono::seconds timeout, admission admit, std::function<void()> count_refusal,
         std::string_view account_field = {})
      : timeout_(timeout),
        admit_(std::move(admit)),
        count_refusal_(std::move(count_refusal)),
        account_field_(account_field) {
    set_default_headers(common_headers);
    set_keep_alive_timeout(timeout.count());
    set_keep_alive_max_count(1000);
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
      // a refusal may have said it already
      if (response.headers.erase("Connection") == 0) return;
      response.headers.erase("Keep-Alive");
      response.set_header("Connection", "close");
    });
  }

 private:
  bool process_and_close_socket(socket_t socket) override {
    connection client(socket, timeout_, account_field_);
    for (std::size_t left = keep_alive_max_count_; left > 0 && svr_sock_ != INVALID_SOCKET; --left) {
      std::optional<parsed_head> next = client.read_head();
      if (!next) break;
      if (serve(client, *next, left == 1)) continue;
      client.finish();
      break;
    }
    return true;
  }

  /// Serves one request; returns whether the connection lasts.
  bool serve(connection& client, parsed_head& parsed, bool is_last) {
    auto* const head = std::get_if<request_head>(&parsed);
    if (const std::optional<refusal> why = head ? admit_(*head) : std::get<refusal>(parsed)) {
      count_refusal_();
      client.write(response_to(*why, head ? *head : request_head{}));
      return false;
    }
    client.offer(*head);
    bool is_closed = false;
    const bool is_sent = process_request(client, is_last, is_closed, nullptr);
    return is_sent && !is_closed && !is_last && !client.has_unread();
  }

  static std::string response_to(const refusal& why, const request_head& head) {
    const std::string body = body_of(why, is_protocol_path(head.path));
    std::string text = "HTTP/1.1 " + std::to_string(why.status) + " Refused\r\n";
    if (why.status == 405) text += "Allow: POST\r\n";
    if (why.status == 401) text += "WWW-Authenticate: Bearer\r\n";
    for (const auto& [name, value] : common_headers) text += name + ": " + value + "\r\n";
    text += "Connection: close\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size());
    return text + "\r\n\r\n" + (head.method == "HEAD" ? "" : body);
  }

  std::chrono::seconds timeout_;
  admission admit_;
  std::function<void()> count_refusal_;
  std::string account_field_;
};

}  // namespace service

#endif
