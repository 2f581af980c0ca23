// SPDX-License-Identifier: MIT
/// Where one request ends and the next one starts, and which targets are served.
#include "running_service.hpp"

namespace {

const std::string get = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string last = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const std::string post = "POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 784\r\n\r\n" + pixels;

TEST(Pipelining, OfRequestsInOnePacketAnswersEachInOrder) {
  const running_service service;
  const auto all =
      responses_of(service.raw(get + post + get + "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" + post + last));
  ASSERT_EQ(all.size(), 6u);
  const int statuses[] = {200, 200, 200, 404, 200, 200};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(all[i].status, statuses[i]) << i;
  EXPECT_EQ(all[1].body, all[4].body);
  EXPECT_NE(all[1].body.find("\"label\":\"shirt\""), std::string::npos);
  EXPECT_EQ(all[5].body, "{\"status\":\"ok\"}\n");
}

TEST(Pipelining, OfHundredRequestsAnswersEach) {
  const running_service service;
  std::string requests;
  for (int i = 0; i < 99; ++i) requests += i % 2 ? get : post;
  const auto all = responses_of(service.raw(requests + last));
  EXPECT_EQ(all.size(), 100u);
  for (const auto& response : all) EXPECT_EQ(response.status, 200);
}

TEST(Pipelining, AfterBodyThatIsNoImageGoesOn) {
  const running_service service;
  const auto all =
      responses_of(service.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nbad" + last));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].status, 415);
  EXPECT_EQ(all[1].status, 200);
}

TEST(Target, InAbsoluteFormIsServed) {
  const running_service service;
  for (const char* target : {"http://x/healthz", "http://x:8080/healthz", "HTTP://X/healthz", "https://[::1]/healthz"})
    EXPECT_EQ(service.request(std::string("GET ") + target).body, "{\"status\":\"ok\"}\n") << target;
  const std::string page = service.request("GET /").body;
  for (const char* target : {"http://x", "http://x/", "http://x?a=b", "/?a=b"})
    EXPECT_EQ(service.request(std::string("GET ") + target).body, page) << target;
  EXPECT_EQ(service.request("POST http://x/v1/classify", "Content-Length: 784\r\n", pixels).status, 200);
  EXPECT_EQ(service.request("GET http://x/v1/classify").status, 405);
}

TEST(Target, InAnyOtherFormIsRefused) {
  const running_service service;
  for (const char* target : {"healthz", "http://", "http:///healthz", "ftp://x/healthz", "//x\t/healthz", "/a?b?c",
                             "/healthz#top", "x:80", "*", "http:/healthz"}) {
    const auto response = service.request(std::string("GET ") + target);
    EXPECT_EQ(response.status, 400) << target;
    EXPECT_EQ(response.code(), "bad_request") << target;
  }
  EXPECT_EQ(service.request("GET //healthz").status, 404);
}

TEST(Method, OtherThanPostIsRefusedAtTheClassifier) {
  const running_service service;
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "post"}) {
    const auto response = service.request(std::string(method) + " /v1/classify");
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_TRUE(response.has("Allow: POST")) << response.head;
  }
  EXPECT_EQ(service.request("HEAD /healthz").status, 200);
}

/// Expects one refusal in raw bytes: what is left of a body must not be taken for a request.
void expect_one_refusal(const std::string& bytes, int status) {
  const auto all = responses_of(bytes);
  ASSERT_EQ(all.size(), 1u) << bytes;
  EXPECT_EQ(all[0].status, status) << bytes;
  EXPECT_NE(all[0].code(), "") << bytes;
}

TEST(Refusal, LeavesNoBodyToBeTakenForRequest) {
  const running_service service;
  const std::string smuggled = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string length = "Content-Length: " + std::to_string(smuggled.size()) + "\r\n\r\n" + smuggled;
  const std::string classify = "POST /v1/classify HTTP/1.1\r\nHost: x\r\n";
  expect_one_refusal(service.raw("POST /nothing HTTP/1.1\r\nHost: x\r\n" + length), 404);
  expect_one_refusal(service.raw("GET /healthz HTTP/1.1\r\nHost: x\r\n" + length), 400);
  expect_one_refusal(service.raw("GET /v1/classify HTTP/1.1\r\nHost: x\r\n" + length), 405);
  expect_one_refusal(service.raw(classify + "Content-Encoding: br\r\n" + length), 415);
  expect_one_refusal(service.raw(classify + "Transfer-Encoding: chunked\r\n" + length), 411);
  expect_one_refusal(service.raw(classify + "\r\n" + smuggled), 411);
  expect_one_refusal(service.raw(classify + "Content-Length: 5x\r\n\r\n" + smuggled), 400);
  expect_one_refusal(service.raw(classify + "Content-Length: 3\r\nContent-Length: 30\r\n\r\n" + smuggled), 400);
  expect_one_refusal(service.raw(classify + "Content-Length: 99999999999\r\n\r\n" + smuggled), 413);
  expect_one_refusal(service.raw(classify + "Content-Length: 99999999999999999999999\r\n\r\n" + smuggled), 400);
}

