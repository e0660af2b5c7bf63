// SPDX-License-Identifier: Apache-2.0
#include "export/ort_genai/onnx_weights.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "package/package.h"

namespace phial {
namespace {

// MatMulNBits takes blocks of 16, 32, 64, 128 and on the CPU 256 columns. A larger group, or a
// whole row, is cut into blocks that share its scale.
int64_t block_columns(const StoredTensor& t) {
  for (int64_t block : {128, 64, 32, 16})
    if (t.shape.group % block == 0) return block;
  throw_error(Code::kUnsupported,
              "{}: one scale belongs to {} columns, ONNX Runtime's MatMulNBits takes multiples of "
              "16 only; OpenVINO and phial's own engine run such a package",
              t.name, t.shape.group);
}

OnnxType float_type(const StoredTensor& t) {
  if (t.shape.format == WeightFormat::kF16) return OnnxType::kF16;
  if (t.shape.format == WeightFormat::kF32) return OnnxType::kF32;
  throw_error(Code::kUnsupported, "{}: weights in {} aren't exported to ONNX", t.name,
              weight_format_name(t.shape.format));
}

RowRange all_rows(const StoredTensor& t) { return {0, t.shape.rows}; }

}  // namespace

OnnxWeights::OnnxWeights(OnnxGraph& graph, const PackageParts& parts,
                         const OnnxModelOptions& options)
    : graph_(graph),
      parts_(parts),
      options_(options),
      real_(options.provider == OnnxProvider::kCpu ? OnnxType::kF32 : OnnxType::kF16) {}

const StoredTensor& OnnxWeights::find(Role role, int layer) const {
  if (role == Role::kLmHead && parts_.config.tie_word_embeddings) role = Role::kEmbedding;
  for (const StoredTensor& t : parts_.tensors)
    if (t.role == role && (!is_per_layer(role) || t.layer == layer)) return t;
  throw_error(Code::kInternal, "internal error: the package has no {} of layer {}", role_name(role),
              layer);
}

// Some rows of a stored piece, which has the same number of bytes for each.
OnnxValue OnnxWeights::piece(const std::string& name, OnnxType type,
                             const std::vector<int64_t>& dims, const Extent& whole,
                             int64_t all_rows, const RowRange& rows) {
  const uint64_t row = whole.bytes / static_cast<uint64_t>(all_rows);
  return graph_.stored(name, type, dims, kWeightsFile,
                       {whole.offset + row * static_cast<uint64_t>(rows.begin),
                        row * static_cast<uint64_t>(rows.end - rows.begin)});
}

// [rows, groups] -> [rows, groups * copies]: each element so often, one behind the other.
OnnxValue OnnxWeights::spread(const std::string& name, const OnnxValue& x, int64_t rows,
                              int64_t groups, int64_t copies) {
  if (copies == 1) return x;
  if (groups == 1) return graph_.node("Expand", name + "/Expand", {x, graph_.i64s({rows, copies})});
  const OnnxValue column =
      graph_.node("Reshape", name + "/Unsqueeze", {x, graph_.i64s({rows, groups, 1})});
  const OnnxValue copied =
      graph_.node("Expand", name + "/Expand", {column, graph_.i64s({rows, groups, copies})});
  return graph_.node("Reshape", name + "/Reshape", {copied, graph_.i64s({rows, groups * copies})});
}

OnnxValue OnnxWeights::scales(const std::string& name, const StoredTensor& t, const RowRange& rows,
                              int64_t copies) {
  const int64_t n = rows.end - rows.begin, groups = t.shape.groups();
  const OnnxValue stored = piece(name, OnnxType::kF16, {n, groups}, t.scales, t.shape.rows, rows);
  const OnnxValue typed =
      real_ == OnnxType::kF16 ? stored : graph_.cast(name + "/Cast", stored, real_);
  return spread(name, typed, n, groups, copies);
}

// u8 [..., n] -> i32 [..., n, 2]: low nibble, high nibble. In arithmetic that every provider has.
OnnxValue OnnxWeights::nibbles(const std::string& name, const OnnxValue& bytes) {
  const OnnxValue byte = graph_.cast(name + "/Cast", bytes, OnnxType::kI32);
  const OnnxValue high = graph_.node("Div", name + "/high", {byte, graph_.i32(16)});
  const OnnxValue above = graph_.node("Mul", name + "/above", {high, graph_.i32(16)});
  const OnnxValue low = graph_.node("Sub", name + "/low", {byte, above});
  auto column = [&](const char* which, const OnnxValue& x) {
    return graph_.node("Unsqueeze", fmt::format("{}/{}/Unsqueeze", name, which),
                       {x, graph_.i64s({-1})});
  };
  return graph_.node("Concat", name + "/Concat", {column("low", low), column("high", high)},
                     {onnx_attribute("axis", int64_t{-1})});
}

// As MatMulNBits wants them: u8 [rows, blocks], or two 4-bit ones a byte [rows, ceil(blocks / 2)].
// Empty if it is to assume the middle of the codes.
OnnxValue OnnxWeights::zero_points(const std::string& name, const StoredTensor& t,
                                   const RowRange& rows, int64_t copies) {
  const int64_t n = rows.end - rows.begin, groups = t.shape.groups();
  const bool u4 = t.shape.format == WeightFormat::kU4;
  const int64_t blocks = groups * copies, columns = u4 ? (blocks + 1) / 2 : blocks;
  if (t.zero_points.bytes == 0) {
    // DirectML dequantizes codes without a zero point as if it were 0.
    if (options_.provider != OnnxProvider::kDml) return "";
    return graph_.node("Expand", name + "/Expand",
                       {graph_.u8(u4 ? 0x88 : 0x80), graph_.i64s({n, columns})});
  }
  const int64_t stored_columns = u4 ? (groups + 1) / 2 : groups;
  const OnnxValue stored =
      piece(name, OnnxType::kU8, {n, stored_columns}, t.zero_points, t.shape.rows, rows);
  if (copies == 1) return stored;
  if (!u4) return spread(name, stored, n, groups, copies);
  // One zero point (its neighbour in the byte is 0), or pairs of them: each becomes both nibbles of
  // a byte, and that byte is repeated. A group of a power of two makes an even number of blocks.
  OnnxValue single =
      groups == 1
          ? graph_.cast(name + "/Cast", stored, OnnxType::kI32)
          : graph_.node("Reshape", name + "/nibbles/Reshape",
                        {nibbles(name + "/nibbles", stored), graph_.i64s({n, 2 * stored_columns})});
  if (groups > 1 && groups % 2 != 0)
    single = graph_.node("Slice", name + "/Slice",
                         {single, graph_.i64s({0}), graph_.i64s({groups}), graph_.i64s({1})});
  const OnnxValue twice = graph_.node("Mul", name + "/Mul", {single, graph_.i32(17)});
  const OnnxValue byte = graph_.cast(name + "/twice/Cast", twice, OnnxType::kU8);
  return spread(name, byte, n, groups, groups == 1 ? columns : copies / 2);
}

OnnxValue OnnxWeights::project(const std::string& name, const OnnxValue& x, Role role, int layer) {
  return project(name, x, role, layer, all_rows(find(role, layer)));
}

OnnxValue OnnxWeights::project(const std::string& name, const OnnxValue& x, Role role, int layer,
                               const RowRange& rows, const std::string& output) {
  const StoredTensor& t = find(role, layer);
  const int64_t n = rows.end - rows.begin, k = t.shape.cols;
  const std::string node = fmt::format("/{}/MatMul", name);
  std::string weight = fmt::format("{}.MatMul.weight", name);
  std::replace(weight.begin(), weight.end(), '/', '.');
  const OnnxValue out = output.empty() ? node + "/output_0" : output;
  if (!is_quantized(t.shape.format)) {
    const OnnxType stored_type = float_type(t);
    OnnxValue w = piece(weight, stored_type, {n, k}, t.data, t.shape.rows, rows);
    if (stored_type != real_) w = graph_.cast(weight + "/Cast", w, real_);
    // MatMul would want the weights transposed; this takes them as they lie.
    graph_.node("FusedMatMul", node, {x, w}, std::vector<OnnxValue>{out},
                {onnx_attribute("alpha", 1.0f), onnx_attribute("transA", int64_t{0}),
                 onnx_attribute("transB", int64_t{1})},
                kOnnxMicrosoft);
    return out;
  }
  const bool u4 = t.shape.format == WeightFormat::kU4;
  const int64_t bits = u4 ? 4 : 8, block = block_columns(t), copies = t.shape.group / block;
  const OnnxValue codes = piece(fmt::format("{}_Q{}", weight, bits), OnnxType::kU8,
                                {n, k / block, block * bits / 8}, t.data, t.shape.rows, rows);
  std::vector<OnnxValue> inputs = {x, codes, scales(weight + "_scales", t, rows, copies)};
  const OnnxValue zeros = zero_points(weight + "_zero_points", t, rows, copies);
  if (!zeros.empty()) inputs.push_back(zeros);
  OnnxGraph::Attributes attributes = {onnx_attribute("K", k), onnx_attribute("N", n)};
  if (options_.provider == OnnxProvider::kCpu)
    attributes.push_back(onnx_attribute("accuracy_level", int64_t{options_.accuracy_level}));
  attributes.push_back(onnx_attribute("bits", bits));
  attributes.push_back(onnx_attribute("block_size", block));
  graph_.node("MatMulNBits", fmt::format("{}_Q{}", node, bits), inputs, std::vector<OnnxValue>{out},
              attributes, kOnnxMicrosoft);
  return out;
}

OnnxValue OnnxWeights::norm(Role role, int layer) {
  const StoredTensor& t = find(role, layer);
  const OnnxValue stored =
      graph_.stored(t.name, OnnxType::kF32, {t.shape.cols}, kWeightsFile, t.data);
  return real_ == OnnxType::kF32 ? stored : graph_.cast(t.name + "/Cast", stored, real_);
}

// Rows of a quantized embedding are picked as codes and dequantized then: the same bytes serve a
// tied lm_head, and no table of floats is ever made.
OnnxValue OnnxWeights::embed(const OnnxValue& ids) {
  const StoredTensor& t = find(Role::kEmbedding, -1);
  const std::string name = "/model/embed_tokens";
  const int64_t rows = t.shape.rows, cols = t.shape.cols, groups = t.shape.groups();
  auto pick = [&](const std::string& what, OnnxType type, int64_t columns, const Extent& extent) {
    const OnnxValue table =
        graph_.stored(what.empty() ? t.name : fmt::format("{}_{}", t.name, what), type,
                      {rows, columns}, kWeightsFile, extent);
    return graph_.node("Gather",
                       what.empty() ? name + "/Gather" : fmt::format("{}/{}/Gather", name, what),
                       {table, ids});
  };
  auto to_real = [&](const std::string& what, const OnnxValue& x) {
    return graph_.cast(fmt::format("{}/{}/Cast", name, what), x, real_);
  };
  if (!is_quantized(t.shape.format)) {
    const OnnxType type = float_type(t);
    const OnnxValue picked = pick("", type, cols, t.data);
    return type == real_ ? picked : to_real("row", picked);
  }
  const bool u4 = t.shape.format == WeightFormat::kU4;
  // [B, S, groups, columns of a group]; u8 has one group.
  auto unpacked = [&](const std::string& what, const OnnxValue& bytes, int64_t n, int64_t take,
                      int64_t width) {
    if (!u4) return to_real(what, bytes);
    const std::string scope = fmt::format("{}/{}", name, what);
    OnnxValue x = graph_.node("Reshape", scope + "/flat",
                              {nibbles(scope, bytes), graph_.i64s({0, 0, 2 * n})});
    if (take < 2 * n)
      x = graph_.node("Slice", scope + "/Slice",
                      {x, graph_.i64s({0}), graph_.i64s({take}), graph_.i64s({2})});
    x = graph_.node("Reshape", scope + "/Reshape", {x, graph_.i64s({0, 0, groups, width})});
    return graph_.cast(scope + "/real", x, real_);
  };
  const int64_t code_bytes = u4 ? cols / 2 : cols, zero_bytes = u4 ? (groups + 1) / 2 : groups;
  OnnxValue x = unpacked("codes", pick("codes", OnnxType::kU8, code_bytes, t.data), code_bytes,
                         cols, u4 ? t.shape.group : cols);
  const OnnxValue zero =
      t.zero_points.bytes
          ? unpacked("zero_points", pick("zero_points", OnnxType::kU8, zero_bytes, t.zero_points),
                     zero_bytes, groups, 1)
          : graph_.real(u4 ? 8.0f : 128.0f, real_);
  x = graph_.node("Sub", name + "/Sub", {x, zero});
  OnnxValue scale = pick("scales", OnnxType::kF16, groups, t.scales);
  if (real_ != OnnxType::kF16) scale = to_real("scales", scale);
  if (u4)
    scale =
        graph_.node("Reshape", name + "/scales/Reshape", {scale, graph_.i64s({0, 0, groups, 1})});
  x = graph_.node("Mul", name + "/Mul", {x, scale});
  return u4 ? graph_.node("Reshape", name + "/Reshape", {x, graph_.i64s({0, 0, cols})}) : x;
}

}  // namespace phial
