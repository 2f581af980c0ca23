// SPDX-License-Identifier: MIT
/// One connection to Redis that many threads share, and that never keeps one waiting for long.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_REDIS_LINK_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_REDIS_LINK_HPP

#include <hiredis.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "accounts/redis_address.hpp"

namespace service {

/// How long Redis may take.
struct redis_patience {
  std::chrono::milliseconds connect{500};         ///< for a connection, its password, and the preparation that follows
  std::chrono::milliseconds command{100};         ///< for a reply; no call waits longer
  std::chrono::milliseconds idle{5000};           ///< after this time without a command, the link sends one
  std::chrono::milliseconds first_pause{100};     ///< before the next attempt; doubled after each that fails,
  std::chrono::milliseconds longest_pause{2000};  ///< up to this
};

/// A reply to a command: a string or a status; or the first word of an error, such as NOSCRIPT.
struct redis_reply {
  bool is_error = false;
  std::string text;
};

using redis_command = std::vector<std::string>;

/// A thread of its own connects, sends, receives, and connects again after any failure. A call while there is no
/// connection fails at once (this is the circuit breaker); no call connects. A reply that is late, that is no string,
/// status or error, that is longer than 4 KiB or that nobody waits for ends the connection: what comes after it could
/// be taken for the reply to another command. A command that failed may or may not have been executed.
class redis_link {
 public:
  using clock = std::chrono::steady_clock;

  static constexpr std::size_t max_reply_bytes = 4096;

  /// Runs a command within the connect patience of a new connection.
  using runner = std::function<std::optional<redis_reply>(const redis_command&)>;

  /// `prepare` is called with each new connection, in the link's thread, and returns whether it can be used.
  redis_link(redis_address address, const redis_patience& patience, std::function<bool(const runner&)> prepare)
      : address_(std::move(address)),
        patience_(patience),
        prepare_(std::move(prepare)),
        wake_(eventfd(0, EFD_NONBLOCK)) {
    if (wake_ < 0) throw std::runtime_error("no event descriptor is left");
    thread_ = std::jthread([this](std::stop_token stop) { keep_connected(stop); });
  }
  ~redis_link() {
    thread_.request_stop();
    wake();
    thread_.join();
    close(wake_);
  }
  redis_link(const redis_link&) = delete;
  redis_link& operator=(const redis_link&) = delete;

  bool is_up() const { return is_up_; }
  std::uint64_t outages() const { return outages_; }

  /// The reply to a command, or nothing if there is no connection or none came in time.
  std::optional<redis_reply> call(const redis_command& command, clock::time_point deadline) {
    const auto waiting = std::make_shared<call_state>(bytes_of(command), deadline);
    std::unique_lock lock(mutex_);
    if (!is_up_) return std::nullopt;
    unsent_.push_back(waiting);
    wake();
    // the link's thread ends late calls too, but may be late itself on a busy machine
    waiting->changed.wait_until(lock, deadline, [&] { return waiting->is_done; });
    return std::move(waiting->reply);
  }

  /// Ends the connection, whose replies are of no use, and pauses before the next one.
  void drop() {
    const std::scoped_lock lock(mutex_);
    is_dropped_ = true;
    wake();
  }

  /// Says that a connection was of use: the pause before the next one starts from its shortest again.
  void confirm() { pause_is_short_ = true; }

