// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/model.h"

#include <fmt/format.h>

#include <optional>

#include "export/openvino_ir/attention.h"
#include "export/openvino_ir/ops.h"
#include "export/openvino_ir/weights.h"

namespace phial {
namespace {

IrInputs make_inputs(IrGraph& graph, const Phi3Config& config, const OpenVinoIrOptions& options) {
  const int64_t batch = options.batch, sequence = options.sequence;
  const int64_t total = options.past < 0 || sequence < 0 ? -1 : options.past + sequence;
  IrInputs in;
  in.input_ids = graph.parameter("input_ids", IrType::kI64, {batch, sequence});
  in.attention_mask = graph.parameter("attention_mask", IrType::kI64, {batch, total});
  in.position_ids = graph.parameter("position_ids", IrType::kI64, {batch, sequence});
  if (!options.stateless) in.beam_idx = graph.parameter("beam_idx", IrType::kI32, {batch});
  if (config.longrope && options.rope_factors == RopeFactors::kByInput)
    in.sequence_length = graph.parameter("sequence_length", IrType::kI64, {1});
  return in;
}

// Power, ReduceMean, Add, Sqrt, Divide, Multiply, Multiply: the chain that plugins fuse. Never one
// RMS operation.
IrValue rms_norm(const IrOps& ops, const IrValue& x, const IrValue& weight, float epsilon) {
  auto one = [&ops](float value) { return ops.f32_of({1, 1, 1}, {value}); };
  const IrValue squares = ops.power("Power", x, one(2.0f));
  const IrValue mean = ops.reduce("ReduceMean", "ReduceMean", squares, ops.i64s({-1}), true,
                                  {x.dims[0], x.dims[1], 1});
  const IrValue root = ops.unary("Sqrt", "opset1", "Sqrt", ops.add("Add", mean, one(epsilon)));
  const IrValue inverse = ops.divide("Divide", one(1.0f), root);
  return ops.multiply("Multiply_weight", weight, ops.multiply("Multiply", x, inverse));
}

class Mlp {
 public:
  Mlp(IrGraph& graph, IrWeights& weights) : graph_(graph), weights_(weights) {}

  IrValue layer(int index, const IrValue& x) {
    const IrOps ops(graph_, fmt::format("model.layers.{}.mlp", index));
    const IrValue both =
        ops.mat_mul("gate_up_proj/MatMul", x, weights_.matrix(Role::kGateUp, index), true);
    if (!lengths_) work_out_halves(ops, both);
    IrDims dims = both.dims;
    dims.back() /= 2;
    const std::vector<IrValue> halves = graph_.node(
        "VariadicSplit", "opset1", fmt::format("model.layers.{}.mlp/VariadicSplit", index), {},
        {both, *axis_, *lengths_}, {{IrType::kF32, dims, ""}, {IrType::kF32, dims, ""}});
    const IrValue gate = ops.unary("Swish", "opset4", "Swish", halves[0]);
    return ops.mat_mul("down_proj/MatMul", ops.multiply("Multiply", halves[1], gate),
                       weights_.matrix(Role::kDown, index), true);
  }

 private:
  // ceil(columns / 2) and the rest, worked out in the graph as torch.chunk() is traced.
  void work_out_halves(const IrOps& ops, const IrValue& both) {
    axis_ = ops.i64(-1);
    const IrValue zero = ops.i32s({0}), two = ops.i32(2);
    const IrValue columns = ops.gather("", ops.shape_of("", both, IrType::kI32), *axis_, zero, {});
    const IrValue half = ops.divide("", columns, two);
    const IrValue odd =
        ops.convert("", ops.greater("", ops.mod("", columns, two), zero), IrType::kI32);
    lengths_ = ops.concat("", {ops.add("", half, odd), ops.i32s({-1})}, 0);
  }

  IrGraph& graph_;
  IrWeights& weights_;
  std::optional<IrValue> axis_, lengths_;
};

}  // namespace

void build_model(IrGraph& graph, const PackageParts& parts, const OpenVinoIrOptions& options) {
  const Phi3Config& config = parts.config;
  IrWeights weights(graph, parts);
  const IrInputs inputs = make_inputs(graph, config, options);
  const IrOps ops(graph, "");
  const IrValue ids = ops.convert("model.embed_tokens/Convert", inputs.input_ids, IrType::kI32);
  IrValue x = ops.gather("model.embed_tokens/Gather", weights.matrix(Role::kEmbedding, -1), ids,
                         ops.i32(0), {options.batch, options.sequence, config.hidden_size});
  IrAttention attention(graph, weights, config, options, inputs);
  Mlp mlp(graph, weights);
  const int32_t n_layers = options.n_layers > 0 ? options.n_layers : config.n_layers;
  for (int32_t i = 0; i < n_layers; ++i) {
    const std::string scope = fmt::format("model.layers.{}", i);
    const IrValue before = rms_norm(ops.in(fmt::format("{}.input_layernorm", scope)), x,
                                    weights.norm(Role::kInputNorm, i), config.rms_norm_eps);
    x = ops.in(scope).add("Add", x, attention.layer(i, before));
    const IrValue after = rms_norm(ops.in(fmt::format("{}.post_attention_layernorm", scope)), x,
                                   weights.norm(Role::kPostNorm, i), config.rms_norm_eps);
    x = ops.in(scope).add("Add_1", x, mlp.layer(i, after));
  }
  x = rms_norm(ops.in("model.norm"), x, weights.norm(Role::kFinalNorm, -1), config.rms_norm_eps);
  if (options.last_logits_only) x = ops.slice("model/last_position", x, 1, -1, kToTheEnd);
  const IrValue logits = ops.mat_mul("lm_head/MatMul", x, weights.matrix(Role::kLmHead, -1), true);
  if (options.stateless) {
    graph.result("logits", logits);
    attention.finish();
  } else {
    attention.finish();
    graph.result("logits", logits);
  }
}

}  // namespace phial