TEST(Refusal, OfSlowBodyLeavesItsRestUnread) {
  const running_service service({.timeout_seconds = 1});
  expect_one_refusal(
      service.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 784\r\n\r\nshort", get + last), 408);
}

TEST(Refusal, SaysOnceThatItEndsTheConnection) {
  const running_service service({.timeout_seconds = 1});
  for (const char* fields : {"", "Connection: close\r\n"}) {
    const auto all = responses_of(service.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\n" + std::string(fields) +
                                              "Content-Length: 784\r\n\r\nshort"));
    ASSERT_EQ(all.size(), 1u);
    const std::size_t first = all[0].head.find("Connection: close\r\n");
    EXPECT_NE(first, std::string::npos) << all[0].head;
    EXPECT_EQ(all[0].head.find("Connection", first + 1), std::string::npos) << all[0].head;
    EXPECT_EQ(all[0].head.find("Keep-Alive"), std::string::npos) << all[0].head;
  }
}

TEST(Head, ThatParsersReadInDifferentWaysIsRefused) {
  const running_service service;
  const std::string line = "GET /healthz HTTP/1.1\r\n";
  for (const std::string& fields :
       {std::string("Host: x\r\nContent-Length : 5\r\n"), std::string("Host: x\r\n Content-Length: 5\r\n"),
        std::string("Host: x\r\nA: b\nContent-Length: 5\r\n"), std::string("Host: x\r\nA: b\rC: d\r\n"),
        std::string("Host: x\r\nA: b\0c\r\n", 17), std::string("Host: x\r\nno colon\r\n"),
        std::string("Host: x\r\n: empty name\r\n"), std::string("Host: x\r\nContent-L\xC3\xA4ngth: 5\r\n")})
    expect_one_refusal(service.raw(line + fields + "\r\n"), 400);
  for (const char* first :
       {"GET /healthz", "GET  /healthz HTTP/1.1", "GET /healthz HTTP/1.1 ", "GET\t/healthz HTTP/1.1", "",
        " GET /healthz HTTP/1.1", "G@T /healthz HTTP/1.1", "GET /healthz HTTQ/1.1"})
    expect_one_refusal(service.raw(first + std::string("\r\nHost: x\r\n\r\n")), 400);
  for (const char* version : {"HTTP/2.0", "HTTP/0.9", "HTTP/1.10", "HTTP/"})
    expect_one_refusal(service.raw(std::string("GET /healthz ") + version + "\r\nHost: x\r\n\r\n"), 505);
  expect_one_refusal(service.raw("GET /healthz HTTP/1.1\nHost: x\n\n"), 400);
}

TEST(Head, ThatIsTooLongOrTooSlowIsRefused) {
  const running_service service({.timeout_seconds = 1});
  const std::string line = "GET /healthz HTTP/1.1\r\nHost: x\r\n";
  std::string fields;
  for (int i = 0; i < 2000; ++i) fields += "A: b\r\n";
  expect_one_refusal(service.raw(line + std::string(20000, 'a') + ": b\r\n\r\n"), 431);
  expect_one_refusal(service.raw(line + fields + fields), 431);
  EXPECT_EQ(responses_of(service.raw(line + fields + "\r\n"))[0].status, 200);
  expect_one_refusal(service.raw("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"), 414);
  expect_one_refusal(service.raw(std::string(20000, 'a')), 414);
  // the longest first line that the library takes, and one byte more
  const auto with_line = [](std::size_t size) {
    return "GET /" + std::string(size - 16, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n";
  };
  EXPECT_EQ(responses_of(service.raw(with_line(service::max_line_bytes)))[0].code(), "not_found");
  EXPECT_EQ(responses_of(service.raw(with_line(service::max_line_bytes + 1)))[0].code(), "long_target");
  expect_one_refusal(service.raw(line), 408);
  EXPECT_EQ(service.raw(""), "");
}

TEST(Head, ThatComesInDropsHasOneTimeout) {
  const running_service service({.timeout_seconds = 2});
  const auto start = std::chrono::steady_clock::now();
  expect_one_refusal(service.raw("GET /healthz HTTP/1.1\r\n", "Host: x\r\n"), 408);
  expect_one_refusal(service.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 784\r\n\r\na", "b"), 408);
  // with a timeout that starts again at each byte it would be 7 seconds
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(5500));
}

}  // namespace
