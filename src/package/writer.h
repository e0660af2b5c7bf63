// SPDX-License-Identifier: Apache-2.0
// Writes a package from a checkpoint: quantizes tensor by tensor in a stream, beside the
// destination, and renames at the end. Memory of its own stays under about 1 GiB whatever the
// model's size.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "package/artefacts.h"
#include "quant/recipe.h"

namespace phial {

struct Progress {
  uint64_t done_bytes, total_bytes;  // of the source
  std::string current;               // tensor or phase
};

struct QuantizeOptions {
  QuantRecipe recipe;
  int32_t threads = 0;                            // 0: all available
  bool overwrite = false;                         // replace an existing package at the destination
  std::vector<ArtefactMaker> artefacts;           // what else is made of the weights, for others
  std::function<void(const Progress&)> progress;  // may be empty; called from one thread
  std::function<bool()> interrupt;  // true: stop, remove what was written, throw kCancelled
  // For a source that still arrives, whose files have their size and their tables of contents
  // already: called before bytes of a file are read, by any thread; may block, may throw.
  std::function<void(const fs::path& file, uint64_t offset, uint64_t bytes)> need;
  std::function<void()> before_commit;  // the last chance to throw
  std::string repository, commit;       // where the source came from, for the manifest; may be empty
};

// Throws what Checkpoint and FileWriter throw; kInvalidArgument if a group size doesn't divide a
// tensor.
void quantize(const fs::path& source, const fs::path& destination, const QuantizeOptions& options);

// A checkpoint in the original layout (bf16 safetensors, config.json; tokenizer files if
// `tokenizer_from` names a folder) with random weights: for tests and benchmarks. `config` is a
// config.json object.
void make_random_checkpoint(const Json& config, const fs::path& destination, uint64_t seed,
                            const fs::path& tokenizer_from, const std::string& dtype);

}  // namespace phial
