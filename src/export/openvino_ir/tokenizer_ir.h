// SPDX-License-Identifier: Apache-2.0
// A package's tokenizer as two OpenVINO IRs: text to ids and ids to text, made of operations of the
// openvino_tokenizers extension. openvino_genai opens a folder only if they are in it. Written
// without OpenVINO; ids and texts are those of the Hugging Face tokenizers library. What the
// operations can't say exactly is refused, never approximated (docs/openvino.md).
//
// Interface of the graphs:
//   tokenizer    in   string [B]
//                out  input_ids i64 [B, S], attention_mask i64 [B, S], padded on the side that
//                     tokenizer_config.json names
//   detokenizer  in   ids i64 [B, S]
//                out  string_output [B], without special tokens
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"
#include "checkpoint/side_files.h"
#include "package/artefacts.h"

namespace phial {

struct TokenizerIr {
  std::string tokenizer_xml, tokenizer_bin, detokenizer_xml, detokenizer_bin;
};

// From tokenizer.json and the side files of a folder. Throws kNotFound if there is no
// tokenizer.json, kCorrupt if a file isn't what it should be, kUnsupported (with the reason) for a
// tokenizer that these operations can't express.
TokenizerIr make_tokenizer_ir(const fs::path& folder);

// From the text of a tokenizer.json, which `where` names in errors.
TokenizerIr make_tokenizer_ir(std::string_view tokenizer_json, const SideFiles& files,
                              const std::string& where);

// Why a folder has no tokenizer IR and can't have one; empty if it can.
std::string why_no_tokenizer_ir(const fs::path& folder);

// The four files openvino_{tokenizer,detokenizer}.{xml,bin} of a package. A package without a
// tokenizer, or with one that can't be expressed, gets none.
ArtefactMaker tokenizer_artefact();

}  // namespace phial
