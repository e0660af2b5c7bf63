// SPDX-License-Identifier: Apache-2.0
#include "model/checkpoint_weights.h"

#include "base/error.h"

namespace phial {
namespace {

WeightFormat format_of(const TensorView& tensor, const Checkpoint& checkpoint) {
  switch (tensor.dtype) {
    case DType::kF32:
      return WeightFormat::kF32;
    case DType::kF16:
      return WeightFormat::kF16;
    case DType::kBF16:
      return WeightFormat::kBF16;
    default:
      throw_error(Code::kUnsupported, "{}: tensor '{}' is of type {}, expected F32, F16 or BF16",
                  checkpoint.folder().string(), tensor.name, dtype_name(tensor.dtype));
  }
}

const TensorView& checked_tensor(const Checkpoint& checkpoint, const TensorSpec& spec) {
  const TensorView& tensor = checkpoint.tensor(spec.name);
  const Shape expected = is_norm(spec.role) ? Shape{spec.cols} : Shape{spec.rows, spec.cols};
  if (tensor.shape != expected)
    throw_error(Code::kCorrupt, "{}: tensor '{}' has shape {}, config.json leads to {}",
                checkpoint.folder().string(), spec.name, to_string(tensor.shape),
                to_string(expected));
  return tensor;
}

}  // namespace

Phi3Weights weights_from_checkpoint(const Checkpoint& checkpoint, const Phi3Config& config) {
  Phi3Weights weights;
  weights.layers.resize(static_cast<size_t>(config.n_layers));
  for (const TensorSpec& spec : tensor_specs(config)) {
    const TensorView& tensor = checked_tensor(checkpoint, spec);
    const WeightFormat format = format_of(tensor, checkpoint);
    if (is_norm(spec.role)) {
      std::vector<float>& norm = weights.norm(spec.role, spec.layer);
      norm.resize(static_cast<size_t>(spec.cols));
      to_f32(tensor, 0, spec.cols, norm.data());
    } else {
      WeightMatrix& matrix = weights.matrix(spec.role, spec.layer);
      matrix.format = format;
      matrix.rows = spec.rows;
      matrix.cols = spec.cols;
      matrix.data = tensor.data;
    }
  }
  if (config.tie_word_embeddings) weights.lm_head = weights.embedding;
  return weights;
}

}  // namespace phial
