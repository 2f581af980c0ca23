// SPDX-License-Identifier: MIT
/// Where a Redis is, from the text that an operator gives.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_REDIS_ADDRESS_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_REDIS_ADDRESS_HPP

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>

namespace service {

struct redis_address {
  std::string host;
  int port = 6379;
  std::string user = {}, password = {};  ///< empty: not sent
  int database = 0;
};

namespace detail {

/// A number that is the whole text, in a range; otherwise -1.
inline int number_of(std::string_view text, int low, int high) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= low && number <= high ? number : -1;
}

/// Undoes percent-encoding, in which a password may have : / @ and %.
inline std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned int byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2)
      throw std::invalid_argument(
          "--accounts: a % in a user or a password has to be followed by two hexadecimal digits");
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

}  // namespace detail

/// Parses redis://[[user]:password@]host[:port][/database]; an IPv6 address stands in brackets.
/// Throws: std::invalid_argument for any other text. The message shows no part of it, since it may hold a password.
inline redis_address parse_redis_address(std::string_view text) {
  constexpr const char* form = "--accounts is \"memory\" or redis://[[user]:password@]host[:port][/database]";
  if (text.starts_with("rediss://")) {
    throw std::invalid_argument(
        "--accounts: rediss:// is refused, since the service does not speak TLS to Redis; use redis:// to a Redis on "
        "this machine or in a trusted network, or to a local TLS tunnel such as stunnel");
  }
  if (!text.starts_with("redis://")) throw std::invalid_argument(form);
  text.remove_prefix(8);
  redis_address address;
  if (const std::size_t at = text.rfind('@'); at != text.npos) {
    const std::string_view who = text.substr(0, at);
    const std::size_t colon = who.find(':');
    if (colon == who.npos || colon + 1 == who.size())
      throw std::invalid_argument("--accounts: before the @ of a Redis stands user:password, or :password");
    address.user = detail::percent_decoded(who.substr(0, colon));
    address.password = detail::percent_decoded(who.substr(colon + 1));
    text.remove_prefix(at + 1);
  }
  if (const std::size_t slash = text.find('/'); slash != text.npos) {
    if (const std::string_view database = text.substr(slash + 1); !database.empty())
      address.database = detail::number_of(database, 0, 1 << 20);
    text = text.substr(0, slash);
  }
  const bool is_bracketed = text.starts_with('[');
  const std::size_t host_end = is_bracketed ? text.find(']') : text.find(':');
  if (is_bracketed && host_end == text.npos) throw std::invalid_argument(form);
  address.host = is_bracketed ? text.substr(1, host_end - 1) : text.substr(0, host_end);
  std::string_view rest = text.substr(std::min(text.size(), is_bracketed ? host_end + 1 : host_end));
  if (!rest.empty()) address.port = rest.front() == ':' ? detail::number_of(rest.substr(1), 1, 65535) : -1;
  const auto is_control = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
  if (address.host.empty() || address.port < 0 || address.database < 0 ||
      std::find_if(address.host.begin(), address.host.end(), is_control) != address.host.end())
    throw std::invalid_argument(form);
  return address;
}

}  // namespace service

#endif
