// SPDX-License-Identifier: MIT
/// The quickstart's network behind HTTP, its answers defended.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_SERVICE_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_SERVICE_HPP

#include <chaff/chaff.hpp>
#include <nlohmann/json.hpp>

#include "accounts/watch.hpp"
#include "image.hpp"
#include "inference.hpp"
#include "metrics.hpp"
#include "page.hpp"
#include "quickstart/network.hpp"
#include "server.hpp"

namespace service {

struct options {
  chaff::any_defense defense = chaff::dcp{};
  chaff::policy policy = {};
  bool is_defended = true;  ///< false only to measure what the defense costs
  bool is_demo = false;     ///< whether the page may also request the clean posterior
  /// Whether the protocol's clients get the logits: only for a gateway that defends them
  bool serves_undefended_logits = false;
  std::size_t connections = 64;  ///< at a time, a thread each; further ones wait in the kernel's backlog
  int timeout_seconds = 5;
  std::shared_ptr<account_watch> accounts = {};  ///< null: requests need no account, and none is flagged
};

/// The routes: POST /v1/classify, those of the Open Inference Protocol under /v2, GET /healthz, /metrics, and the page
/// at
/// /. A response depends on the images (and the id) alone, so replicas of one build respond with the same bytes.
class http_service {
 public:
  /// Throws: std::invalid_argument for a parameter of the defense or the policy that is out of range.
  http_service(const network& model, const options& chosen)
      : model_(model),
        chosen_(chosen),
        server_(
            std::chrono::seconds(chosen.timeout_seconds), [this](request_head& head) { return admit(head); },
            [this] { metrics_.count_refusal(); },
            chosen.accounts ? chosen.accounts->identity().field() : std::string_view()) {
    if (chosen.policy.input != chaff::form::logits || chosen.policy.answer != chaff::form::probabilities) {
      throw std::invalid_argument("the service defends logits and answers probabilities: leave out input and answer");
    }
    chaff::check(chosen.defense | four_decimals, chosen.policy);
    if (chosen.accounts) prepare_accounts();
    server_.new_task_queue = [chosen] { return new bounded_pool(chosen.connections); };
    server_.set_tcp_nodelay(true);
    server_.Post("/v1/classify",
                 [this](const auto& request, auto& response, const auto& read) { classify(request, response, read); });
    server_.Get("/healthz",
                [](const auto&, auto& response) { response.set_content("{\"status\":\"ok\"}\n", "application/json"); });
    server_.Get("/metrics", [this](const auto&, auto& response) {
      response.set_content(metrics_.text() + (chosen_.accounts ? chosen_.accounts->metrics_text() : ""),
                           "text/plain; version=0.0.4");
    });
    server_.Post(std::string(infer_path).c_str(),
                 [this](const auto& request, auto& response, const auto& read) { infer(request, response, read); });
    serve_json("/v2", R"({"name":"http_service","version":"2","extensions":[]})");
    serve_json("/v2/health/live", R"({"live":true})");
    serve_json("/v2/health/ready", R"({"ready":true})");
    serve_json(std::string(model_path), metadata_of(chosen.serves_undefended_logits));
    serve_json(std::string(model_path) + "/ready", R"({"name":"fashion_mnist","ready":true})");
    serve_file("/", page_html, "text/html; charset=utf-8");
    serve_file("/page.js", page_js, "text/javascript; charset=utf-8");
    serve_file("/page.css", page_css, "text/css; charset=utf-8");
    server_.set_error_handler([this](const auto& request, auto& response) {
      if (!response.body.empty()) return;
      refuse(request, response,
             response.status == 404 ? not_found : refusal{response.status, "refused", "the request failed"});
    });
    // without one, the library would put the exception's text into a header
    server_.set_exception_handler([this](const auto& request, auto& response, std::exception_ptr) {
      refuse(request, response, {500, "internal", "the query cannot be answered"});
    });
  }

  httplib::Server& server() { return server_; }

