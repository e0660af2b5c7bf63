// SPDX-License-Identifier: Apache-2.0
// Compiled models on disk, so that compiling happens once. An entry is a folder of files that
// belong to the runtime that wrote them; this knows only their sizes and checksums. Nothing in here
// throws for the state of the cache: what is damaged is dropped, what can't be written is left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"

namespace phial {

struct CompileCacheEntry {
  std::string key;   // 64 hexadecimal digits
  std::string what;  // for people: "phi-3-mini for openvino:NPU"
  uint64_t bytes = 0;
  int64_t unused_seconds = 0;  // since it was last used
  bool sound = false;          // false: damaged or half written
};

class CompileCache {
 public:
  // Kept below `most_bytes` by dropping what was unused for longest.
  CompileCache(fs::path folder, uint64_t most_bytes)
      : folder_(std::move(folder)), most_(most_bytes) {}

  // PHIAL_CACHE, else XDG_CACHE_HOME/phial, else ~/.cache/phial, and "compiled" in it; empty if
  // there is no such place. PHIAL_CACHE_SIZE ("8G", "500M"; "0": no cache) or 16 GiB. Throws
  // kInvalidArgument for a size that isn't one.
  static CompileCache of_user();

  bool enabled() const { return !folder_.empty() && most_ > 0; }
  const fs::path& folder() const { return folder_; }

  // The folder of a sound entry, marked as used now; empty: there is none. A damaged one is
  // dropped.
  fs::path find(const std::string& key) const;

  // A fresh folder to compile into, for store() or discard(); empty, with the reason in `problem`:
  // it can't be made.
  fs::path prepare(std::string& problem) const;
  // Makes what is in `prepared` the entry `key` in one rename. Two processes may do so at once: one
  // of the equal results stays. Returns the problem, empty: none.
  std::string store(const fs::path& prepared, const std::string& key,
                    const std::string& what) const;
  static void discard(const fs::path& prepared);
  // The runtime didn't like the entry and has written it anew: makes it sound again.
  std::string reseal(const std::string& key, const std::string& what) const;
  void drop(const std::string& key) const;

  std::vector<CompileCacheEntry> list() const;  // last used first
  uint64_t clear() const;                       // bytes that were removed

 private:
  void make_space() const;

  fs::path folder_;
  uint64_t most_;
};

// "8G", "1.5G", "500M", "4096" as bytes (powers of 1024); nullopt: not a size.
std::optional<uint64_t> parse_size(const std::string& text);

}  // namespace phial
