// SPDX-License-Identifier: Apache-2.0
// The small files beside the weights: generation_config, tokenizer_config, special tokens, chat
// template; and what they say together. A folder with nothing but tokenizer files is fine. Both
// checkpoints and packages have them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace phial {

struct SideFiles {
  fs::path folder;
  Json config;                // config.json, null if absent
  Json generation_config;     // null if absent
  Json tokenizer_config;      // null if absent
  std::string chat_template;  // chat_template.jinja, else tokenizer_config's key; empty if none
  std::string bos_token, eos_token, pad_token, unk_token;  // texts; empty if none
  bool add_bos_token = false;

  // Ids that config.json and generation_config.json name as end of sequence, sorted, without
  // repeats. The tokenizer's and template's own are added where a tokenizer is at hand (generate).
  std::vector<int32_t> eos_ids() const;
};

// Throws kCorrupt if one of the files is there but isn't what it should be.
SideFiles read_side_files(const fs::path& folder);

// Names of the side files that are copied into a package, those that exist in `folder`.
std::vector<std::string> side_file_names(const fs::path& folder);

}  // namespace phial
