// SPDX-License-Identifier: MIT
/// A connection to Redis on which nothing waits past a deadline: commands out, replies in.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_REDIS_CONNECTION_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_REDIS_CONNECTION_HPP

#include <hiredis.h>
#include <poll.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "accounts/redis_address.hpp"

namespace service {

/// A reply to a command: a string or a status; or the first word of an error, such as NOSCRIPT.
struct redis_reply {
  bool is_error = false;
  std::string text;
};

using redis_command = std::vector<std::string>;

/// The bytes of a command, as Redis reads them.
inline std::string bytes_of(const redis_command& command) {
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

/// Not for several threads at once. After a function returned false or nothing, the connection is of no more use: what
/// comes next could be taken for the reply to another command.
/// Redis itself is not trusted: a reply that is no string, status or error, or that is longer than 4 KiB, is refused,
/// and no memory is taken for the length that it says.
class redis_connection {
 public:
  using clock = std::chrono::steady_clock;

  static constexpr std::size_t max_reply_bytes = 4096;

  /// Starts to connect. Finding a host's address by its name may take as long as the system's resolver does.
  /// `wake` is a descriptor that ends the wait in `transfer` when it can be read.
  redis_connection(const redis_address& address, int wake)
      : context_(redisConnectNonBlock(address.host.c_str(), address.port), &redisFree), wake_(wake) {
    if (!is_open()) return;
    functions_ = *context_->reader->fn;
    functions_.createArray = refuse_array;
    context_->reader->fn = &functions_;
    redisEnableKeepAlive(context_.get());
  }
  redis_connection(const redis_connection&) = delete;
  redis_connection& operator=(const redis_connection&) = delete;

  bool is_open() const { return context_ && context_->err == 0; }
  /// Whether a reply has come.
  bool has_answered() const { return has_answered_; }

  /// Leaves a command to `transfer`.
  bool append(const std::string& bytes) {
    has_output_ = true;
    return redisAppendFormattedCommand(context_.get(), bytes.data(), bytes.size()) == REDIS_OK;
  }

  /// Sends what is to be sent and receives what has come, once; waits until the deadline or a wake for something to do.
  bool transfer(clock::time_point deadline) {
    pollfd polled[] = {{context_->fd, static_cast<short>(has_output_ ? POLLIN | POLLOUT : POLLIN), 0},
                       {wake_, POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count();
    if (poll(polled, 2, static_cast<int>(std::max<decltype(left)>(left, 0))) < 0) return errno == EINTR;
    if (polled[1].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto size = read(wake_, &count, sizeof count);
    }
    if ((polled[0].revents & POLLOUT) != 0) {
      int is_sent = 0;
      if (redisBufferWrite(context_.get(), &is_sent) != REDIS_OK) return false;
      has_output_ = is_sent == 0;
    }
    return (polled[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0 || redisBufferRead(context_.get()) == REDIS_OK;
  }

  /// Takes a reply that has come whole, if one has.
  bool take_reply(std::optional<redis_reply>& reply) {
    void* raw = nullptr;
    if (redisGetReplyFromReader(context_.get(), &raw) != REDIS_OK) return false;
    if (!raw) return context_->reader->len - context_->reader->pos <= max_reply_bytes;
    const std::unique_ptr<void, decltype(&freeReplyObject)> owner(raw, &freeReplyObject);
    const auto& whole = *static_cast<const redisReply*>(raw);
    const bool is_error = whole.type == REDIS_REPLY_ERROR;
    if (!is_error && whole.type != REDIS_REPLY_STRING && whole.type != REDIS_REPLY_STATUS) return false;
    std::string text(whole.str, static_cast<std::size_t>(whole.len));
    if (text.size() > max_reply_bytes) return false;
    if (is_error) text = text.substr(0, text.find(' '));
    reply = redis_reply{is_error, std::move(text)};
    has_answered_ = true;
    return true;
  }

  /// One command and its reply, where no other is under way.
  std::optional<redis_reply> run(const redis_command& command, clock::time_point deadline,
                                 const std::stop_token& stop) {
    if (!append(bytes_of(command))) return std::nullopt;
    while (!stop.stop_requested()) {
      std::optional<redis_reply> reply;
      if (!transfer(deadline) || !take_reply(reply)) return std::nullopt;
      if (reply) return reply;
      if (clock::now() >= deadline) return std::nullopt;
    }
    return std::nullopt;
  }

 private:
  /// Its argument is an int in some versions of hiredis, and a size_t in others.
  template <class Count>
  static void* refuse_array(const redisReadTask*, Count) {
    return nullptr;
  }

  redisReplyObjectFunctions functions_{};  ///< of the context's reader
  std::unique_ptr<redisContext, decltype(&redisFree)> context_;
  int wake_;
  bool has_output_ = false;  ///< whether the context holds bytes that are not sent yet
  bool has_answered_ = false;
};

}  // namespace service

#endif
