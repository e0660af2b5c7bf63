// SPDX-License-Identifier: Apache-2.0
// Self-attention in the graph: the cache as state or as inputs and outputs, the mask, grouped
// queries. Internal to openvino_ir/.
#pragma once

#include <optional>
#include <vector>

#include "export/openvino_ir/rope.h"
#include "export/openvino_ir/weights.h"

namespace phial {

struct IrInputs {
  IrValue input_ids, attention_mask, position_ids;
  IrValue beam_idx;         // stateful only
  IrValue sequence_length;  // RopeFactors::kByInput only
};

class IrAttention {
 public:
  IrAttention(IrGraph& graph, IrWeights& weights, const Phi3Config& config,
              const OpenVinoIrOptions& options, const IrInputs& inputs)
      : graph_(graph), weights_(weights), config_(config), options_(options), inputs_(inputs) {}

  // x [B, S, hidden], normed -> [B, S, hidden]. Layers in order, from 0.
  IrValue layer(int index, const IrValue& x);

  // After the last layer: makes Assign operations, or results, of the caches.
  void finish();

 private:
  // Lengths that the graph works out once, in layer 0.
  struct Lengths {
    IrValue past, sequence, batch;      // scalars
    IrValue sequence_list, total_list;  // [1]
    IrValue total;                      // scalar
  };
  struct Cache {
    IrValue past;         // what the new tokens are appended to
    IrValue whole;        // past and new
    IrValue fresh;        // new
    std::string key;      // "past_key_values.0.key"
    std::string present;  // "present.0.key"
  };

  int64_t total_length() const;
  IrValue past_state(const Cache& cache);
  Cache append(int layer, const char* kind, const IrValue& fresh, const IrOps& ops);
  void work_out_lengths(const IrValue& x, const IrValue& past_key);
  IrValue repeat_heads(const IrOps& ops, const std::string& name, const IrValue& x);
  IrValue make_mask(const IrOps& ops);
  IrValue visible_padding(const IrOps& ops, const IrValue& key_index);

  IrGraph& graph_;
  IrWeights& weights_;
  const Phi3Config& config_;
  const OpenVinoIrOptions& options_;
  const IrInputs& inputs_;
  std::optional<IrValue> batch_list_;  // [1]
  std::optional<IrRope> rope_;
  std::optional<Lengths> lengths_;
  std::optional<IrValue> expanded_shape_;  // [B, n_kv, repeats, total, head_dim]
  std::optional<IrValue> mask_, scale_;
  std::vector<Cache> caches_;
};

}  // namespace phial
