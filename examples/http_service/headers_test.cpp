// SPDX-License-Identifier: MIT
/// Every header that the HTTP library interprets, as an attacker would send it.
#include "running_service.hpp"

namespace {

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

const std::vector<std::string> ranges = {"bytes=0-3000",
                                         "bytes=0-0",
                                         "bytes=5-",
                                         "bytes=-5",
                                         "bytes=9999-",
                                         "bytes=-99999999",
                                         "bytes=0-1,5-9",
                                         "bytes=-",
                                         "bytes=9-1",
                                         "bytes=a-b",
                                         "lines=0-1",
                                         "bytes=0--1",
                                         "bytes=0-99999999999999999999999999",
                                         "%62ytes=0-3000"};

TEST(Range, OnRefusalSendsTheRefusalAlone) {
  const running_service service;
  const std::string text = service.request("GET /v1/classify").body;
  EXPECT_EQ(text.size(), 62u);
  for (const auto& range : ranges) {
    const auto response = service.request("GET /v1/classify", "Range: " + range + "\r\n");
    EXPECT_EQ(response.status, 405) << range;
    EXPECT_EQ(response.body, text) << range;
    EXPECT_TRUE(response.has("Accept-Ranges: none")) << response.head;
    EXPECT_TRUE(response.has("Connection: close")) << response.head;
    EXPECT_EQ(service.request("POST /nothing", "Range: " + range + "\r\n").code(), "not_found") << range;
    EXPECT_EQ(service.request("POST /v1/classify", "Range: " + range + "\r\n").code(), "length") << range;
    EXPECT_EQ(service.request("GET /nothing", "Range: " + range + "\r\n").code(), "not_found") << range;
  }
}

TEST(Range, OnSlowBodySendsTheRefusalAlone) {
  const running_service service({.timeout_seconds = 1});
  const auto all = responses_of(
      service.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nRange: bytes=0-3000\r\nContent-Length: 784\r\n\r\nshort"));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].status, 408);
  EXPECT_EQ(all[0].code(), "slow");
  EXPECT_LT(all[0].body.size(), 100u);
}

TEST(Range, OnAnswerSendsItInFull) {
  const running_service service;
  const std::string answer = service.classify("").body;
  for (const auto& range : ranges) {
    const auto response = service.classify("Range: " + range + "\r\n");
    EXPECT_EQ(response.status, 200) << range;
    EXPECT_EQ(response.body, answer) << range;
    EXPECT_TRUE(response.has("Accept-Ranges: none")) << response.head;
    EXPECT_EQ(response.head.find("Content-Range"), std::string::npos) << response.head;
  }
}

TEST(Range, OnPagesAndMetricsSendsThemOnce) {
  const running_service service;
  for (const char* path : {"/", "/page.js", "/page.css", "/healthz", "/metrics"}) {
    const std::string line = std::string("GET ") + path;
    const std::size_t size = service.request(line).body.size();
    for (const auto& range :
         {std::string("bytes=0-3000"), std::string("bytes=x"), "bytes=0-" + repeated(",0-", 1499)}) {
      const auto response = service.request(line, "Range: " + range + "\r\n");
      EXPECT_EQ(response.status, 200) << path;
      EXPECT_EQ(response.body.size(), size) << path;
    }
    const auto head = service.request(std::string("HEAD ") + path, "Range: bytes=0-1\r\n");
    EXPECT_EQ(head.status, 200) << path;
    EXPECT_TRUE(head.has("Content-Length: " + std::to_string(size)) && head.has("Accept-Ranges: none")) << head.head;
  }
}

TEST(ContentEncoding, OfAnyKindIsRefused) {
  const running_service service;
  for (const char* encoding : {"gzip", "br", "deflate", "identity", "%67zip"}) {
    const auto response = service.classify(std::string("Content-Encoding: ") + encoding + "\r\n");
    EXPECT_EQ(response.status, 415) << encoding;
    EXPECT_EQ(response.code(), "encoding") << encoding;
  }
}

TEST(AcceptEncoding, IsIgnored) {
  const running_service service;
  for (const char* path : {"/", "/page.js", "/metrics"}) {
    const auto response = service.request(std::string("GET ") + path, "Accept-Encoding: gzip, br, deflate\r\n");
    EXPECT_EQ(response.head.find("Content-Encoding"), std::string::npos) << response.head;
  }
  EXPECT_EQ(service.classify("Accept-Encoding: gzip, br\r\n").body, service.classify("").body);
}

TEST(TransferEncoding, OfAnyKindIsRefused) {
  const running_service service;
  for (const char* coding : {"chunked", "gzip, chunked", "identity", "%63hunked", "x"}) {
    const std::string fields = std::string("Transfer-Encoding: ") + coding + "\r\n";
    EXPECT_EQ(service.request("POST /v1/classify", fields, "1\r\nx\r\n0\r\n\r\n").code(), "length") << coding;
    EXPECT_EQ(service.request("GET /healthz", fields, "0\r\n\r\n").code(), "body") << coding;
    EXPECT_EQ(service.classify(fields).status, 411) << coding;
  }
}

TEST(ContentLength, ThatIsNotOneNumberIsRefused) {
  const running_service service;
  for (const char* length : {"5x", "+784", "-1", "0x310", "784, 784", "78 4", "%37%38%34", "1e3", ""}) {
    const auto response =
        service.request("POST /v1/classify", std::string("Content-Length: ") + length + "\r\n", pixels);
    EXPECT_EQ(response.status, 400) << length;
    EXPECT_EQ(response.code(), "length") << length;
  }
  EXPECT_EQ(service.classify("Content-Length: 784\r\n").code(), "length");
}

TEST(Expect, ForBodyThatIsReadGetsContinue) {
  const running_service service;
  const auto all =
      responses_of(service.raw("POST /v1/classify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-Continue\r\n"
                               "Content-Length: 784\r\n\r\n" +
                               pixels));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].status, 100);
  EXPECT_EQ(all[1].status, 200);
}

