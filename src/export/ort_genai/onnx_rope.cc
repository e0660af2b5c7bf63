// SPDX-License-Identifier: Apache-2.0
#include "export/ort_genai/onnx_rope.h"

#include <fmt/format.h>

#include "model/rope.h"

namespace phial {
namespace {

struct Tables {
  OnnxValue cos, sin;
};

// Angles in float32, as the model's definition has them; LongRoPE's attention factor is in cos and
// sin.
Tables tables(OnnxGraph& graph, const std::string& name, const std::vector<float>& inv_freq,
              int64_t positions, float factor, OnnxType type) {
  constexpr OnnxType kF32 = OnnxType::kF32;
  const OnnxValue range =
      graph.node("Range", name + "/positions",
                 {graph.real(0.0f, kF32), graph.real(static_cast<float>(positions), kF32),
                  graph.real(1.0f, kF32)});
  const OnnxValue column = graph.node("Unsqueeze", name + "/Unsqueeze", {range, graph.i64s({1})});
  const OnnxValue angles =
      graph.node("Mul", name + "/angles", {column, graph.f32s(name + ".inv_freq", inv_freq)});
  auto table = [&](const char* op) {
    const std::string scope = fmt::format("{}/{}", name, op);
    OnnxValue x = graph.node(op, scope, {angles});
    if (factor != 1.0f) x = graph.node("Mul", scope + "/Mul", {x, graph.real(factor, kF32)});
    return type == kF32 ? x : graph.cast(scope + "/Cast", x, type);
  };
  return {table("Cos"), table("Sin")};
}

// A branch of the choice: as many rows as the sequence has, so that no large table is copied.
OnnxGraph branch(const std::string& name, const Tables& t, const OnnxValue& total, OnnxType type,
                 int64_t columns) {
  OnnxGraph graph(name);
  auto rows = [&](const char* what, const OnnxValue& table) {
    const OnnxValue out = fmt::format("/rotary/{}/{}", name, what);
    graph.node("Slice", fmt::format("{}/Slice", out),
               {table, graph.i64s({0}), total, graph.i64s({0})}, std::vector<OnnxValue>{out});
    graph.output(out, type, {"rows", columns});
  };
  rows("cos", t.cos);
  rows("sin", t.sin);
  return graph;
}

}  // namespace

OnnxRope onnx_rope(OnnxGraph& graph, const OnnxWeights& weights, const Phi3Config& config,
                   const OnnxValue& total, const OnnxValue& position_ids) {
  const Rope rope(config);
  const OnnxType type = weights.real();
  if (!config.longrope) {
    const Tables t =
        tables(graph, "/rotary", rope.inv_freq(false), config.max_positions, 1.0f, type);
    return {t.cos, t.sin, position_ids};
  }
  const float factor = static_cast<float>(config.longrope->attention_factor);
  const int64_t limit = config.original_max_positions;
  const Tables s = tables(graph, "/rotary/short", rope.inv_freq(false), limit, factor, type);
  const Tables l =
      tables(graph, "/rotary/long", rope.inv_freq(true), config.max_positions, factor, type);
  if (position_ids.empty()) {
    const int64_t columns = rope.half();
    const OnnxValue longer = graph.node("Greater", "/rotary/Greater", {total, graph.i64s({limit})});
    graph.node("If", "/rotary/If", {longer}, {"cos_cache", "sin_cache"},
               {onnx_attribute("then_branch", branch("long", l, total, type, columns)),
                onnx_attribute("else_branch", branch("short", s, total, type, columns))});
    return {"cos_cache", "sin_cache", ""};
  }
  // One table, short rows and behind them long rows; a sequence over the limit looks into the rows
  // behind.
  auto both = [&](const char* what, const OnnxValue& a, const OnnxValue& b) {
    return graph.node("Concat", fmt::format("/rotary/{}_cache", what), {a, b},
                      {onnx_attribute("axis", int64_t{0})});
  };
  const OnnxValue last = graph.node("ReduceMax", "/rotary/ReduceMax", {position_ids},
                                    {onnx_attribute("keepdims", int64_t{0})});
  const OnnxValue longer =
      graph.node("GreaterOrEqual", "/rotary/GreaterOrEqual", {last, graph.i64(limit)});
  const OnnxValue behind = graph.node(
      "Mul", "/rotary/Mul", {graph.cast("/rotary/Cast", longer, OnnxType::kI64), graph.i64(limit)});
  return {both("cos", s.cos, l.cos), both("sin", s.sin, l.sin),
          graph.node("Add", "/rotary/Add", {behind, position_ids})};
}

}  // namespace phial
