// SPDX-License-Identifier: Apache-2.0
// A Phi-3 as an OpenVINO IR (version 11) over the weights file of a package: XML whose constants
// point into openvino_model.bin. No file is written here and no OpenVINO is needed. The operations
// follow those of optimum-intel's export one by one, because paged attention, the NPU's partitioner
// and the CPU's fusions recognize patterns (docs/decisions/0007-openvino-ir.md).
//
// Interface of the graph. Default, stateful (as optimum-intel and openvino_genai want it):
//   in   input_ids i64 [B, S], attention_mask i64 [B, past + S], position_ids i64 [B, S],
//        beam_idx i32 [B] (the identity: {0} for one sequence)
//   out  logits f32 [B, S, vocab]   ([B, 1, vocab] with last_logits_only)
//   state keys and values f32 [B, n_kv, length, head_dim], empty in a new infer request
// Stateless:
//   in   input_ids, attention_mask, position_ids as above;
//        past_key_values.N.key, past_key_values.N.value [B, n_kv, past, head_dim]
//   out  logits; present.N.key, present.N.value [B, n_kv, S, head_dim] (the new tokens only), or
//        [B, n_kv, past + S, head_dim] with whole_present
//   The sliding window counts positions in the cache, not position_ids: with fewer valid entries
//   than `past`, let them be the last ones (right-aligned) and mask the first ones out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/phi3_config.h"
#include "package/artefacts.h"
#include "package/package.h"

namespace phial {

// Which of LongRoPE's two factor sets rotates; of no effect on a model without LongRoPE.
enum class RopeFactors : uint8_t {
  // long if max(position_ids) + 1 > original_max_positions: what transformers does with one whole
  // prefill. A prompt fed in chunks would rotate its first chunks with the short set.
  kByPositions,
  // An input more, `sequence_length` i64 [1]: the length that the whole prompt will have takes the
  // place of max(position_ids) + 1. Exact for chunked prefill.
  kByInput,
  kShort,
  kLong,
};

struct OpenVinoIrOptions {
  bool last_logits_only = false;  // the lm_head sees the last position only
  RopeFactors rope_factors = RopeFactors::kByPositions;
  int32_t n_layers = 0;  // only the first n layers; 0: all

  bool stateless = false;      // the cache is inputs and outputs, not state
  bool kv_f16 = false;         // stateless: element type of the cache f16, not f32
  bool whole_present = false;  // stateless: present.* include the past
  // Static dimensions; -1: dynamic. For the NPU: stateless, batch 1, prefill with sequence S > 1,
  // generate with sequence 1, both with a past of the same length.
  int64_t batch = -1, sequence = -1, past = -1;
};

// The XML. `parts.graph_constants` must name the block that openvino_graph_constants() once made:
// each constant is looked up in it by its bytes. Throws kNotFound if one isn't there (the package
// was exported by another version: export again), kInvalidArgument for options that can't be meant.
std::string openvino_ir_xml(const PackageParts& parts, const OpenVinoIrOptions& options = {});

// All constants of all variants that aren't weights, without repeats: what must be appended to the
// weights file, from a page on. A few kilobytes; with asymmetric channel-wise int4 half a byte a
// row of every matrix more.
std::vector<std::byte> openvino_graph_constants(const PackageParts& parts);

// Views into an open package, for openvino_ir_xml(). Throws kUnsupported if it isn't a package
// folder or has no graph constants.
PackageParts openvino_parts(const Package& package);

// Everything that makes a package open in OpenVINO's own tools, in the order of writing.
std::vector<ArtefactMaker> openvino_artefacts();

}  // namespace phial