 private:
  static constexpr refusal not_found{404, "not_found", "there is nothing here"};
  /// 403, and not 429, which tells clients to come again later: a flagged account stays flagged.
  static constexpr refusal flagged_account{403, "flagged", "this account is not served"};

  void serve_file(const char* path, std::string_view text, const char* type) {
    server_.Get(path, [text, type](const httplib::Request&, httplib::Response& response) {
      response.set_header(
          "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'");
      response.set_content(text.data(), text.size(), type);
    });
  }

  void serve_json(const std::string& path, const std::string& text) {
    server_.Get(path, [line = text + "\n"](const httplib::Request&, httplib::Response& response) {
      response.set_content(line, "application/json");
    });
  }

  /// The error as JSON, for a request whose body has been read.
  void refuse(const httplib::Request& request, httplib::Response& response, const refusal& why) {
    metrics_.count_refusal();
    response.status = why.status;
    response.set_content(body_of(why, is_protocol_path(request.path)), "application/json");
  }

  /// Why a request is refused before its body is read, if it is. Finds the account of one that is not.
  std::optional<refusal> admit(request_head& head) const {
    const bool takes_body = head.path == "/v1/classify" || head.path == infer_path;
    if (head.method == "GET" || head.method == "HEAD") {
      if (takes_body) return refusal{405, "method", "send an image by POST"};
      if (head.has_transfer_encoding || head.content_length > 0) return refusal{400, "body", "a GET has no body"};
      return std::nullopt;
    }
    if (!takes_body) return not_found;
    if (head.method != "POST") return refusal{405, "method", "send an image by POST"};
    if (chosen_.accounts) {
      const auto account = chosen_.accounts->identity().account_of(head);
      if (const auto* why = std::get_if<refusal>(&account)) return *why;
      head.account = std::get<account_id>(account);
    }
    if (head.has_transfer_encoding || !head.has_content_length) return refusal{411, "length", "send a Content-Length"};
    if (head.content_length > max_body_bytes) return refusal{413, "too_large", "the body is larger than 1 MiB"};
    if (head.has_content_encoding) return refusal{415, "encoding", "send the body as it is, not compressed"};
    if (head.is_form) return refusal{415, "form", "send the image itself, not a form"};
    return std::nullopt;
  }

  /// The body, or nothing if it did not come; then the request is refused.
  std::optional<std::string> body_of_request(const httplib::Request& request, httplib::Response& response,
                                             const httplib::ContentReader& read) {
    std::string body;
    const bool is_whole = read([&](const char* bytes, std::size_t count) {
      body.append(bytes, count);
      return true;
    });
    if (is_whole) return body;
    response.set_header("Connection", "close");
    refuse(request, response, {408, "slow", "the body did not come whole and in time"});
    return std::nullopt;
  }

  struct answered_image {
    Eigen::VectorXf logits;
    Eigen::VectorXd probabilities;  ///< four decimals that sum to 1 and keep the label first: what the client gets
    bool is_perturbed;
  };

  /// Throws: std::invalid_argument for options that do not fit together.
  void prepare_accounts() {
    score_.emplace(chosen_.defense);
    const auto& flagged = chosen_.accounts->flagged();
    if (!flagged) return;
    if (chosen_.serves_undefended_logits)
      throw std::invalid_argument("a gateway that gets logits defends them: flagged accounts can only be refused");
    if (flagged->policy.input != chaff::form::logits || flagged->policy.answer != chaff::form::probabilities)
      throw std::invalid_argument("the flagged policy: leave out input and answer");
    chaff::check(flagged->defense | four_decimals, flagged->policy);
  }

