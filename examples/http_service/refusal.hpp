// SPDX-License-Identifier: MIT
/// Why a request is refused.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_REFUSAL_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_REFUSAL_HPP

namespace service {

/// An HTTP status and what the client reads about it.
/// The words are fixed, so no part of a response to another request can get into them.
struct refusal {
  int status;
  const char* code;
  const char* message;
};

}  // namespace service

#endif
