// SPDX-License-Identifier: Apache-2.0
// The two graphs of static shape that an NPU's compiler takes, without state: one for prompts, one
// for single tokens, both over the same cache of key and value slots. Made ahead of time by
// `phial compile`; the plug-in's StaticSession runs what comes out.
//
// Token t of a sequence lies in cache slot t. A prefill of fewer tokens than `prompt` has padding
// in front, so that the logits of the last position are those of the last token.
#pragma once

#include <string>

#include "export/openvino_ir/openvino_ir.h"

namespace phial {

struct StaticShape {
  int32_t prompt = 128;    // tokens of one prefill run
  int32_t response = 384;  // tokens that fit after such a prompt
  bool kv_f16 = true;      // element type of the cache, else f32

  int64_t context() const { return int64_t{prompt} + response; }  // slots of the cache
};

enum class StaticPart { kPrefill, kGenerate };

// Throws kInvalidArgument if the model can't have these lengths: a LongRoPE model keeps its short
// factors, so that it ends where they end, and slots stand for positions, so that context and
// prompt together must stay within a sliding window.
void check_static_shape(const Phi3Config& config, const StaticShape& shape);

std::string static_ir_xml(const PackageParts& parts, const StaticShape& shape, StaticPart part);

}  // namespace phial
