// SPDX-License-Identifier: Apache-2.0
#include "models/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <mutex>

#include "base/error.h"

namespace phial {
namespace {

// A line that carries nothing for so long is taken for dead.
constexpr long kStallSeconds = 60, kConnectSeconds = 30, kMostRedirects = 8;

struct Transfer {
  CURL* curl;
  const HttpRequest& request;
  HttpReply& reply;
};

size_t on_header(const char* data, size_t, size_t n, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string line(data, n);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.pop_back();
  if (line.starts_with("HTTP/")) {
    transfer.reply.headers.clear();  // those before were a redirection's
    return n;
  }
  const size_t colon = line.find(':');
  if (colon == std::string::npos) return n;
  std::string name = line.substr(0, colon);
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const size_t value = line.find_first_not_of(" \t", colon + 1);
  transfer.reply.headers[name] = value == std::string::npos ? "" : line.substr(value);
  return n;
}

size_t on_body(const char* data, size_t, size_t n, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  long status = 0;
  curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
  if ((status != 200 && status != 206) || !transfer.request.body) return n;
  if (transfer.request.body(static_cast<int>(status),
                            {reinterpret_cast<const std::byte*>(data), n}))
    return n;
  transfer.reply.stopped = true;
  return CURL_WRITEFUNC_ERROR;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (!transfer.request.interrupt || !transfer.request.interrupt()) return 0;
  transfer.reply.interrupted = true;
  return 1;
}

void start_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

struct Http::Handle {
  CURL* curl;
};

std::string HttpReply::header(const std::string& name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? "" : it->second;
}

Http::Http() {
  start_curl();
  CURL* curl = curl_easy_init();
  if (!curl) throw_error(Code::kOutOfMemory, "libcurl can't be started");
  handle_ = std::make_unique<Handle>(Handle{curl});
}
Http::~Http() {
  if (handle_) curl_easy_cleanup(handle_->curl);
}
Http::Http(Http&&) noexcept = default;

HttpReply Http::get(const HttpRequest& request) {
  HttpReply reply;
  CURL* curl = handle_->curl;
  curl_easy_reset(curl);  // connections stay open
  Transfer transfer{curl, request, reply};
  char text[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "phial/" PHIAL_VERSION);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMostRedirects);
  // From an encrypted line never to a plain one.
  const bool encrypted = request.url.starts_with("https:");
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, encrypted ? "https" : "http,https");
#else
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS,
                   encrypted ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  if (!request.token.empty()) {  // libcurl leaves it out where it is redirected to another host
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, request.token.c_str());
  }
  std::string range;
  if (request.range) {
    range = fmt::format("{}-{}", request.range->first, request.range->second);
    curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
  }
  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  if (code != CURLE_OK && !reply.interrupted && !reply.stopped)
    reply.problem = *text ? text : curl_easy_strerror(code);
  return reply;
}

}  // namespace phial
