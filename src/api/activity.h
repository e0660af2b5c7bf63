// SPDX-License-Identifier: Apache-2.0
// What this user's phial programs do now: each open model writes a small file, which `phial ps` and
// `phial top` read. Nothing depends on it: what can't be written is left out.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "backend/session.h"
#include "base/file.h"
#include "base/json.h"

namespace phial::api {

// phial in XDG_RUNTIME_DIR, else "running" in the user's cache folder; empty if there is neither.
fs::path activity_folder();

// All models that are open now, oldest first; files of processes that are gone are removed.
Json list_activity(const fs::path& folder);

struct ActivityFacts {
  std::string model;
  int32_t threads = 0;
};

// A session that tells what it does. `idle` is to be called when an answer is done; for programs
// that step by themselves the reader finds out.
class PublishedSession : public Session {
 public:
  PublishedSession(std::unique_ptr<Session> session, ActivityFacts facts, const fs::path& folder);
  ~PublishedSession() override;

  Limits limits() const override { return session_->limits(); }
  void step(std::span<const Step> batch, const Interrupt& interrupt) override;
  void truncate(SequenceId seq, int32_t length) override { session_->truncate(seq, length); }
  void release(SequenceId seq) override { session_->release(seq); }
  int32_t length(SequenceId seq) const override { return session_->length(seq); }
  std::string device() const override { return session_->device(); }
  std::string tier() const override { return session_->tier(); }
  uint64_t cache_bytes_per_token() const override { return session_->cache_bytes_per_token(); }

  void idle();

 private:
  using Clock = std::chrono::steady_clock;
  void publish(const char* state);

  const std::unique_ptr<Session> session_;
  fs::path file_;  // empty: nothing is told
  Json told_;      // what doesn't change
  int64_t prompt_tokens_ = 0, answer_tokens_ = 0;
  double prompt_rate_ = 0, answer_rate_ = 0;
  // Since the last telling that had an answer in it.
  int64_t recent_tokens_ = 0;
  double recent_seconds_ = 0;
  Clock::time_point last_;
};

// The session as it is, where PHIAL_PUBLISH=0 or there is no folder.
std::unique_ptr<Session> published(std::unique_ptr<Session> session, ActivityFacts facts);

}  // namespace phial::api
