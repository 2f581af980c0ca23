// SPDX-License-Identifier: MIT
/// Serves the quickstart's network over HTTP, defended. See README.md.
#include <csignal>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <thread>

#include "accounts/account_options.hpp"
#include "service.hpp"

namespace {

/// The options of accounts. All but the two that turn accounts on are returned.
std::vector<CLI::Option*> add_account_options(CLI::App& app, service::account_options& chosen) {
  constexpr const char* group = "Accounts (off unless one of the first two is given)";
  app.add_option("--account-header", chosen.header,
                 "the header that names a request's account, such as X-Account. Only for a service that clients reach "
                 "through a trusted proxy alone, which sets the header and overwrites a client's: whoever can set it "
                 "takes a new account with each query. A request without it is refused (400)")
      ->group(group);
  app.add_option("--api-keys", chosen.api_keys_file,
                 "a file of an account's name and an API key a line. A request without a key of the file in "
                 "`Authorization: Bearer KEY` is refused (401)")
      ->group(group);
  const std::vector<CLI::Option*> others{
      app.add_option("--benign-scores", chosen.benign_scores_file,
                     "scores of benign users' queries by the defense's gate, CSV or NPY, one a line; required"),
      app.add_option("--false-alarms", chosen.false_alarms, "share of benign accounts that may be flagged")
          ->capture_default_str(),
      app.add_option("--account-queries", chosen.queries, "within so many queries of each")->capture_default_str(),
      app.add_option("--drift", chosen.drift, "what each query takes from the evidence, in nats")
          ->capture_default_str(),
      app.add_option(
          "--flagged-defense", chosen.flagged_defense,
          "the defense that flagged accounts get, as chaff::parse_defense reads it; otherwise they are refused "
          "(403)"),
      app.add_option("--flagged-policy", chosen.flagged_policy, "its policy, as chaff::parse_policy reads it"),
      app.add_option("--accounts", chosen.place,
                     "where the evidence is: memory, or redis://[[user]:password@]host[:port][/database] for replicas")
          ->capture_default_str()
          ->envname("CHAFF_ACCOUNTS"),
      app.add_option("--account-key-file", chosen.key_file,
                     "32 hexadecimal digits: the key that account names are hashed with; required for Redis"),
      app.add_option("--max-accounts", chosen.max_accounts, "that this process remembers")
          ->capture_default_str()
          ->check(CLI::Range(1, 100'000'000)),
      app.add_option("--account-expiry", chosen.expiry_days,
                     "days without a query after which Redis forgets an account that is not flagged")
          ->capture_default_str()
          ->check(CLI::Range(1, 3650))};
  for (CLI::Option* const each : others) each->group(group);
  return others;
}

}  // namespace

int main(int count, char** arguments) {
  // a thread waits for these signals: a signal handler could not stop the server safely
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  service::options chosen;
  std::string weights, address = "127.0.0.1", defense = to_string(chosen.defense), policy;
  int port = 8080;
  service::account_options accounts;
  std::string account_to_find;
  bool is_undefended = false;
  CLI::App app("Classifies images over HTTP; answers are defended by chaff.", "http_service");
  app.add_option("weights", weights, "the quickstart's weights.bin");
  app.get_formatter()->column_width(40);
  app.add_option("--address", address, "to listen on")->capture_default_str();
  app.add_option("--port", port, "to listen on; 0 takes a free one, and prints it")
      ->capture_default_str()
      ->check(CLI::Range(0, 65535));
  app.add_option("--defense", defense, "its text, as chaff::parse_defense reads it")->capture_default_str();
  app.add_option("--policy", policy, "such as \"label_margin=0.011\", as chaff::parse_policy reads it");
  app.add_option("--connections", chosen.connections, "at a time, a thread each")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  app.add_option("--timeout", chosen.timeout_seconds,
                 "seconds for the next request, for its head, for its body, and for a response to be taken")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
  app.add_flag("--demo", chosen.is_demo,
               "the page also shows the clean posterior: for a demonstration, never for the public");
  app.add_flag("--serve-undefended-logits-to-a-trusted-gateway", chosen.serves_undefended_logits,
               "/v2 also answers the logits: behind a gateway that defends them, never where a client can connect");
  app.add_flag("--undefended", is_undefended, "answer without the defense: to measure what it costs");
  const std::vector<CLI::Option*> account_details = add_account_options(app, accounts);
  app.add_option("--redis-key-of", account_to_find,
                 "print the key that Redis holds an account's evidence under, and end")
      ->needs("--account-key-file");
  try {
    app.parse(count, arguments);
    if (!account_to_find.empty()) {
      const chaff::key key = service::read_account_key(accounts.key_file);
      std::printf("%s\n", service::redis_key_of(service::account_id_of(account_to_find, key)).c_str());
      return 0;
    }
    if (weights.empty()) throw CLI::RequiredError("weights");
    for (const CLI::Option* each : account_details) {
      // the environment may say where accounts are to a service without them
      if (each->count() > 0 && !accounts.has_accounts() && each->get_name() != "--accounts")
        throw std::invalid_argument(each->get_name() + " needs --account-header or --api-keys");
    }
    if (accounts.has_accounts()) chosen.accounts = service::make_account_watch(accounts);
    chosen.defense = chaff::parse_defense(defense);
    chosen.policy = chaff::parse_policy(policy);
    chosen.is_defended = !is_undefended;
    const network model(weights);
    service::http_service instance(model, chosen);
    const int bound = port == 0 ? instance.server().bind_to_any_port(address.c_str())
                      : instance.server().bind_to_port(address.c_str(), port) ? port
                                                                              : -1;
    if (bound < 0) {
      std::fprintf(stderr, "http_service: cannot listen on %s, port %d\n", address.c_str(), port);
      return 1;
    }
    std::printf("http://%s:%d/%s\n", address.c_str(), bound, chosen.is_demo ? " (demo: shows clean posteriors)" : "");
    if (chosen.serves_undefended_logits)
      std::fprintf(stderr, "http_service: serves undefended logits; only a gateway that defends them may connect\n");
    std::fflush(stdout);
    std::jthread stopper([&] {
      int signal = 0;
      sigwait(&ends, &signal);
      instance.server().stop();
    });
    const bool ended_well = instance.server().listen_after_bind();
    pthread_kill(stopper.native_handle(), SIGTERM);
    return ended_well ? 0 : 1;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "http_service: %s\n", error.what());
    return 1;
  }
}
