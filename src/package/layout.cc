// SPDX-License-Identifier: Apache-2.0
#include "package/layout.h"

#include <cstring>

namespace phial {
namespace {

struct Name {
  Role role;
  const char* name;
};
constexpr Name kNames[] = {{Role::kEmbedding, "embedding"},
                           {Role::kInputNorm, "input_norm"},
                           {Role::kQkv, "qkv"},
                           {Role::kO, "o"},
                           {Role::kPostNorm, "post_norm"},
                           {Role::kGateUp, "gate_up"},
                           {Role::kDown, "down"},
                           {Role::kFinalNorm, "final_norm"},
                           {Role::kLmHead, "lm_head"}};

WeightMatrix norm_shape(int64_t n) {
  WeightMatrix m;
  m.format = WeightFormat::kF32;
  m.rows = 1;
  m.cols = n;
  return m;
}

}  // namespace

const char* role_name(Role role) { return kNames[static_cast<size_t>(role)].name; }

bool role_from_name(const std::string& name, Role& out) {
  for (const Name& n : kNames)
    if (name == n.name) {
      out = n.role;
      return true;
    }
  return false;
}

std::vector<StoredTensor> plan_layout(const std::vector<QuantAssignment>& assignments,
                                      uint64_t& end) {
  std::vector<StoredTensor> tensors;
  end = 0;
  auto place = [&end](uint64_t bytes) {
    const Extent extent{bytes ? end : 0, bytes};
    end = (end + bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
    return extent;
  };
  for (const QuantAssignment& a : assignments) {
    StoredTensor t;
    t.name = a.spec.name;
    t.role = a.spec.role;
    t.layer = a.spec.layer;
    t.shape = is_norm(a.spec.role) ? norm_shape(a.spec.cols)
                                   : quant_shape(a.scheme, a.spec.rows, a.spec.cols, a.group);
    t.data = place(t.shape.data_bytes());
    t.scales = place(t.shape.scale_bytes());
    t.zero_points =
        place(!is_norm(a.spec.role) && has_zero_points(a.scheme) ? t.shape.zero_point_bytes() : 0);
    tensors.push_back(std::move(t));
  }
  return tensors;
}

void bind_weights(const std::vector<StoredTensor>& tensors, const std::byte* base,
                  const Phi3Config& config, Phi3Weights& weights) {
  weights.layers.resize(static_cast<size_t>(config.n_layers));
  for (const StoredTensor& t : tensors) {
    if (is_norm(t.role)) {
      std::vector<float>& norm = weights.norm(t.role, t.layer);
      norm.resize(static_cast<size_t>(t.shape.cols));
      std::memcpy(norm.data(), base + t.data.offset, norm.size() * sizeof(float));
      continue;
    }
    WeightMatrix& m = weights.matrix(t.role, t.layer);
    m = t.shape;
    m.data = base + t.data.offset;
    if (t.scales.bytes) m.scales = reinterpret_cast<const uint16_t*>(base + t.scales.offset);
    if (t.zero_points.bytes)
      m.zero_points = reinterpret_cast<const uint8_t*>(base + t.zero_points.offset);
  }
  if (config.tie_word_embeddings) weights.lm_head = weights.embedding;
}

uint64_t matrix_bytes(const Phi3Weights& weights, bool tied) {
  uint64_t n = weights.embedding.total_bytes() + (tied ? 0 : weights.lm_head.total_bytes());
  for (const Phi3Layer& l : weights.layers)
    n += l.qkv.total_bytes() + l.o.total_bytes() + l.gate_up.total_bytes() + l.down.total_bytes();
  return n;
}

}  // namespace phial
