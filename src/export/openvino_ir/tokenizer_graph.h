// SPDX-License-Identifier: Apache-2.0
// The two graphs, from their rules. Internal to openvino_ir/.
#pragma once

#include <span>
#include <string>

#include "export/openvino_ir/graph.h"
#include "export/openvino_ir/tokenizer_bpe.h"
#include "export/openvino_ir/tokenizer_rules.h"

namespace phial {

void build_tokenizer(IrGraph& graph, const EncodeRules& rules, const BpeTables& tables);

// `tokens` by id, as bytes or, with byte_fallback, as written; `skipped` are the special ones.
// Throws kUnsupported, naming `where`.
void build_detokenizer(IrGraph& graph, const DecodeRules& rules,
                       std::span<const std::string> tokens, std::span<const int32_t> skipped,
                       const std::string& where);

}  // namespace phial
