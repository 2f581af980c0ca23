// SPDX-License-Identifier: MIT
/// Which account sends a request.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_IDENTITY_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_IDENTITY_HPP

#include <chaff/noise/siphash.hpp>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "accounts/store.hpp"
#include "head.hpp"

namespace service {

inline constexpr std::size_t max_account_name_bytes = 256;

/// The name's SipHash-2-4: without the key, nobody can tell the name, nor find two names of one hash.
inline account_id account_id_of(std::string_view name, const chaff::key& key) {
  return chaff::detail::siphash(key, {reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
}

namespace detail {

inline std::string whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) throw std::invalid_argument(path + " cannot be read");
  return bytes;
}

}  // namespace detail

/// Reads a key from a file of 32 hexadecimal digits.
inline chaff::key read_account_key(const std::string& path) {
  const std::string text = detail::whole_file(path);
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  try {
    return chaff::key(std::string_view(text).substr(0, end == text.npos ? 0 : end + 1));
  } catch (const std::invalid_argument&) {
    // the library's sentence, but for the file's name
    throw std::invalid_argument(path + " does not hold 32 hexadecimal digits, as `openssl rand -hex 16` prints them");
  }
}

/// API keys and whose they are. An account may have several, so that a key can be exchanged.
class api_keys {
 public:
  /// Parses lines of an account's name and a key, separated by blanks; lines that are blank or start with # are
  /// ignored. Throws: std::invalid_argument, which names the line, and shows no key.
  explicit api_keys(std::string_view text, const std::string& path = "the file of API keys") {
    for (int line = 1; !text.empty(); ++line) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view entry = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (entry.ends_with('\r')) entry.remove_suffix(1);
      entry = detail::trim(entry);
      if (entry.empty() || entry.starts_with('#')) continue;
      const auto fail = [&](const char* why) {
        throw std::invalid_argument(path + ", line " + std::to_string(line) + ": " + why);
      };
      const std::size_t blank = entry.find_first_of(" \t");
      if (blank == entry.npos) fail("an account's name and its key are wanted, separated by a blank");
      const std::string_view name = entry.substr(0, blank), key = detail::trim(entry.substr(blank));
      if (name.size() > max_account_name_bytes) fail("the name is longer than 256 bytes");
      if (key.size() < min_key_bytes || key.size() > max_key_bytes || !is_key(key))
        fail("a key has 16 to 256 letters, digits and - . _ ~ + / =");
      if (!accounts_.emplace(hash_of(key), entry_of{std::string(key), std::string(name)}).second)
        fail("the key is there already");
    }
    if (accounts_.empty()) throw std::invalid_argument(path + " has no keys");
  }

  /// Whose key this is; null if nobody's. The time that it takes does not depend on how much of a key is right: keys
  /// are found by a hash that clients cannot compute.
  const std::string* account_of(std::string_view key) const {
    const auto found = accounts_.find(hash_of(key));
    if (found == accounts_.end() || found->second.key.size() != key.size()) return nullptr;
    unsigned char difference = 0;
    for (std::size_t i = 0; i < key.size(); ++i)
      difference = static_cast<unsigned char>(difference | (key[i] ^ found->second.key[i]));
    return difference == 0 ? &found->second.account : nullptr;
  }

 private:
  static constexpr std::size_t min_key_bytes = 16, max_key_bytes = 256;

  struct entry_of {
    std::string key, account;
  };

  /// Source: token68 of RFC 9110, section 11.2.
  static bool is_key(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             std::string_view("-._~+/=").find(c) != std::string_view::npos;
    });
  }

  account_id hash_of(std::string_view key) const { return account_id_of(key, secret_); }

  chaff::key secret_{std::random_device{}};
  std::unordered_map<account_id, entry_of> accounts_;
};

/// Names the account of a request: by a header that a trusted proxy sets, or by an API key in
/// `Authorization: Bearer KEY`.
class account_identity {
 public:
  /// By a header.
  /// Throws: std::invalid_argument if the name is none of a header, or that of one which the service reads itself.
  account_identity(std::string_view header, const chaff::key& key) : field_(detail::lower(header)), key_(key) {
    constexpr std::string_view own[] = {"host",       "content-length", "transfer-encoding", "content-encoding",
                                        "connection", "expect",         "content-type"};
    if (!detail::is_token(field_)) throw std::invalid_argument("--account-header is not the name of a header");
    if (std::ranges::count(own, field_) > 0)
      throw std::invalid_argument("--account-header: the service reads " + field_ + " itself");
  }
  /// By API keys.
  account_identity(api_keys keys, const chaff::key& key) : field_("authorization"), keys_(std::move(keys)), key_(key) {}

  /// The header that the account is read from, in lower case.
  std::string_view field() const { return field_; }

  std::variant<account_id, refusal> account_of(const request_head& head) const {
    constexpr refusal twice{400, "account", "the header that names the account is there twice"};
    if (head.account_fields > 1) return twice;
    if (keys_) return account_of_key(head.account_field);
    if (head.account_field.empty()) return refusal{400, "account", "the request names no account"};
    if (head.account_field.size() > max_account_name_bytes)
      return refusal{400, "account", "the account's name is longer than 256 bytes"};
    return account_id_of(head.account_field, key_);
  }

 private:
  std::variant<account_id, refusal> account_of_key(std::string_view field) const {
    constexpr refusal no_key{401, "api_key", "send a valid API key: Authorization: Bearer KEY"};
    constexpr std::string_view scheme = "bearer ";
    if (detail::lower(field.substr(0, scheme.size())) != scheme) return no_key;
    const std::string* const account = keys_->account_of(detail::trim(field.substr(scheme.size())));
    if (!account) return no_key;
    return account_id_of(*account, key_);
  }

  std::string field_;
  std::optional<api_keys> keys_;
  chaff::key key_;
};

}  // namespace service

#endif
