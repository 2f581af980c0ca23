// SPDX-License-Identifier: MIT
/// The quickstart's network behind HTTP, its answers defended.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_SERVICE_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_SERVICE_HPP

#include <chaff/chaff.hpp>
#include <nlohmann/json.hpp>
#include <semaphore>

// after Eigen: it includes <resolv.h>, whose macro _res breaks Eigen's headers
#include <httplib.h>

#include "metrics.hpp"
#include "page.hpp"
#include "quickstart/network.hpp"
#include "request.hpp"

namespace service {

struct options {
  chaff::dcp defense = {};
  bool is_defended = true;       ///< false only to measure what the defense costs
  bool is_demo = false;          ///< whether the page may also ask for the clean posterior
  std::size_t connections = 64;  ///< at a time, a thread each; further ones wait in the kernel's backlog
  int timeout_seconds = 5;
};

/// A body that is too large is read to its end, and thrown away, up to here: a caller who is still sending would not
/// see an answer. From a larger one nothing is read.
inline constexpr std::size_t most_drained = 8 << 20;

/// A thread for each connection, which it keeps while that lasts, and no more connections than threads: the thread that
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

/// The routes: POST /v1/classify, GET /healthz, /metrics, and the page at /. Answers depend on the image alone, so
/// replicas of one build give the same bytes.
class http_service {
 public:
  /// Raises std::invalid_argument for a parameter of the defense that is out of range.
  http_service(const network& model, const options& chosen) : model_(model), chosen_(chosen) {
    chaff::check(chosen.defense, {});
    server_.new_task_queue = [chosen] { return new bounded_pool(chosen.connections); };
    server_.set_payload_max_length(most_drained);
    server_.set_keep_alive_max_count(1000);
    server_.set_keep_alive_timeout(chosen.timeout_seconds);
    server_.set_read_timeout(chosen.timeout_seconds);
    server_.set_write_timeout(chosen.timeout_seconds);
    server_.set_tcp_nodelay(true);
    server_.set_default_headers({{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}});
    server_.set_pre_routing_handler([this](const auto& asked, auto& answer) { return admit(asked, answer); });
    server_.Post("/v1/classify",
                 [this](const auto& asked, auto& answer, const auto& read) { classify(asked, answer, read); });
    server_.Get("/healthz",
                [](const auto&, auto& answer) { answer.set_content("{\"status\":\"ok\"}\n", "application/json"); });
    server_.Get("/metrics", [this](const auto&, auto& answer) {
      answer.set_content(counted_.text(), "text/plain; version=0.0.4");
    });
    serve_file("/", page_html, "text/html; charset=utf-8");
    serve_file("/page.js", page_js, "text/javascript; charset=utf-8");
    serve_file("/page.css", page_css, "text/css; charset=utf-8");
    server_.set_error_handler([this](const auto&, auto& answer) {
      if (answer.body.empty() && !answer.content_provider_) refuse(answer, refusal_of(answer.status));
    });
    // without one, the library would put the exception's text into a header
    server_.set_exception_handler([this](const auto&, auto& answer, std::exception_ptr) {
      refuse(answer, {500, "internal", "the query cannot be answered"});
    });
  }

  httplib::Server& server() { return server_; }

 private:
  using request = httplib::Request;
  using response = httplib::Response;

  void serve_file(const char* path, std::string_view text, const char* type) {
    server_.Get(path, [text, type](const request&, response& answer) {
      answer.set_header(
          "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'");
      answer.set_content(text.data(), text.size(), type);
    });
  }

  static refusal refusal_of(int status) {
    switch (status) {
      case 400: return {400, "bad_request", "the request cannot be read"};
      case 404: return {404, "not_found", "there is nothing here"};
      case 413: return {413, "too_large", "the body is larger than 1 MiB"};
      case 414: return {414, "long_target", "the request's target is too long"};
      default: return {status, "refused", "the request cannot be served"};
    }
  }

  /// The error as JSON. Where a body was left unread the connection must end with this answer, or the rest of the body
  /// would be taken for a request: a provider that returns false ends it.
  void refuse(response& answer, const refusal& why, bool ends_connection = false) {
    counted_.refused();
    answer.status = why.status;
    const std::string text = nlohmann::json{{"error", {{"code", why.code}, {"message", why.message}}}}.dump() + "\n";
    if (!ends_connection) return answer.set_content(text, "application/json");
    answer.set_header("Connection", "close");
    answer.set_content_provider(text.size(), "application/json",
                                [text](std::size_t from, std::size_t count, httplib::DataSink& sink) {
                                  sink.write(text.data() + from, count);
                                  return false;
                                });
  }

