// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/attention.h"

#include <fmt/format.h>

#include <cmath>

namespace phial {
namespace {

constexpr float kMasked = -65504.0f;  // the lowest f16: the mask survives a plugin's conversion

}  // namespace

int64_t IrAttention::total_length() const {
  return options_.past < 0 || options_.sequence < 0 ? -1 : options_.past + options_.sequence;
}

// The cache before this step, [B, n_kv, past, head_dim]: state reordered by beam_idx, or an input.
IrValue IrAttention::past_state(const Cache& cache) {
  const int64_t heads = config_.n_kv_heads, dim = config_.head_dim;
  const IrOps ops(graph_, "");
  if (options_.stateless) {
    const IrValue past = graph_.parameter(cache.key, options_.kv_f16 ? IrType::kF16 : IrType::kF32,
                                          {options_.batch, heads, options_.past, dim});
    return options_.kv_f16 ? ops.convert(fmt::format("{}/f32", cache.key), past, IrType::kF32)
                           : past;
  }
  if (!batch_list_)
    batch_list_ = ops.dimension(ops.shape_of("", inputs_.input_ids, IrType::kI64), 0, true);
  const IrValue shape =
      ops.concat("", {*batch_list_, ops.i64s({heads}), ops.i64s({0}), ops.i64s({dim})}, 0);
  const IrValue empty =
      ops.broadcast("", ops.f32(0.0f), shape, "numpy", {options_.batch, heads, 0, dim});
  // The variable's name is both tensors' names in one: optimum-intel's own convention.
  const IrValue read =
      graph_.node("ReadValue", "opset6", "",
                  {{"variable_id", cache.key + cache.present},
                   {"variable_type", "f32"},
                   {"variable_shape", fmt::format("?,{},?,{}", heads, dim)}},
                  {empty}, {IrType::kF32, {options_.batch, heads, -1, dim}, cache.key});
  return ops.gather("", read, inputs_.beam_idx, ops.i64(0), read.dims);
}

IrAttention::Cache IrAttention::append(int layer, const char* kind, const IrValue& fresh,
                                       const IrOps& ops) {
  Cache cache;
  cache.key = fmt::format("past_key_values.{}.{}", layer, kind);
  cache.present = fmt::format("present.{}.{}", layer, kind);
  cache.past = past_state(cache);
  cache.fresh = fresh;
  cache.whole = ops.concat(fmt::format("Concat_{}", kind), {cache.past, fresh}, -2);
  caches_.push_back(cache);
  return cache;
}

void IrAttention::work_out_lengths(const IrValue& x, const IrValue& past_key) {
  const IrOps ops(graph_, "");
  Lengths l;
  const IrValue past_shape = ops.shape_of("", past_key, IrType::kI64);
  l.past = ops.dimension(past_shape, 2);
  const IrValue x_shape = ops.shape_of("", x, IrType::kI64);
  l.sequence = ops.dimension(x_shape, 1);
  l.sequence_list = ops.reshape("", l.sequence, ops.i64s({1}), false, {1});
  l.total_list = ops.add("", ops.reshape("", l.past, ops.i64s({1}), false, {1}), l.sequence_list);
  l.batch = ops.dimension(x_shape, 0);
  const IrValue sequence = graph_.node("Squeeze", "opset1", "", {}, {l.sequence_list, ops.i32(0)},
                                       {IrType::kI64, {}, ""});
  l.total = ops.add("", l.past, sequence);
  lengths_ = l;
}

// [B, n_kv, T, D] -> [B, n_heads, T, D]: query heads that share a key head see copies of it.
IrValue IrAttention::repeat_heads(const IrOps& ops, const std::string& name, const IrValue& x) {
  const int64_t repeats = config_.n_heads / config_.n_kv_heads;
  if (repeats == 1) return x;
  const IrDims& d = x.dims;
  const IrValue wide = ops.unsqueeze(fmt::format("Unsqueeze_{}", name), x, ops.i64(2), 2);
  if (!expanded_shape_) {
    // All of it from this one ShapeOf. optimum-intel adds up the third number from the lengths that
    // the mask uses, and then the NPU plugin's rewriting of a sliding window's mask fails on
    // grouped queries ("Argument shapes are inconsistent", OpenVINO 2026.4).
    const IrValue shape = ops.shape_of("", x, IrType::kI64);
    const IrValue outer = ops.gather("", shape, ops.i64s({0, 1}), ops.i64(0), {2});
    expanded_shape_ = ops.concat(
        "expanded_shape",
        {outer, ops.i64s({repeats}), ops.dimension(shape, 2, true), ops.i64s({d[3]})}, 0);
  }
  const IrValue copies = ops.broadcast(fmt::format("Broadcast_{}", name), wide, *expanded_shape_,
                                       "bidirectional", {d[0], d[1], repeats, d[2], d[3]});
  return ops.reshape(fmt::format("Reshape_{}_heads", name), copies,
                     ops.i64s({0, config_.n_heads, -1, d[3]}), true,
                     {d[0], config_.n_heads, d[2], d[3]});
}

// attention_mask[b, j] as boolean [B, 1, 1, T]: an index into the flattened mask, as the tracing of
// transformers' code gives it. Paged attention removes it by this form.
IrValue IrAttention::visible_padding(const IrOps& ops, const IrValue& key_index) {
  const int64_t batch = options_.batch, total = total_length();
  const IrValue given = ops.convert("given", inputs_.attention_mask, IrType::kBoolean);
  const IrValue shape = ops.shape_of("given_shape", given, IrType::kI32);
  const IrValue count = ops.reduce("ReduceProd", "", shape, ops.i32(0), true, {1});
  const IrValue flat =
      ops.reshape("given_flat", given, ops.concat("", {count, ops.i32s({-1})}, 0), true, {-1, -1});
  const IrValue column = ops.convert("", key_index, IrType::kI32);
  IrValue row = ops.range("batch_range", ops.i32(0), lengths_->batch, ops.i32(1), batch);
  row = ops.unsqueeze("", row, ops.i64(1), 1);
  row = ops.unsqueeze("", row, ops.i64(2), 2);
  row = ops.unsqueeze("", row, ops.i64(3), 3);
  row = ops.convert("", row, IrType::kI32);
  const IrValue axis = ops.i32(0);
  const std::vector<IrValue> sizes =
      graph_.node("Split", "opset1", "", {{"num_splits", "2"}}, {shape, axis},
                  {{IrType::kI32, {1}, ""}, {IrType::kI32, {1}, ""}});
  const IrValue index = ops.add("", column, ops.multiply("", row, sizes[1]));
  const IrValue picked = ops.gather("", flat, index, axis, {batch, 1, 1, total, -1});
  const IrValue line = ops.reshape("", picked, ops.i64s({-1}), false, {-1});
  return ops.reshape("given_by_key", line, ops.shape_of("", index, IrType::kI32), false,
                     {batch, 1, 1, total});
}

// Additive, f32 [B, 1, S, T]. Visible: key j at or before query i, inside the window
// (j > i - window), and not masked out by attention_mask. i and j count places in the cache.
IrValue IrAttention::make_mask(const IrOps& ops) {
  const Lengths& l = *lengths_;
  const int64_t batch = options_.batch, sequence = options_.sequence, total = total_length();
  IrValue key = ops.range("key_range", ops.i32(0), l.total, ops.i32(1), total);
  key = ops.unsqueeze("", key, ops.i64(0), 0);
  key = ops.unsqueeze("", key, ops.i64(1), 1);
  key = ops.unsqueeze("key_index", key, ops.i64(2), 2);
  IrValue query =
      ops.range("query_range", l.past, ops.add("", l.past, l.sequence), ops.i32(1), sequence);
  query = ops.unsqueeze("", query, ops.i64(0), 0);
  query = ops.unsqueeze("", query, ops.i64(1), 1);
  query = ops.unsqueeze("query_index", query, ops.i64(3), 3);
  IrValue visible = ops.less_equal("LessEqual", key, query);
  // A window at least as long as any sequence (Phi-3.5-mini, Phi-4-mini) hides nothing.
  if (config_.sliding_window > 0 && config_.sliding_window < config_.max_positions) {
    const IrValue begin =
        ops.add("window_begin", query, ops.i64_of({1, 1, 1, 1}, -int64_t{config_.sliding_window}));
    const IrValue inside =
        ops.bitwise_and("", ops.boolean(true), ops.greater("Greater", key, begin));
    visible = ops.bitwise_and("", inside, visible);
  }
  visible = ops.bitwise_and("", ops.boolean(true), visible);
  visible = ops.bitwise_and("", visible, visible_padding(ops, key));
  const IrValue shape = ops.concat(
      "mask_shape",
      {ops.reshape("", l.batch, ops.i64s({1}), false, {1}), ops.i64s({1}), l.sequence_list,
       graph_.node("Unsqueeze", "opset1", "", {}, {l.total, ops.i32(0)}, {IrType::kI64, {1}, ""})},
      0);
  const IrDims dims = {batch, 1, sequence, total};
  const IrValue whole = ops.broadcast("Broadcast", visible, shape, "bidirectional", dims);
  const IrValue additive = ops.select("Select", whole, ops.f32(0.0f), ops.f32(kMasked));
  return graph_.node("Slice", "opset8", "model.mask/Slice", {},
                     {additive, ops.i64s({0}), l.total_list, ops.i64s({1}), ops.i64s({3})},
                     {IrType::kF32, dims, ""});
}

IrValue IrAttention::layer(int index, const IrValue& x) {
  const int64_t dim = config_.head_dim, q_rows = config_.q_rows(), kv_rows = config_.kv_rows();
  const IrOps ops(graph_, fmt::format("model.layers.{}.self_attn", index));
  const IrValue qkv = ops.mat_mul("qkv_proj/MatMul", x, weights_.matrix(Role::kQkv, index), true);
  auto heads = [&](const std::string& name, int64_t first, int64_t stop, int64_t count) {
    // Two heads of a static prefill come apart by themselves: of their Transpose the NPU compiler
    // gives one head to each of a 3720's two tiles, and fails on what is left of it
    // ("UnrollPermuteDMA ... is not equal to 3", 8.4).
    if (options_.stateless && options_.sequence > 1 && count == 2) {
      std::vector<IrValue> apart;
      for (int64_t head = 0; head < count; ++head) {
        const int64_t begin = first + head * dim;
        apart.push_back(ops.unsqueeze(
            "", ops.slice(fmt::format("Slice_{}_{}", name, head), qkv, 2, begin, begin + dim),
            ops.i64(1), 1));
      }
      return ops.concat(fmt::format("Concat_{}", name), apart, 1);
    }
    const IrValue rows = ops.slice(fmt::format("Slice_{}", name), qkv, 2, first, stop);
    const IrDims dims = {x.dims[0], x.dims[1], count, dim};
    const IrValue split = ops.reshape(fmt::format("Reshape_{}", name), rows,
                                      ops.i64s({0, 0, count, dim}), true, dims);
    return ops.transpose(fmt::format("Transpose_{}", name), split, {0, 2, 1, 3});
  };
  if (!rope_)
    rope_ = make_rope(IrOps(graph_, "model.rotary_emb"), config_, options_.rope_factors,
                      inputs_.position_ids, inputs_.sequence_length);
  const IrValue query = rotate(ops, "query", heads("query", 0, q_rows, config_.n_heads), *rope_);
  const IrValue new_key =
      rotate(ops, "key", heads("key", q_rows, q_rows + kv_rows, config_.n_kv_heads), *rope_);
  const Cache key = append(index, "key", new_key, ops);
  const Cache value =
      append(index, "value", heads("value", q_rows + kv_rows, kToTheEnd, config_.n_kv_heads), ops);
  if (!lengths_) work_out_lengths(x, key.past);
  if (!mask_) mask_ = make_mask(IrOps(graph_, "model.mask"));
  if (!scale_) scale_ = ops.f32(static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim))));
  const IrValue attended =
      graph_.node("ScaledDotProductAttention", "opset13",
                  fmt::format("model.layers.{}.self_attn/ScaledDotProductAttention", index),
                  {{"causal", "false"}},
                  {query, repeat_heads(ops, "key", key.whole),
                   repeat_heads(ops, "value", value.whole), *mask_, *scale_},
                  {IrType::kF32, query.dims, ""});
  const IrValue joined =
      ops.reshape("Reshape", ops.transpose("Transpose", attended, {0, 2, 1, 3}),
                  ops.i64s({0, 0, q_rows}), true, {x.dims[0], x.dims[1], q_rows});
  return ops.mat_mul("o_proj/MatMul", joined, weights_.matrix(Role::kO, index), true);
}

void IrAttention::finish() {
  const IrOps ops(graph_, "");
  for (const Cache& cache : caches_) {
    if (!options_.stateless) {
      graph_.node("Assign", "opset6", "", {{"variable_id", cache.key + cache.present}},
                  {cache.whole}, IrOutput{IrType::kF32, cache.whole.dims, ""});
      continue;
    }
    IrValue out = options_.whole_present ? cache.whole : cache.fresh;
    if (options_.kv_f16) out = ops.convert(fmt::format("{}/f16", cache.present), out, IrType::kF16);
    graph_.result(cache.present, out);
  }
}

}  // namespace phial