  /// The answer to one row of logits.
  answered_image answer_to(const Eigen::VectorXf& model_output, bool is_flagged) const {
    answered_image answer;
    answer.logits = model_output;
    const Eigen::VectorXd logits = model_output.cast<double>();
    const Eigen::VectorXd posterior = chaff::apply(chaff::none{}, logits);
    const flagged_answer* const flagged = is_flagged ? &*chosen_.accounts->flagged() : nullptr;
    const chaff::any_defense& defense = flagged ? flagged->defense : chosen_.defense;
    const chaff::policy& policy = flagged ? flagged->policy : chosen_.policy;
    const bool is_defended = chosen_.is_defended || is_flagged;
    const Eigen::VectorXd perturbed = is_defended ? chaff::apply(defense, logits, policy) : posterior;
    answer.probabilities = is_defended ? chaff::apply(defense | four_decimals, logits, policy)
                                       : chaff::apply(chaff::none{} | four_decimals, logits);
    answer.is_perturbed = (perturbed - posterior).lpNorm<1>() > chaff::min_perturbed_l1;
    return answer;
  }

  /// The answers to a request's images, or nothing if its account is refused. Each image counts as a query.
  std::optional<std::vector<answered_image>> answers_to(const httplib::Request& request,
                                                        std::span<const Eigen::VectorXf> images) {
    std::vector<Eigen::VectorXf> logits;
    for (const Eigen::VectorXf& image : images) logits.push_back(model_(image));
    std::size_t first_flagged = images.size();
    if (chosen_.accounts) {
      // every request that is admitted has one
      const account_id account = std::stoull(request.get_header_value(account_header));
      first_flagged = chosen_.accounts->count(account, *score_, logits);
      if (first_flagged < images.size() && !chosen_.accounts->flagged()) return std::nullopt;
    }
    std::vector<answered_image> answers;
    for (std::size_t i = 0; i < logits.size(); ++i) answers.push_back(answer_to(logits[i], i >= first_flagged));
    return answers;
  }

  void classify(const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& read) {
    const auto body = body_of_request(request, response, read);
    if (!body) return;
    const auto start = std::chrono::steady_clock::now();
    const auto image = parse_image(*body);
    if (const auto* why = std::get_if<refusal>(&image)) return refuse(request, response, *why);

    const auto answers = answers_to(request, {&std::get<Eigen::VectorXf>(image), 1});
    if (!answers) return refuse(request, response, flagged_account);
    const answered_image& answered = answers->front();
    Eigen::Index label = 0;
    answered.probabilities.maxCoeff(&label);
    nlohmann::ordered_json answer{{"label", names[label]}, {"class", label}, {"probabilities", answered.probabilities}};
    if (chosen_.is_demo && request.has_param("clean"))
      answer["clean"] = chaff::apply(chaff::none{} | four_decimals, answered.logits.cast<double>());
    response.set_content(answer.dump() + "\n", "application/json");
    metrics_.count_query(answered.is_perturbed, std::chrono::steady_clock::now() - start);
  }

  void infer(const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& read) {
    const auto body = body_of_request(request, response, read);
    if (!body) return;
    const auto start = std::chrono::steady_clock::now();
    const auto parsed = parse_inference(*body, chosen_.serves_undefended_logits);
    if (const auto* why = std::get_if<refusal>(&parsed)) return refuse(request, response, *why);

    const auto& query = std::get<inference_request>(parsed);
    const auto answers = answers_to(request, query.images);
    if (!answers) return refuse(request, response, flagged_account);
    std::vector<Eigen::VectorXf> probabilities, logits;
    for (const answered_image& answered : *answers) {
      probabilities.emplace_back(answered.probabilities.cast<float>());
      logits.push_back(answered.logits);
    }
    response.set_content(body_of(query, probabilities, logits), "application/json");
    // each image is a query, which waited for all of them
    const auto latency = std::chrono::steady_clock::now() - start;
    for (const answered_image& answered : *answers) metrics_.count_query(answered.is_perturbed, latency);
  }

  static constexpr chaff::rounded four_decimals{.decimals = 4};
  static constexpr const char* names[] = {"T-shirt", "trousers", "pullover", "dress", "coat",
                                          "sandal",  "shirt",    "sneaker",  "bag",   "boot"};

  const network& model_;
  options chosen_;
  std::optional<gate_score> score_;  ///< where accounts are watched
  metrics metrics_;
  service::server server_;
};

}  // namespace service

#endif
