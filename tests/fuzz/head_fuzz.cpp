// SPDX-License-Identifier: MIT
/// The service's parser of a request's head. Guards: no part of an accepted head can end a line or a word of the head
/// that is written for the HTTP library, and a refusal has a status of 4xx or 505.
#include "http_service/head.hpp"

#include "bytes.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // a head ends with its first empty line
  std::string text(reinterpret_cast<const char*>(data), size);
  text = text.substr(0, text.find("\r\n\r\n")) + "\r\n\r\n";
  const auto parsed = service::parse_head(text, "x-account");
  if (const auto* why = std::get_if<service::refusal>(&parsed)) {
    demand((why->status >= 400 && why->status < 500) || why->status == 505, "a refusal");
    return 0;
  }
  const auto& head = std::get<service::request_head>(parsed);
  demand(service::detail::is_token(head.method), "a method");
  demand(head.path.starts_with('/'), "a path in origin form");
  demand(head.query.empty() || head.query.rfind('?') == 0, "one question mark");
  for (const char c : head.path + head.query) demand(c > ' ' && c < '\x7f' && c != '#', "no end of a word");
  demand(head.path.find('?') == std::string::npos, "a query apart from the path");
  demand(head.account_fields > 0 || head.account_field.empty(), "an account that was sent");
  for (const char c : head.account_field) {
    const auto byte = static_cast<unsigned char>(c);
    demand((byte >= ' ' || byte == '\t') && byte != 0x7f, "an account on one line");
  }
  demand(!head.account, "no account before the request is admitted");
  demand(head.has_content_length || head.content_length == 0, "a length that was sent");
  return 0;
}
