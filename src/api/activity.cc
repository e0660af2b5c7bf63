// SPDX-License-Identifier: Apache-2.0
// Files <folder>/<pid>-<n>.json, replaced by renaming. Half a second between two writings while
// tokens come, so that telling costs nothing that could be measured.
#include "api/activity.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <vector>

#include "api/measured.h"
#include "base/error.h"
#include "base/system.h"

namespace phial::api {
namespace {

constexpr auto kBetween = std::chrono::milliseconds(500);
constexpr uint64_t kFileLimit = 1 << 16;
constexpr int64_t kLongPrompt = 32;  // tokens
constexpr double kMostRate = 1e9;    // tokens a second; more was never measured
constexpr int64_t kAnswerEnds = 5;   // seconds without a token
constexpr const char *kIdle = "idle", *kAnswer = "answer";

std::string program_name() {
  std::ifstream name("/proc/self/comm");  // Linux; elsewhere it isn't said
  std::string text;
  std::getline(name, text);
  return text;
}

// The process that a file "123-1.json" is of; 0: no such file.
uint64_t process_of(const fs::path& file) {
  if (file.extension() != ".json") return 0;
  return std::strtoull(file.filename().string().c_str(), nullptr, 10);
}

Json rate_json(double rate) { return rate > 0 ? Json(rate) : Json(); }

// Files are whatever somebody left there: what isn't a number counts as `otherwise`.
double number_of(const Json& json, const char* key, double otherwise) {
  const Json value = json.value(key, Json());
  return value.is_number() ? value.get<double>() : otherwise;
}

}  // namespace

fs::path activity_folder() {
  const fs::path runtime = environment("XDG_RUNTIME_DIR").value_or("");
  std::error_code ignored;
  if (runtime.is_absolute() && fs::is_directory(runtime, ignored)) return runtime / "phial";
  const fs::path cache = user_cache();
  return cache.empty() ? cache : cache / "running";
}

Json list_activity(const fs::path& folder) {
  std::vector<Json> found;
  const auto now = static_cast<double>(std::time(nullptr));
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    const uint64_t id = process_of(it->path());
    if (id == 0) continue;
    std::error_code ignored;
    if (!process_runs(id)) {
      fs::remove(it->path(), ignored);
      continue;
    }
    if (!it->is_regular_file(ignored)) continue;  // a pipe would wait for its writer
    try {
      Json json = parse_json(read_file(it->path(), kFileLimit), it->path().string());
      if (!json.is_object() || !json.contains("model")) continue;
      if (json.value("state", Json()) == kAnswer &&
          now - number_of(json, "updated", now) > kAnswerEnds)
        json["state"] = kIdle;
      for (const char* rate : {"prompt_rate", "answer_rate"})
        if (!(number_of(json, rate, 0) < kMostRate)) json[rate] = nullptr;
      found.push_back(std::move(json));
    } catch (const Error&) {  // it is being replaced, or isn't ours
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Json& a, const Json& b) {
    return number_of(a, "started", 0) < number_of(b, "started", 0);
  });
  return found;
}

PublishedSession::PublishedSession(std::unique_ptr<Session> session, ActivityFacts facts,
                                   const fs::path& folder)
    : session_(std::move(session)), last_(Clock::now()) {
  static std::atomic<int> count{0};
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return;
  fs::permissions(folder, fs::perms::owner_all, failed);
  file_ = folder / fmt::format("{}-{}.json", process_id(), count++);
  told_ = {{"pid", process_id()},      {"program", program_name()},
           {"model", facts.model},     {"device", session_->device()},
           {"tier", session_->tier()}, {"context", session_->limits().max_context},
           {"threads", facts.threads}, {"started", static_cast<int64_t>(std::time(nullptr))}};
  publish(kIdle);
}

PublishedSession::~PublishedSession() {
  std::error_code ignored;
  if (!file_.empty()) fs::remove(file_, ignored);
}

void PublishedSession::step(std::span<const Step> batch, const Interrupt& interrupt) {
  const bool prompt = std::any_of(batch.begin(), batch.end(),
                                  [](const Step& step) { return step.tokens.size() > 1; });
  int64_t tokens = 0;
  for (const Step& step : batch) tokens += static_cast<int64_t>(step.tokens.size());
  const auto start = Clock::now();
  if (tokens >= kLongPrompt) publish("prompt");  // it may take a while
  session_->step(batch, interrupt);
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - start).count();
  if (prompt) {
    prompt_tokens_ += tokens;
    prompt_rate_ = seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
  } else {
    answer_tokens_ += tokens;
    recent_tokens_ += tokens;
    recent_seconds_ += seconds;
  }
  if (tokens >= kLongPrompt || now - last_ >= kBetween) publish(kAnswer);
}

void PublishedSession::idle() { publish(kIdle); }

void PublishedSession::publish(const char* state) {
  last_ = Clock::now();
  if (recent_seconds_ > 0) answer_rate_ = static_cast<double>(recent_tokens_) / recent_seconds_;
  recent_tokens_ = 0;
  recent_seconds_ = 0;
  if (file_.empty()) return;
  Json json = told_;
  json["state"] = state;
  json["updated"] = static_cast<int64_t>(std::time(nullptr));
  json["prompt_tokens"] = prompt_tokens_;
  json["answer_tokens"] = answer_tokens_;
  json["prompt_rate"] = rate_json(prompt_rate_);
  json["answer_rate"] = rate_json(answer_rate_);
  fs::path partial = file_;
  partial += ".partial";
  std::error_code ignored;
  {
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    out << json.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (!out.flush()) return;
  }
  fs::rename(partial, file_, ignored);
}

std::unique_ptr<Session> published(std::unique_ptr<Session> session, ActivityFacts facts) {
  const fs::path folder = activity_folder();
  if (folder.empty() || environment("PHIAL_PUBLISH").value_or("") == "0") return session;
  return std::make_unique<PublishedSession>(std::move(session), std::move(facts), folder);
}

}  // namespace phial::api
