// SPDX-License-Identifier: Apache-2.0
// The chains are NNCF's, operation by operation: plugins find compressed weights by them. The one
// difference: NNCF stores symmetric int4 as i4 without a zero point, we as u4 with the zero point
// 8; docs/decisions/0007-openvino-ir.md says what that costs (nothing that could be measured).
#include "export/openvino_ir/weights.h"

#include <fmt/format.h>

#include "base/error.h"
#include "export/openvino_ir/ops.h"

namespace phial {
namespace {

// u4 constants have no padding between rows; stored zero points pad each row to a byte.
std::vector<std::byte> pack_zero_points(const StoredTensor& t, std::span<const std::byte> stored) {
  const uint64_t rows = static_cast<uint64_t>(t.shape.rows);
  const uint64_t groups = static_cast<uint64_t>(t.shape.groups()), row_bytes = (groups + 1) / 2;
  std::vector<std::byte> packed((rows * groups + 1) / 2);
  for (uint64_t r = 0; r < rows; ++r)
    for (uint64_t g = 0; g < groups; ++g) {
      const std::byte pair = stored[r * row_bytes + g / 2];
      const std::byte code = g % 2 ? pair >> 4 : pair & std::byte{15};
      const uint64_t i = r * groups + g;
      packed[i / 2] |= i % 2 ? code << 4 : code;
    }
  return packed;
}

}  // namespace

const StoredTensor& IrWeights::find(Role role, int layer) const {
  if (role == Role::kLmHead && parts_.config.tie_word_embeddings) role = Role::kEmbedding;
  for (const StoredTensor& t : parts_.tensors)
    if (t.role == role && (!is_per_layer(role) || t.layer == layer)) return t;
  throw_error(Code::kInternal, "internal error: the package has no {} of layer {}", role_name(role),
              layer);
}

IrValue IrWeights::norm(Role role, int layer) {
  const StoredTensor& t = find(role, layer);
  return graph_.stored(fmt::format("self.{}", t.name), IrType::kF32, {1, 1, t.shape.cols}, t.data);
}

IrValue IrWeights::matrix(Role role, int layer) {
  const StoredTensor& t = find(role, layer);
  auto it = built_.find(&t);
  if (it == built_.end()) it = built_.emplace(&t, build(t)).first;
  return it->second;
}

IrValue IrWeights::zero_point(const StoredTensor& t, bool grouped) {
  const std::string name = fmt::format("self.{}/zero_point", t.name);
  const bool u4 = t.shape.format == WeightFormat::kU4;
  const IrType type = u4 ? IrType::kU4 : IrType::kU8;
  if (t.zero_points.bytes == 0) {
    const std::byte middle{static_cast<unsigned char>(u4 ? 8 : 128)};
    return graph_.constant(type, {}, std::span(&middle, 1), name);
  }
  IrDims dims = grouped ? IrDims{t.shape.rows, t.shape.groups(), 1} : IrDims{t.shape.rows, 1};
  if (!u4 || t.shape.groups() % 2 == 0)
    return graph_.stored(name, type, std::move(dims), t.zero_points);
  return graph_.constant(
      type, std::move(dims),
      pack_zero_points(t, parts_.weights.subspan(t.zero_points.offset, t.zero_points.bytes)), name);
}

IrValue IrWeights::build(const StoredTensor& t) {
  const std::string name = fmt::format("self.{}", t.name);
  const IrOps ops(graph_, "");
  const int64_t rows = t.shape.rows, cols = t.shape.cols, groups = t.shape.groups();
  switch (t.shape.format) {
    case WeightFormat::kF32:
      return graph_.stored(name, IrType::kF32, {rows, cols}, t.data);
    case WeightFormat::kF16: {
      const IrValue value =
          ops.convert(name, graph_.stored(name + "_compressed", IrType::kF16, {rows, cols}, t.data),
                      IrType::kF32);
      graph_.mark_decompression(value);
      return value;
    }
    case WeightFormat::kBF16:
      throw_error(Code::kUnsupported, "{} is bf16: an OpenVINO graph takes f16, u8 or u4", t.name);
    case WeightFormat::kU8:
    case WeightFormat::kU4:
      break;
  }
  // A recipe with groups keeps the group's dimension also where a row is one group.
  const bool grouped = t.shape.format == WeightFormat::kU4 && parts_.recipe.group_size > 0;
  const IrDims code_dims = grouped ? IrDims{rows, groups, t.shape.group} : IrDims{rows, cols};
  const IrDims scale_dims = grouped ? IrDims{rows, groups, 1} : IrDims{rows, 1};
  const IrType code_type = t.shape.format == WeightFormat::kU4 ? IrType::kU4 : IrType::kU8;
  const IrValue codes =
      ops.convert("", graph_.stored(name, code_type, code_dims, t.data), IrType::kF16);
  const IrValue zero_points = ops.convert("", zero_point(t, grouped), IrType::kF16);
  const IrValue centered = ops.subtract(name + "/zero_point/subtract", codes, zero_points);
  const IrValue scales = graph_.stored(name + "/scale", IrType::kF16, scale_dims, t.scales);
  const std::string scaled_name =
      name + (t.role == Role::kEmbedding ? "/fq_weights_0" : "/fq_weights_1");
  IrValue scaled = ops.multiply(scaled_name, centered, scales);
  if (grouped) scaled = ops.reshape("", scaled, ops.i64s({rows, cols}), false, {rows, cols});
  return ops.convert(scaled_name + "/convert", scaled, IrType::kF32);
}

}  // namespace phial