  /// Refuses before a byte of the body is read what is not to be read at all.
  httplib::Server::HandlerResponse admit(const request& asked, response& answer) {
    const auto refused = [&](const refusal& why) {
      refuse(answer, why, true);
      return httplib::Server::HandlerResponse::Handled;
    };
    const bool is_classify = asked.path == "/v1/classify";
    const std::size_t lengths = asked.get_header_value_count("Content-Length");
    const std::string length = asked.get_header_value("Content-Length");
    const bool is_number =
        !length.empty() && length.size() < 18 && length.find_first_not_of("0123456789") == length.npos;
    const bool has_body = asked.has_header("Transfer-Encoding") || (lengths > 0 && length != "0");
    if (asked.method == "GET" || asked.method == "HEAD") {
      if (is_classify) {
        answer.set_header("Allow", "POST");
        return refused({405, "method", "send an image by POST"});
      }
      if (has_body) return refused({400, "body", "a GET has no body"});
      return httplib::Server::HandlerResponse::Unhandled;
    }
    if (!is_classify) return refused(refusal_of(404));
    if (asked.method != "POST") {
      answer.set_header("Allow", "POST");
      return refused({405, "method", "send an image by POST"});
    }
    if (asked.has_header("Transfer-Encoding") || lengths == 0) return refused({411, "length", "send a Content-Length"});
    if (lengths > 1 || !is_number) return refused({400, "length", "Content-Length is no number"});
    if (std::stoull(length) > most_drained) return refused(refusal_of(413));
    if (asked.has_header("Content-Encoding"))
      return refused({415, "encoding", "send the body as it is, not compressed"});
    return httplib::Server::HandlerResponse::Unhandled;
  }

  void classify(const request& asked, response& answer, const httplib::ContentReader& read) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(chosen_.timeout_seconds);
    std::string body;
    std::size_t size = 0;
    const httplib::ContentReceiver take = [&](const char* bytes, std::size_t count) {
      size += count;
      if (size <= most_bytes) body.append(bytes, count);
      return std::chrono::steady_clock::now() < deadline;
    };
    const bool is_form = asked.is_multipart_form_data();
    const bool is_whole = is_form ? read([](const httplib::MultipartFormData&) { return true; }, take) : read(take);
    if (!is_whole) return refuse(answer, {408, "slow", "the body did not come whole and in time"}, true);
    if (is_form) return refuse(answer, {415, "form", "send the image itself, not a form"});
    if (size > most_bytes) return refuse(answer, refusal_of(413));
    const auto start = std::chrono::steady_clock::now();
    const auto image = parse_image(body);
    if (const auto* why = std::get_if<refusal>(&image)) return refuse(answer, *why);

    const Eigen::VectorXd logits = model_(std::get<Eigen::VectorXf>(image)).cast<double>();
    const Eigen::VectorXd posterior = chaff::apply(chaff::none{}, logits);
    const Eigen::VectorXd moved = chosen_.is_defended ? chaff::apply(chosen_.defense, logits) : posterior;
    // four decimals, that sum to 1 and keep the label first, are what the caller gets
    const Eigen::VectorXd told = chosen_.is_defended ? chaff::apply(chosen_.defense | four_decimals, logits)
                                                     : chaff::apply(chaff::none{} | four_decimals, logits);
    Eigen::Index label = 0;
    told.maxCoeff(&label);
    nlohmann::ordered_json reply{{"label", names[label]}, {"class", label}, {"probabilities", told}};
    if (chosen_.is_demo && asked.has_param("clean"))
      reply["clean"] = chaff::apply(chaff::none{} | four_decimals, logits);
    answer.set_content(reply.dump() + "\n", "application/json");
    counted_.answered((moved - posterior).lpNorm<1>() > chaff::touched_l1, std::chrono::steady_clock::now() - start);
  }

  static constexpr chaff::rounded four_decimals{.decimals = 4};
  static constexpr const char* names[] = {"T-shirt", "trousers", "pullover", "dress", "coat",
                                          "sandal",  "shirt",    "sneaker",  "bag",   "boot"};

  const network& model_;
  options chosen_;
  metrics counted_;
  httplib::Server server_;
};

}  // namespace service

#endif
