// SPDX-License-Identifier: MIT
/// A client's connection, as the stream that the HTTP library reads requests from.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_CONNECTION_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_CONNECTION_HPP

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

// after Eigen, if both are included: it includes <resolv.h>, whose macro _res breaks Eigen's headers
#include <httplib.h>

#include "head.hpp"

namespace service {

/// In the head that is written for the library: the hash of the account's name.
inline constexpr const char* account_header = "Account";

/// Owns a client's socket. The library never reads a client's head: it reads one that is written here and has only the
/// fields that the service uses, and then the body, but no byte of the next request.
class connection : public httplib::Stream {
 public:
  /// `account_field` is that of parse_head.
  connection(socket_t socket, std::chrono::seconds timeout, std::string_view account_field = {})
      : socket_(socket), timeout_(timeout), account_field_(account_field) {}
  ~connection() override { close(socket_); }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Waits for the next request and parses its head; empty if none arrived within the timeout.
  std::optional<parsed_head> read_head() {
    if (buffer_.empty()) {
      start_clock();
      if (!receive()) return std::nullopt;
    }
    start_clock();
    for (;;) {
      // a client that ends lines by a line feed alone would otherwise wait for the timeout
      if (buffer_.find("\n\n") < buffer_.find("\r\n\r\n")) return detail::bad_head;
      const std::size_t end = buffer_.find("\r\n\r\n");
      if (std::min(end, buffer_.size()) > max_head_bytes) {
        if (buffer_.find("\r\n") > max_line_bytes)
          return refusal{414, "long_target", "the request's target is too long"};
        return refusal{431, "long_head", "the request's head is larger than 16 KiB"};
      }
      if (end != buffer_.npos) {
        parsed_head head = parse_head(std::string_view(buffer_).substr(0, end + 4), account_field_);
        buffer_.erase(0, end + 4);
        return head;
      }
      if (!receive()) return refusal{408, "slow", "the request did not come whole and in time"};
    }
  }

  /// Lets the library read this request, whose body has to come within the timeout.
  void offer(const request_head& head) {
    head_ = head.method + ' ' + head.path + head.query + " HTTP/1.1\r\n";
    if (head.method == "POST") head_ += "Content-Length: " + std::to_string(head.content_length) + "\r\n";
    if (head.expects_continue) head_ += "Expect: 100-continue\r\n";
    if (head.ends_connection) head_ += "Connection: close\r\n";
    if (head.account) head_ += std::string(account_header) + ": " + std::to_string(*head.account) + "\r\n";
    head_ += "\r\n";
    head_offset_ = 0;
    body_left_ = head.content_length;
    start_clock();
  }

  /// Whether the library left a part of the request unread; it would be taken for the next request.
  bool has_unread() const { return head_offset_ < head_.size() || body_left_ > 0; }

  /// Ends the connection so that the client can read the last response: closing a socket with unread bytes would reset
  /// the connection. Discards what comes until the client ends too, up to 8 MiB and within the timeout.
  void finish() {
    shutdown(socket_, SHUT_WR);
    start_clock();
    for (std::size_t discarded = 0; discarded < (8 << 20); discarded += buffer_.size()) {
      buffer_.clear();
      if (!receive()) return;
    }
  }

  ssize_t read(char* bytes, size_t size) override {
    if (head_offset_ < head_.size()) {
      const std::size_t count = head_.copy(bytes, size, head_offset_);
      head_offset_ += count;
      return static_cast<ssize_t>(count);
    }
    if (body_left_ == 0) return 0;
    if (buffer_.empty() && !receive()) return -1;
    const std::size_t count = buffer_.copy(bytes, std::min<std::uint64_t>(size, body_left_));
    buffer_.erase(0, count);
    body_left_ -= count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* bytes, size_t size) override {
    start_clock();
    for (size_t sent = 0; sent < size;) {
      const ssize_t count = wait(POLLOUT) ? send(socket_, bytes + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;
      if (count < 0) return -1;
      sent += static_cast<size_t>(count);
    }
    return static_cast<ssize_t>(size);
  }
  using httplib::Stream::write;

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  // no response depends on an address
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

 private:
  using clock = std::chrono::steady_clock;

  void start_clock() { deadline_ = clock::now() + timeout_; }

  bool wait(short event) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - clock::now()).count();
    pollfd polled{socket_, event, 0};
    return left > 0 && poll(&polled, 1, static_cast<int>(left)) > 0;
  }

  /// Appends what comes next to the buffer; false at the client's end, at an error, and past the deadline.
  bool receive() {
    if (!wait(POLLIN)) return false;
    char bytes[16 << 10];
    const ssize_t count = recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0) buffer_.append(bytes, static_cast<std::size_t>(count));
    return count > 0;
  }

  socket_t socket_;
  std::chrono::seconds timeout_;
  std::string_view account_field_;
  clock::time_point deadline_;
  std::string buffer_;  ///< received from the client, not yet read
  std::string head_;    ///< written for the library
  std::size_t head_offset_ = 0;
  std::uint64_t body_left_ = 0;
};

}  // namespace service

#endif
