// SPDX-License-Identifier: Apache-2.0
#include "models/hub.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/system.h"

namespace phial {
namespace {

constexpr const char* kHub = "https://huggingface.co";
constexpr size_t kListLimit = 64u << 20;
constexpr double kLongestPause = 300;

std::string variable(const char* name) { return environment(name).value_or(""); }

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

std::string token_file() {
  fs::path folder = variable("HF_HOME");
  if (folder.empty()) {
    fs::path cache = variable("XDG_CACHE_HOME");
    if (cache.empty() && !variable("HOME").empty()) cache = fs::path(variable("HOME")) / ".cache";
    if (cache.empty()) return {};
    folder = cache / "huggingface";
  }
  std::string text;
  try {
    read_file_if_there(folder / "token", text, 1 << 16);
  } catch (const Error&) {  // not ours to read
  }
  return trimmed(text);
}

// Nothing that leads out of the folder that files are put into.
bool is_plain_path(const std::string& path) {
  const fs::path p(path);
  return !path.empty() && p.is_relative() && path.find('\\') == std::string::npos &&
         std::none_of(p.begin(), p.end(), [](const fs::path& part) {
           return part == ".." || part == "." || part.empty();
         });
}

Repository parse(const Json& json, const std::string& where, const std::string& name) {
  const JsonView view(json, where);
  Repository repository{name, view.string("sha"), {}};
  const Json& list = view.at("siblings");
  if (!list.is_array())
    throw_error(Code::kCorrupt, "{}: 'siblings' isn't a list: is this a hub?", where);
  for (const Json& item : list) {
    const JsonView file(item, where);
    RepoFile entry{file.string("rfilename"), 0, "", file.string_or("blobId", "")};
    if (!is_plain_path(entry.path))
      throw_error(Code::kCorrupt, "{}: the file name '{}' isn't one", where, entry.path);
    entry.bytes = static_cast<uint64_t>(file.integer_or("size", 0, 0, int64_t{1} << 46));
    if (file.has("lfs")) {
      const JsonView lfs(file.at("lfs"), where);
      entry.sha256 = lfs.string_or("sha256", "");
      entry.bytes = static_cast<uint64_t>(lfs.integer("size", 0, int64_t{1} << 46));
    }
    repository.files.push_back(std::move(entry));
  }
  return repository;
}

}  // namespace

Hub Hub::of_environment() {
  Hub hub{variable("HF_ENDPOINT"), variable("HF_TOKEN")};
  if (hub.endpoint.empty()) hub.endpoint = kHub;
  while (hub.endpoint.ends_with('/')) hub.endpoint.pop_back();
  if (!hub.endpoint.starts_with("http://") && !hub.endpoint.starts_with("https://"))
    throw_error(Code::kInvalidArgument,
                "HF_ENDPOINT is '{}', expected an address that begins with https://", hub.endpoint);
  if (hub.token.empty()) hub.token = token_file();
  return hub;
}

std::string file_url(const Hub& hub, const Repository& repository, const std::string& path) {
  std::string url =
      fmt::format("{}/{}/resolve/{}/", hub.endpoint, repository.name, repository.commit);
  for (const char c : path)
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
        c == '_' || c == '.' || c == '/' || c == '~')
      url += c;
    else
      url += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return url;
}

bool may_pass(const HttpReply& reply) {
  return !reply.interrupted && (!reply.problem.empty() || reply.status == 429 ||
                                reply.status == 408 || reply.status >= 500);
}

std::string explain(const Hub& hub, const std::string& repository, const HttpReply& reply) {
  if (!reply.problem.empty()) return fmt::format("{}: {}", hub.endpoint, reply.problem);
  const std::string code = reply.header("x-error-code");
  const bool gated = code == "GatedRepo";
  if (gated || (reply.status == 403 && code.empty()))
    return fmt::format(
        "{0}: its owner wants you to accept terms first: open {1}/{0} in a browser, accept them, "
        "and give your token in HF_TOKEN ({2})",
        repository, hub.endpoint,
        hub.token.empty() ? "none is given" : "the one given isn't enough");
  if (code == "RevisionNotFound")
    return fmt::format("{}: there is no such revision on {}", repository, hub.endpoint);
  if (reply.status == 404 || code == "RepoNotFound" || reply.status == 401)
    return fmt::format(
        "{}: {} has no such repository{}", repository, hub.endpoint,
        reply.status == 401 ? ", or it is private: give your token in HF_TOKEN" : "");
  if (reply.status == 429)
    return fmt::format("{}: too many requests (429): wait, or give your token in HF_TOKEN",
                       hub.endpoint);
  return fmt::format("{}: answered with status {}", hub.endpoint, reply.status);
}

bool pause(int tries, const HttpReply& reply, const std::function<bool()>& interrupt) {
  const std::string first = variable("PHIAL_RETRY_SECONDS"), wanted = reply.header("retry-after");
  double seconds = (first.empty() ? 1.0 : std::atof(first.c_str())) * (1 << std::min(tries, 10));
  if (!wanted.empty()) seconds = std::max(seconds, std::atof(wanted.c_str()));
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::duration<double>(std::clamp(seconds, 0.0, kLongestPause));
  while (std::chrono::steady_clock::now() < end) {
    if (interrupt && interrupt()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return !(interrupt && interrupt());
}

Repository look_up(const Hub& hub, const std::string& name, const std::string& revision,
                   const std::function<bool()>& interrupt) {
  Http http;
  HttpRequest request;
  request.url = fmt::format("{}/api/models/{}/revision/{}?blobs=true", hub.endpoint, name,
                            revision.empty() ? "main" : revision);
  request.token = hub.token;
  request.interrupt = interrupt;
  std::string text;
  request.body = [&](int, std::span<const std::byte> bytes) {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return text.size() <= kListLimit;
  };
  for (int tries = 0;; ++tries) {
    text.clear();
    const HttpReply reply = http.get(request);
    if (reply.interrupted) throw_error(Code::kCancelled, "pulling {} was cancelled", name);
    if (reply.complete() && reply.status == 200)
      return parse(parse_json(text, request.url), request.url, name);
    if (may_pass(reply) && tries + 1 < kMostTries) {
      if (!pause(tries, reply, interrupt))
        throw_error(Code::kCancelled, "pulling {} was cancelled", name);
      continue;
    }
    const bool refused = reply.status == 401 || reply.status == 403;
    throw Error(!reply.problem.empty() || reply.status == 429 || reply.status >= 500 ? Code::kIo
                : refused ? Code::kUnsupported
                          : Code::kNotFound,
                explain(hub, name, reply));
  }
}

}  // namespace phial
