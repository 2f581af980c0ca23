// SPDX-License-Identifier: MIT
/// What the tests of Redis share: a real one on a free port, and one that misbehaves.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_RUNNING_REDIS_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_RUNNING_REDIS_HPP

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <hiredis.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

/// A socket that listens on a free port of this machine.
inline int listening_socket(int& port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  // a Redis may take the port over from connections that have just ended
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(listener, 16), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return listener;
}

inline int free_port() {
  int port = 0;
  close(listening_socket(port));
  return port;
}

/// A Redis without persistence, on a port of its own, that can be ended, stopped and started again.
class running_redis {
 public:
  explicit running_redis(std::vector<std::string> more = {}, int chosen_port = free_port())
      : port(chosen_port), more_(std::move(more)) {
    std::string folder = testing::TempDir() + "redis-XXXXXX";
    folder_ = mkdtemp(folder.data());
    start();
  }
  ~running_redis() {
    end();
    std::filesystem::remove_all(folder_);
  }
  running_redis(const running_redis&) = delete;
  running_redis& operator=(const running_redis&) = delete;

  void start() {
    std::vector<std::string> arguments{
        "redis-server", "--bind", "127.0.0.1",    "--port", std::to_string(port), "--save",        "", "--dir", folder_,
        "--daemonize",  "no",     "--appendonly", "no",     "--logfile",          folder_ + "/log"};
    arguments.insert(arguments.end(), more_.begin(), more_.end());
    std::vector<char*> pointers;
    for (std::string& each : arguments) pointers.push_back(each.data());
    pointers.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      execvp("redis-server", pointers.data());
      _exit(127);
    }
    for (int i = 0; i < 1000; ++i) {
      const std::unique_ptr<redisContext, decltype(&redisFree)> client(redisConnect("127.0.0.1", port), &redisFree);
      if (client && client->err == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "redis-server does not listen";
  }

  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGCONT);
    kill(pid_, SIGTERM);
    for (int i = 0; i < 1000; ++i) {
      if (waitpid(pid_, nullptr, WNOHANG) != 0) {
        pid_ = -1;
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  const int port;

  void hang() const { kill(pid_, SIGSTOP); }
  void go_on() const { kill(pid_, SIGCONT); }

  /// The reply to a command as text; "(nil)" if there is none.
  std::string reply(const std::vector<std::string>& command) const {
    const std::unique_ptr<redisContext, decltype(&redisFree)> client(redisConnectWithTimeout("127.0.0.1", port, {5, 0}),
                                                                     &redisFree);
    std::vector<const char*> parts;
    std::vector<std::size_t> sizes;
    for (const std::string& part : command) {
      parts.push_back(part.data());
      sizes.push_back(part.size());
    }
    const std::unique_ptr<void, decltype(&freeReplyObject)> owner(
        redisCommandArgv(client.get(), static_cast<int>(parts.size()), parts.data(), sizes.data()), &freeReplyObject);
    if (!owner) return "no reply";
    const auto& read = *static_cast<const redisReply*>(owner.get());
    if (read.type == REDIS_REPLY_INTEGER) return std::to_string(read.integer);
    if (read.type == REDIS_REPLY_NIL) return "(nil)";
    if (read.type == REDIS_REPLY_ARRAY) return std::to_string(read.elements) + " elements";
    return {read.str, static_cast<std::size_t>(read.len)};
  }

 private:
  std::vector<std::string> more_;
  std::string folder_;
  pid_t pid_ = -1;
};

/// Accepts connections, and answers each piece of a connection that a client sends by the next of its own; the last one
/// answers all further pieces. An empty one is no answer.
class fake_redis {
 public:
  explicit fake_redis(std::vector<std::string> answers)
      : answers_(std::move(answers)), listener_(listening_socket(port)) {
    thread_ = std::jthread([this] {
      for (int client; (client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
        ++connections;
        clients_.emplace_back(client, std::jthread([this, client] {
                                char piece[4096];
                                std::size_t next = 0;
                                while (recv(client, piece, sizeof piece, 0) > 0) {
                                  const std::string& bytes = answers_[std::min(next++, answers_.size() - 1)];
                                  ++pieces;
                                  if (!bytes.empty() && send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
                                    break;
                                }
                                shutdown(client, SHUT_RDWR);
                              }));
      }
    });
  }
  ~fake_redis() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (auto& [client, thread] : clients_) {
      shutdown(client, SHUT_RDWR);
      thread.join();
      close(client);
    }
    close(listener_);
  }

  std::atomic<int> connections{0}, pieces{0};
  int port = 0;

 private:
  std::vector<std::string> answers_;
  int listener_;
  std::list<std::pair<int, std::jthread>> clients_;
  std::jthread thread_;
};

#endif
