// SPDX-License-Identifier: MIT
/// Parses the head of a request: its first line and its header fields.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_HEAD_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_HEAD_HPP

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "refusal.hpp"

namespace service {

inline constexpr std::size_t max_line_bytes =
    8 << 10;  ///< of the first line, with its end; also the limit of the HTTP library
inline constexpr std::size_t max_head_bytes = 16 << 10;  ///< of the first line and all header fields

/// What the service uses of a head. Every other header field is dropped, so it has no effect.
struct request_head {
  std::string method;
  std::string path;   ///< in origin form, still percent-encoded
  std::string query;  ///< with its question mark, or empty
  std::uint64_t content_length = 0;
  bool has_content_length = false;
  bool has_transfer_encoding = false;
  bool has_content_encoding = false;
  bool is_form = false;
  bool expects_continue = false;
  bool ends_connection = false;  ///< whether the client wants no further request on this connection
  std::string account_field;     ///< of the header that names the account, if one does
  int account_fields = 0;
  std::optional<std::uint64_t> account;  ///< found in that header when the request is admitted
};

using parsed_head = std::variant<request_head, refusal>;

namespace detail {

inline constexpr refusal bad_head{400, "bad_request", "the request cannot be read"};

inline std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

inline std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

/// Source: RFC 9110, section 5.6.2.
inline bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

inline bool has_list_member(std::string_view list, std::string_view member) {
  for (;;) {
    const std::size_t comma = list.find(',');
    if (trim(list.substr(0, comma)) == member) return true;
    if (comma == list.npos) return false;
    list.remove_prefix(comma + 1);
  }
}

/// Splits a target in origin form or in absolute form (http://host/path) into path and query.
/// Returns false for any other target, and for one with a fragment or two question marks.
inline bool split_target(std::string_view target, request_head& head) {
  if (!std::ranges::all_of(target, [](char c) { return c > ' ' && c < '\x7f' && c != '#'; })) return false;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (lower(target.substr(0, scheme.size())) != scheme) continue;
    target.remove_prefix(scheme.size());
    const std::size_t host_size = std::min(target.find_first_of("/?"), target.size());
    if (host_size == 0) return false;
    target.remove_prefix(host_size);
    if (target.empty() || target.front() == '?') head.path = "/";
    break;
  }
  const std::size_t mark = std::min(target.find('?'), target.size());
  head.path += target.substr(0, mark);
  head.query = target.substr(mark);
  return head.path.starts_with('/') && head.query.find('?', 1) == head.query.npos;
}

/// Takes one header field into the head; returns false if the field makes the whole head unreadable.
inline bool take_field(std::string_view line, std::string_view account_field, request_head& head, int& hosts,
                       refusal& why) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon))) return false;
  const std::string name = lower(line.substr(0, colon));
  const std::string_view value = trim(line.substr(colon + 1));
  const auto is_control = [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7f; };
  if (std::ranges::any_of(value, is_control)) return false;
  if (!account_field.empty() && name == account_field) {
    ++head.account_fields;
    head.account_field = value;
  } else if (name == "host") {
    ++hosts;
  } else if (name == "content-length") {
    // a second length, or one that is no number, would leave open where the next request starts
    const bool is_number = !value.empty() && value.size() < 18 && value.find_first_not_of("0123456789") == value.npos;
    if (head.has_content_length || !is_number) {
      why = {400, "length", "Content-Length is not one number"};
      return false;
    }
    head.has_content_length = true;
    head.content_length = std::stoull(std::string(value));
  } else if (name == "transfer-encoding") {
    head.has_transfer_encoding = true;
  } else if (name == "content-encoding") {
    head.has_content_encoding = true;
  } else if (name == "content-type") {
    head.is_form = lower(value).starts_with("multipart/");
  } else if (name == "connection") {
    head.ends_connection |= has_list_member(lower(value), "close");
  } else if (name == "expect") {
    if (lower(value) != "100-continue") {
      why = {417, "expectation", "the only expectation that can be met is 100-continue"};
      return false;
    }
    head.expects_continue = true;
  }
  return true;
}

}  // namespace detail

/// Parses a head, from its first byte to its empty line.
/// Refuses what parsers are known to read in different ways: line ends without a carriage return, folded lines, control
/// characters, spaces before a colon, and more than one Content-Length or Host.
/// `account_field` is the name of the header that names the account, in lower case; empty if none does.
/// Source: RFC 9112, sections 2 to 6.
inline parsed_head parse_head(std::string_view text, std::string_view account_field = {}) {
  request_head head;
  const std::string_view line = text.substr(0, text.find("\r\n"));
  if (line.size() + 2 > max_line_bytes) return refusal{414, "long_target", "the request's target is too long"};
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == line.npos || first == last) return detail::bad_head;
  head.method = line.substr(0, first);
  const std::string_view version = line.substr(last + 1);
  if (!detail::is_token(head.method) || !version.starts_with("HTTP/")) return detail::bad_head;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return refusal{505, "version", "send HTTP/1.1 or HTTP/1.0"};
  if (!detail::split_target(line.substr(first + 1, last - first - 1), head)) return detail::bad_head;

  int hosts = 0;
  text.remove_prefix(line.size() + 2);
  while (text != "\r\n") {
    const std::size_t end = text.find("\r\n");
    refusal why = detail::bad_head;
    if (end == text.npos || !detail::take_field(text.substr(0, end), account_field, head, hosts, why)) return why;
    text.remove_prefix(end + 2);
  }
  const bool is_1_0 = version == "HTTP/1.0";
  if (hosts > 1 || (hosts == 0 && !is_1_0)) return refusal{400, "host", "send one Host header"};
  // a client of HTTP/1.0 knows neither interim responses nor, by default, connections that last
  if (is_1_0) head.expects_continue = false;
  head.ends_connection |= is_1_0;
  return head;
}

}  // namespace service

#endif