TEST(Expect, ForBodyThatIsRefusedGetsTheRefusalAtOnce) {
  const running_service service;
  const std::string expect = "Expect: 100-continue\r\n";
  EXPECT_EQ(service.request("POST /v1/classify", expect + "Content-Length: 1048577\r\n").code(), "too_large");
  EXPECT_EQ(service.request("POST /v1/classify", expect).code(), "length");
  EXPECT_EQ(service.request("POST /nothing", expect + "Content-Length: 5\r\n").code(), "not_found");
  EXPECT_EQ(service.request("PUT /v1/classify", expect + "Content-Length: 5\r\n").code(), "method");
  EXPECT_EQ(service.classify(expect + "Content-Encoding: gzip\r\n").code(), "encoding");
  const auto unknown = service.classify("Expect: a-miracle\r\n");
  EXPECT_EQ(unknown.status, 417);
  EXPECT_EQ(unknown.code(), "expectation");
}

TEST(ContentType, DoesNotMatterUnlessItIsMultipart) {
  const running_service service;
  const std::string answer = service.classify("").body;
  for (const char* type : {"image/png", "application/x-www-form-urlencoded", "text/html", "x"})
    EXPECT_EQ(service.classify(std::string("Content-Type: ") + type + "\r\n").body, answer) << type;
  for (const char* type : {"multipart/form-data; boundary=x", "multipart/form-data", "Multipart/Mixed; boundary="}) {
    const auto response = service.classify(std::string("Content-Type: ") + type + "\r\n");
    EXPECT_EQ(response.status, 415) << type;
    EXPECT_EQ(response.code(), "form") << type;
  }
}

TEST(Connection, CloseEndsItAndAnythingElseKeepsIt) {
  const running_service service;
  const std::string get = "GET /healthz HTTP/1.1\r\nHost: x\r\n", last = get + "Connection: close\r\n\r\n";
  for (const char* value : {"close", "Close", "keep-alive, CLOSE", "TE,close"})
    EXPECT_EQ(responses_of(service.raw(get + "Connection: " + value + "\r\n\r\n" + last)).size(), 1u) << value;
  for (const char* value : {"keep-alive", "Upgrade, HTTP2-Settings", "closed"})
    EXPECT_EQ(responses_of(service.raw(get + "Connection: " + value + "\r\n\r\n" + last)).size(), 2u) << value;
  const auto both = responses_of(service.raw(last + last));
  ASSERT_EQ(both.size(), 1u);
  EXPECT_TRUE(both[0].has("Connection: close")) << both[0].head;
  EXPECT_EQ(both[0].head.find("Keep-Alive"), std::string::npos) << both[0].head;
  EXPECT_EQ(responses_of(service.raw("GET /healthz HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n" + last)).size(), 1u);
}

TEST(Host, IsRequiredOnceAndOtherwiseIgnored) {
  const running_service service;
  const auto status = [&](const std::string& head) { return responses_of(service.raw(head + "\r\n"))[0].status; };
  EXPECT_EQ(status("GET /healthz HTTP/1.1\r\nConnection: close\r\n"), 400);
  EXPECT_EQ(status("GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: a\r\nHost: b\r\n"), 400);
  EXPECT_EQ(status("GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: evil.example\r\n"), 200);
  EXPECT_EQ(status("GET /healthz HTTP/1.0\r\n"), 200);
}

TEST(OtherFields, HaveNoEffect) {
  const running_service service;
  const auto plain = service.classify("");
  for (const char* field : {"X-Forwarded-For: 127.0.0.1",
                            "X-Forwarded-Host: x",
                            "Forwarded: for=127.0.0.1",
                            "X-Real-IP: ::1",
                            "REMOTE_ADDR: 127.0.0.1",
                            "REMOTE_PORT: 1",
                            "LOCAL_ADDR: 127.0.0.1",
                            "LOCAL_PORT: 80",
                            "Keep-Alive: timeout=999",
                            "If-Range: x",
                            "Accept: x/y",
                            "If-None-Match: *",
                            "X-HTTP-Method-Override: GET",
                            "X-Original-URL: /metrics",
                            "Upgrade: h2c",
                            "Trailer: Content-Length",
                            "TE: trailers",
                            "Cookie: a=b",
                            "Authorization: Basic eDp4",
                            "Origin: http://x",
                            "EXCEPTION_WHAT: %0d%0aX: y"}) {
    const auto response = service.classify(std::string(field) + "\r\n");
    EXPECT_EQ(response.head, plain.head) << field;
    EXPECT_EQ(response.body, plain.body) << field;
  }
}

}  // namespace
