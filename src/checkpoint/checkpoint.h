// SPDX-License-Identifier: Apache-2.0
// A Hugging Face model folder as published: config, safetensors (one file or shards with an index),
// tokenizer files. Weights stay mapped. Knows no architecture: that config.json is a phi3 is
// checked by model/.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/side_files.h"

namespace phial {

class Checkpoint {
 public:
  // Throws kNotFound (names the missing file or shard and what was looked for), kCorrupt.
  // model.safetensors, or model.safetensors.index.json with its shards; pytorch_model.bin alone is
  // refused with a hint.
  explicit Checkpoint(const fs::path& folder);

  const fs::path& folder() const { return folder_; }
  const Json& config() const { return config_; }  // config.json
  const SideFiles& side_files() const { return side_files_; }

  bool has(const std::string& name) const { return tensors_.count(name) != 0; }
  const TensorView& tensor(
      const std::string& name) const;  // throws kNotFound: which tensor, which files
  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::vector<std::unique_ptr<Safetensors>>& files() const { return files_; }
  uint64_t weight_bytes() const;

 private:
  fs::path folder_;
  Json config_;
  SideFiles side_files_;
  std::vector<std::unique_ptr<Safetensors>> files_;
  std::map<std::string, TensorView> tensors_;
};

}  // namespace phial
