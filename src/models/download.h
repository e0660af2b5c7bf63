// SPDX-License-Identifier: Apache-2.0
// Files of a repository into a folder: in parts, over several connections, taken up again where an
// earlier try ended, checked against the hub's checksums. The files have their whole size from the
// start, so that they can be mapped while their parts still arrive: wait_for() says when bytes are
// there.
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "models/hub.h"

namespace phial {

inline constexpr const char* kDownloadState = ".phial-download.json";  // in the folder

struct DownloadOptions {
  int connections = 4;
  uint64_t part_bytes = 16u << 20;
  std::function<bool()> interrupt;  // may be called by any of the connections' threads
  uint64_t room_beyond = 0;         // bytes that the disk must have besides
};

class Download {
 public:
  // Begins. Throws kIo if the folder can't be written or its disk lacks the space.
  Download(const Hub& hub, const Repository& repository, const std::vector<RepoFile>& files,
           const fs::path& folder, const DownloadOptions& options);
  ~Download();  // ends the connections; what came stays for the next time

  // Until these bytes of a file are there (not yet checked). Throws what went wrong: kIo,
  // kNotFound, kUnsupported, kCorrupt, kCancelled. `meanwhile` is called every now and then.
  void wait_for(const std::string& file, uint64_t offset, uint64_t bytes,
                const std::function<void()>& meanwhile = {});
  // Until everything is there and its checksums are right.
  void finish(const std::function<void()>& meanwhile = {});

  uint64_t total_bytes() const { return total_; }
  uint64_t kept_bytes() const { return kept_; }  // of an earlier try
  uint64_t done_bytes() const { return done_; }

 private:
  struct File;
  struct Part {
    size_t file;
    size_t index;
  };

  void open_files(const std::vector<RepoFile>& files);
  void load_state();
  void save_state();  // under mutex_
  void work();
  bool next(Part& part);
  void fetch(Http& http, const Part& part);
  void part_done(const Part& part);
  void verify(File& file, bool wait);
  void fail(std::exception_ptr error);
  void glance(std::unique_lock<std::mutex>& lock, const std::function<void()>& meanwhile);

  const Hub hub_;
  const Repository repository_;
  const fs::path folder_;
  const DownloadOptions options_;
  uint64_t total_ = 0, kept_ = 0;
  std::atomic<uint64_t> done_{0};
  std::atomic<bool> stop_{false};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<File>> files_;
  std::vector<Part> queue_;  // the next at the end
  size_t unverified_ = 0;
  std::exception_ptr error_;
  std::vector<std::jthread> threads_;
};

}  // namespace phial
