// SPDX-License-Identifier: Apache-2.0
// A Hugging Face compatible hub: what a repository has, and where its files are. Source: the hub's
// HTTP interface as huggingface_hub uses it (/api/models/REPO/revision/REV?blobs=true,
// /REPO/resolve/COMMIT/FILE).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/http.h"

namespace phial {

struct Hub {
  std::string endpoint;  // "https://huggingface.co", without a slash at the end
  std::string token;     // may be empty

  // HF_ENDPOINT, HF_TOKEN, else the file `token` in HF_HOME or ~/.cache/huggingface.
  static Hub of_environment();
};

struct RepoFile {
  std::string path;
  uint64_t bytes = 0;
  std::string sha256;  // of large files
  std::string blob;    // git's name of the content, of others
};

struct Repository {
  std::string name;    // "owner/name"
  std::string commit;  // what the revision stands for now
  std::vector<RepoFile> files;
};

// Tries again, with pauses, where that may help. Throws kNotFound, kUnsupported (its terms haven't
// been accepted, or a token is needed), kIo (the network), kCorrupt (not what a hub answers),
// kCancelled.
Repository look_up(const Hub& hub, const std::string& name, const std::string& revision,
                   const std::function<bool()>& interrupt);

std::string file_url(const Hub& hub, const Repository& repository, const std::string& path);

// What is wrong with a reply that isn't 200 or 206: a sentence.
std::string explain(const Hub& hub, const std::string& repository, const HttpReply& reply);
bool may_pass(const HttpReply& reply);  // tried again it may go well

// Waits before the next of `tries` (0: the first again), as long as the reply wants or twice as
// long each time. PHIAL_RETRY_SECONDS: the first pause (1). False: interrupted.
bool pause(int tries, const HttpReply& reply, const std::function<bool()>& interrupt);
inline constexpr int kMostTries = 6;

}  // namespace phial
