// SPDX-License-Identifier: MIT
/// Serves the quickstart's network over HTTP, defended. See README.md.
#include <csignal>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <thread>

#include "service.hpp"

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
  bool is_undefended = false;
  CLI::App app("Classifies images over HTTP; answers are defended by chaff.", "http_service");
  app.add_option("weights", weights, "the quickstart's weights.bin")->required();
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
  try {
    app.parse(count, arguments);
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
