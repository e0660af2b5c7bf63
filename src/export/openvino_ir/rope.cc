// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/rope.h"

#include <fmt/format.h>

#include "model/rope.h"

namespace phial {
namespace {

// [1, half, 1] or, with LongRoPE's switch, [B, half, 1]. The switch has the form that the NPU
// plugin looks for: Select(max(position_ids) + 1 <= limit, short, long), two Unsqueeze, Broadcast.
IrValue inverse_frequencies(const IrOps& ops, const Phi3Config& config, RopeFactors factors,
                            const IrValue& position_ids, const IrValue& sequence_length) {
  const Rope rope(config);
  const int64_t half = rope.half();
  const bool switches =
      config.longrope && factors != RopeFactors::kShort && factors != RopeFactors::kLong;
  if (!switches) return ops.f32_of({1, half, 1}, rope.inv_freq(factors == RopeFactors::kLong));
  IrValue length = sequence_length;
  if (factors == RopeFactors::kByPositions) {
    const IrValue last =
        ops.reduce("ReduceMax", "ReduceMax", position_ids, ops.i64s({0, 1}), false, {});
    length = ops.add("sequence_length", last, ops.i64(1));
  }
  const IrValue fits = ops.less_equal("LessEqual", length, ops.i64(config.original_max_positions));
  const IrValue chosen = ops.select("Select", fits, ops.f32_of({half}, rope.inv_freq(false)),
                                    ops.f32_of({half}, rope.inv_freq(true)));
  const IrValue row = ops.unsqueeze("Unsqueeze_0", chosen, ops.i64(0), 0);
  const IrValue column = ops.unsqueeze("Unsqueeze_1", row, ops.i64(2), 2);
  const IrValue batch = ops.dimension(ops.shape_of("ShapeOf", position_ids, IrType::kI64), 0, true);
  const IrValue shape = ops.concat("Concat_shape", {batch, ops.i64s({half}), ops.i64s({1})}, 0);
  return ops.broadcast("Broadcast", column, shape, "bidirectional",
                       {position_ids.dims.front(), half, 1});
}

}  // namespace

IrRope make_rope(const IrOps& ops, const Phi3Config& config, RopeFactors factors,
                 const IrValue& position_ids, const IrValue& sequence_length) {
  const IrValue inv_freq = inverse_frequencies(ops, config, factors, position_ids, sequence_length);
  const IrValue one = ops.i64(1);
  const IrValue positions = ops.convert(
      "positions", ops.unsqueeze("Unsqueeze_positions", position_ids, one, 1), IrType::kF32);
  const IrValue angles =
      ops.transpose("Transpose", ops.mat_mul("MatMul", inv_freq, positions, false), {0, 2, 1});
  const IrValue both = ops.concat("Concat", {angles, angles}, -1);
  auto table = [&](const char* type) {
    IrValue values = ops.unary(type, "opset1", type, both);
    if (config.longrope)
      values = ops.multiply(
          fmt::format("{}_scaled", type), values,
          ops.f32_of({1, 1, 1}, {static_cast<float>(config.longrope->attention_factor)}));
    return ops.unsqueeze(fmt::format("Unsqueeze_{}", type), values, one, 1);
  };
  return {table("Cos"), table("Sin"), config.rotary_dim};
}

IrValue rotate(const IrOps& ops, const std::string& name, const IrValue& x, const IrRope& rope) {
  const int64_t half = rope.rotary_dim / 2, head_dim = x.dims.back();
  auto named = [&name](const char* what) { return fmt::format("{}_{}", name, what); };
  const IrValue part = ops.slice(named("rotated"), x, 3, 0, rope.rotary_dim);
  const IrValue straight = ops.multiply(named("cos"), part, rope.cos);
  const IrValue upper = ops.slice(named("upper"), part, 3, half, kToTheEnd);
  const IrValue minus_one = ops.convert(named("minus_one"), ops.i32(-1), IrType::kF32);
  const IrValue negated = ops.multiply(named("negated"), upper, minus_one);
  const IrValue lower = ops.slice(named("lower"), part, 3, 0, half);
  const IrValue swapped = ops.concat(named("swapped"), {negated, lower}, -1);
  const IrValue sum =
      ops.add(named("rope"), straight, ops.multiply(named("sin"), swapped, rope.sin));
  if (rope.rotary_dim == head_dim) return sum;
  const IrValue rest = ops.slice(named("rest"), x, 3, rope.rotary_dim, kToTheEnd);
  return ops.concat(named("whole"), {sum, rest}, -1);
}

}  // namespace phial
