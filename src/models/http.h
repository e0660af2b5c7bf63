// SPDX-License-Identifier: Apache-2.0
// GET over HTTP(S), by libcurl: redirects, ranges, proxies from the environment. One object serves
// one thread. Knows no hub.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace phial {

struct HttpRequest {
  std::string url;
  std::string token;  // sent to this host only, not to where it redirects
  std::optional<std::pair<uint64_t, uint64_t>> range;  // first and last byte
  // The body as it comes, of replies with status 200 and 206 only; false: enough.
  std::function<bool(int status, std::span<const std::byte>)> body;
  std::function<bool()> interrupt;  // true: give up
};

struct HttpReply {
  int status = 0;                              // 0: none came, `problem` says why
  std::map<std::string, std::string> headers;  // of the last reply; names in lower case
  std::string problem;                         // "connection refused"; empty: the body came whole
  bool interrupted = false;
  bool stopped = false;  // body said enough

  bool complete() const { return problem.empty() && !interrupted && !stopped; }
  std::string header(const std::string& name) const;
};

class Http {
 public:
  Http();
  ~Http();
  Http(Http&&) noexcept;

  // Doesn't throw for what the network does.
  HttpReply get(const HttpRequest& request);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace phial