  /// Waits until there is a connection or the time is up; returns whether there is one.
  bool wait_until_up(std::chrono::milliseconds time, std::stop_token stop = {}) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, stop, time, [&] { return is_up_.load(); });
  }

 private:
  using context = std::unique_ptr<redisContext, decltype(&redisFree)>;

  struct call_state {
    call_state(std::string command, clock::time_point last) : bytes(std::move(command)), deadline(last) {}

    std::string bytes;
    clock::time_point deadline;
    bool is_done = false;
    std::condition_variable changed;
    std::optional<redis_reply> reply;

    void finish() {
      is_done = true;
      changed.notify_one();
    }
  };
  using calls = std::deque<std::shared_ptr<call_state>>;

  static std::string bytes_of(const redis_command& command) {
    std::vector<const char*> parts;
    std::vector<std::size_t> sizes;
    for (const std::string& part : command) {
      parts.push_back(part.data());
      sizes.push_back(part.size());
    }
    char* bytes = nullptr;
    const int size = redisFormatCommandArgv(&bytes, static_cast<int>(parts.size()), parts.data(), sizes.data());
    if (size < 0) throw std::bad_alloc();
    const std::string result(bytes, static_cast<std::size_t>(size));
    redisFreeCommand(bytes);
    return result;
  }

  void wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(wake_, &one, sizeof one);
  }

  /// The link's thread.
  void keep_connected(const std::stop_token& stop) {
    auto pause = patience_.first_pause;
    bool has_said_down = false;
    while (!stop.stop_requested()) {
      const char* why = "it cannot be reached";
      {
        context connected = connect(stop, why);
        if (connected) {
          if (has_said_down) std::fprintf(stderr, "http_service: Redis is back\n");
          has_said_down = false;
          set_up(true);
          why = serve(*connected, stop);
          set_up(false);
        }
      }
      if (stop.stop_requested()) return;
      if (!has_said_down) std::fprintf(stderr, "http_service: Redis is away (%s); evidence goes on here\n", why);
      has_said_down = true;
      if (pause_is_short_.exchange(false)) pause = patience_.first_pause;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, pause, [] { return false; });
      pause = std::min(2 * pause, patience_.longest_pause);
    }
  }

  void set_up(bool is_up) {
    const std::scoped_lock lock(mutex_);
    is_up_ = is_up;
    is_dropped_ = false;
    if (is_up) {
      changed_.notify_all();
      return;
    }
    ++outages_;
    for (calls* each : {&unsent_, &unanswered_}) {
      for (const auto& call : *each) call->finish();
      each->clear();
    }
  }

  /// A connection that is prepared, or null.
  context connect(const std::stop_token& stop, const char*& why) {
    const auto deadline = clock::now() + patience_.connect;
    context made(redisConnectNonBlock(address_.host.c_str(), address_.port), &redisFree);
    if (!made || made->err != 0) return {nullptr, &redisFree};
    // arrays are refused before memory is taken for them: their length may be anything
    redisReplyObjectFunctions functions = *made->reader->fn;
    functions.createArray = refuse_array;
    functions_ = functions;
    made->reader->fn = &functions_;
    redisEnableKeepAlive(made.get());
    const runner run = [&](const redis_command& command) { return run_alone(*made, command, deadline, stop); };
    if (!address_.password.empty()) {
      redis_command login{"AUTH"};
      if (!address_.user.empty()) login.push_back(address_.user);
      login.push_back(address_.password);
      const auto reply = run(login);
      if (!reply) return {nullptr, &redisFree};
      if (reply->is_error) {
        why = "it refuses the password";
        return {nullptr, &redisFree};
      }
    }
    if (address_.database != 0) {
      const auto reply = run({"SELECT", std::to_string(address_.database)});
      if (!reply || reply->is_error) {
        why = "it does not have the database";
        return {nullptr, &redisFree};
      }
    }
    why = "it does not run the script";
    if (!prepare_(run)) return {nullptr, &redisFree};
    return made;
  }

  template <class Count>
  static void* refuse_array(const redisReadTask*, Count) {
    return nullptr;
  }

  bool append(redisContext& connected, const std::string& bytes) {
    has_output_ = true;
    return redisAppendFormattedCommand(&connected, bytes.data(), bytes.size()) == REDIS_OK;
  }

  /// One command and its reply, in the link's thread.
  std::optional<redis_reply> run_alone(redisContext& connected, const redis_command& command,
                                       clock::time_point deadline, const std::stop_token& stop) {
    if (!append(connected, bytes_of(command))) return std::nullopt;
    while (!stop.stop_requested()) {
      if (!transfer(connected, deadline)) return std::nullopt;
      std::optional<redis_reply> reply;
      if (!next_reply(connected, reply)) return std::nullopt;
      if (reply) return reply;
      if (clock::now() >= deadline) return std::nullopt;
    }
    return std::nullopt;
  }

  /// Sends and receives until the connection ends; returns why it did.
  const char* serve(redisContext& connected, const std::stop_token& stop) {
    auto next_check = clock::now() + patience_.idle;
    for (;;) {
      auto deadline = next_check;
      {
        const std::scoped_lock lock(mutex_);
        if (stop.stop_requested()) return "the service ends";
        if (is_dropped_) return "its replies make no sense";
        // nobody else would notice that a firewall has forgotten the connection, until a query waits for it
        if (unsent_.empty() && unanswered_.empty() && clock::now() >= next_check) {
          unsent_.push_back(std::make_shared<call_state>(bytes_of({"PING"}), clock::now() + patience_.command));
        }
        for (; !unsent_.empty(); unsent_.pop_front()) {
          const auto& call = unsent_.front();
          if (!append(connected, call->bytes)) return "no memory is left";
          unanswered_.push_back(call);
        }
        if (!unanswered_.empty()) deadline = unanswered_.front()->deadline;
      }
      if (!transfer(connected, deadline)) return "the connection ended";
      for (;;) {
        std::optional<redis_reply> reply;
        if (!next_reply(connected, reply)) return "its replies make no sense";
        const std::scoped_lock lock(mutex_);
        if (!reply) {
          if (!unanswered_.empty() && unanswered_.front()->deadline <= clock::now())
            return "it does not answer in time";
          break;
        }
        if (unanswered_.empty()) return "its replies make no sense";
        unanswered_.front()->reply = std::move(reply);
        unanswered_.front()->finish();
        unanswered_.pop_front();
        next_check = clock::now() + patience_.idle;
      }
    }
  }

  /// Sends what is to be sent and receives what has come, once; waits until the deadline or a wake for something to do.
  bool transfer(redisContext& connected, clock::time_point deadline) {
    pollfd polled[] = {{connected.fd, static_cast<short>(has_output_ ? POLLIN | POLLOUT : POLLIN), 0},
                       {wake_, POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count();
    if (poll(polled, 2, static_cast<int>(std::max<decltype(left)>(left, 0))) < 0) return errno == EINTR;
    if (polled[1].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto read_bytes = read(wake_, &count, sizeof count);
    }
    if ((polled[0].revents & POLLOUT) != 0) {
      int is_sent = 0;
      if (redisBufferWrite(&connected, &is_sent) != REDIS_OK) return false;
      has_output_ = is_sent == 0;
    }
    return (polled[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0 || redisBufferRead(&connected) == REDIS_OK;
  }

  /// Takes a reply that has come whole, if one has; false if what came is none.
  bool next_reply(redisContext& connected, std::optional<redis_reply>& reply) {
    void* raw = nullptr;
    if (redisGetReplyFromReader(&connected, &raw) != REDIS_OK) return false;
    if (!raw) return connected.reader->len - connected.reader->pos <= max_reply_bytes;
    const std::unique_ptr<void, decltype(&freeReplyObject)> owner(raw, &freeReplyObject);
    const auto& read_reply = *static_cast<const redisReply*>(raw);
    if (read_reply.type != REDIS_REPLY_STRING && read_reply.type != REDIS_REPLY_STATUS &&
        read_reply.type != REDIS_REPLY_ERROR)
      return false;
    std::string text(read_reply.str, static_cast<std::size_t>(read_reply.len));
    if (text.size() > max_reply_bytes) return false;
    const bool is_error = read_reply.type == REDIS_REPLY_ERROR;
    if (is_error) text = text.substr(0, text.find(' '));
    reply = redis_reply{is_error, std::move(text)};
    return true;
  }

  redis_address address_;
  redis_patience patience_;
  std::function<bool(const runner&)> prepare_;
  redisReplyObjectFunctions functions_{};  ///< of the connection's reader
  bool has_output_ = false;                ///< whether the connection holds bytes that are not sent yet

  std::mutex mutex_;
  std::condition_variable_any changed_;  ///< a connection came up
  calls unsent_, unanswered_;
  bool is_dropped_ = false;
  std::atomic<bool> is_up_{false}, pause_is_short_{false};
  std::atomic<std::uint64_t> outages_{0};
  int wake_;
  std::jthread thread_;
};

}  // namespace service

#endif
