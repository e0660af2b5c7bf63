// SPDX-License-Identifier: Apache-2.0
// The last third (Truncate, CombineSegments, RaggedToDense and what lies between) is what
// openvino_genai looks for to make truncation, padding and special tokens a matter of each call:
// openvino.genai, src/cpp/src/tokenizer/make_tokenizer_stateful.cpp.
#include "export/openvino_ir/tokenizer_graph.h"

#include <limits>

#include "export/openvino_ir/tokenizer_ops.h"

namespace phial {
namespace {

// Words that BPETokenizer remembers. Without a split a word is a whole text: nothing to remember.
constexpr int kCachedWords = 20'000;

// What Truncate cuts at when nobody asks for it: openvino_tokenizers' own number.
constexpr int32_t kNoTruncation = std::numeric_limits<int32_t>::max() - 64;

// ragged_begins, ragged_ends, begins, ends, chars, skips
IrValues cut_added_tokens(IrGraph& graph, IrValues ragged, const std::string& pattern) {
  ragged.push_back(constant_text(graph, pattern));
  return string_op(
      graph, "SpecialTokensSplit", {}, ragged,
      {IrType::kI32, IrType::kI32, IrType::kI32, IrType::kI32, IrType::kU8, IrType::kBoolean});
}

IrValues replace_in_parts(IrGraph& graph, IrValues ragged,
                          const std::vector<IrReplacement>& steps) {
  IrValues strings = part(ragged, 2, 4);
  for (const IrReplacement& step : steps)
    strings = regex_replace(graph, strings, step.pattern, step.replacement);
  return part(ragged, 0, 2) + strings;
}

// Ids of the strings, ragged: begins, ends, ids.
IrValues bpe(IrGraph& graph, const IrValues& ragged, const EncodeRules& rules,
             const BpeTables& tables) {
  std::vector<std::string> left, right, added;
  for (const auto& [first, second] : tables.merges) {
    left.push_back(first);
    right.push_back(second);
  }
  std::vector<int32_t> added_ids;
  for (const IrAddedToken& entry : rules.added) {
    added.push_back(entry.token.content);
    added_ids.push_back(entry.id);
  }
  IrValues inputs = part(ragged, 0, 5) + constant_strings(graph, tables.pieces) +
                    constant_strings(graph, left) + constant_strings(graph, right);
  if (!added.empty()) {
    inputs = inputs + constant_strings(graph, added);
    inputs.push_back(constant_i32(graph, {static_cast<int64_t>(added.size())}, added_ids));
  }
  const int cached = rules.splits.empty() ? 0 : kCachedWords;
  return string_op(graph, "BPETokenizer",
                   {{"unk_token", ""},
                    {"fuse_unk", "false"},
                    {"suffix_indicator", ""},
                    {"end_suffix", ""},
                    {"byte_fallback", "false"},
                    {"cache_capacity", std::to_string(cached)}},
                   inputs, {IrType::kI32, IrType::kI32, IrType::kI32});
}

IrValues truncate(IrGraph& graph, const IrValues& ids, int32_t max_length) {
  const std::byte no{};
  const IrValue by_default = graph.constant(IrType::kBoolean, {}, std::span(&no, 1));
  const IrOutput flag = {IrType::kBoolean, {}, ""};
  const IrValue asked = graph.node(
      "ReadValue", "opset6", "",
      {{"variable_id", "truncation"}, {"variable_type", "dynamic"}, {"variable_shape", "..."}},
      {by_default}, flag);
  graph.node("Assign", "opset6", "", {{"variable_id", "truncation"}}, {asked}, flag);
  const IrValue limit =
      graph.node("Select", "opset1", "", {{"auto_broadcast", "numpy"}},
                 {asked, constant_i32(graph, max_length), constant_i32(graph, kNoTruncation)},
                 IrOutput{IrType::kI32, {}, ""});
  return string_op(
      graph, "Truncate", {{"m_num_inputs", "1"}},
      ids + IrValues{limit, constant_text(graph, "right"), constant_text(graph, "longest_first")},
      {IrType::kI32, IrType::kI32, IrType::kI32});
}

IrValues add_prefix(IrGraph& graph, const IrValues& ids, const std::vector<TokenId>& prefix) {
  IrValues inputs;
  std::vector<int32_t> segments = {0};
  if (!prefix.empty()) {
    const int32_t count = static_cast<int32_t>(prefix.size());
    inputs = {constant_i32(graph, 0), constant_i32(graph, count),
              constant_i32(graph, {count}, prefix)};
    segments.push_back(0);
  }
  inputs = inputs + ids;
  inputs.push_back(constant_i32(graph, {static_cast<int64_t>(segments.size())}, segments));
  return part(string_op(graph, "CombineSegments", {}, inputs, std::vector(6, IrType::kI32)), 0, 3);
}

}  // namespace

void build_tokenizer(IrGraph& graph, const EncodeRules& rules, const BpeTables& tables) {
  const IrValue text = graph.parameter("string_input", IrType::kString, kIrList);
  const IrValues strings = graph.node(
      "StringTensorUnpack", "opset15", "", {}, {text},
      std::vector<IrOutput>{
          {IrType::kI32, kIrList, ""}, {IrType::kI32, kIrList, ""}, {IrType::kU8, kIrList, ""}});
  IrValues ragged = one_string_rows(graph, strings[0]) + strings;
  ragged = cut_added_tokens(graph, ragged, rules.cut_out);
  ragged = replace_in_parts(graph, ragged, rules.replacements);
  for (const std::string& pattern : rules.splits) ragged = regex_split(graph, ragged, pattern);

  const int32_t room = rules.max_length - static_cast<int32_t>(rules.prefix.size());
  IrValues ids = truncate(graph, bpe(graph, ragged, rules, tables), std::max(room, 0));
  ids = add_prefix(graph, ids, rules.prefix);

  const IrDims matrix = {-1, -1};
  const IrValue lengths = graph.node("Subtract", "opset1", "", {{"auto_broadcast", "numpy"}},
                                     {ids[1], ids[0]}, IrOutput{IrType::kI32, kIrList, ""});
  const IrValue longest =
      graph.node("ReduceMax", "opset1", "", {{"keep_dims", "false"}},
                 {lengths, constant_i32(graph, 0)}, IrOutput{IrType::kI32, {}, ""});
  const IrValues dense =
      graph.node("RaggedToDense", "extension", "",
                 {{"pad_right", rules.pad_right ? "true" : "false"}, {"m_pad_max_length", "false"}},
                 ids + IrValues{longest, constant_i32(graph, rules.pad)},
                 std::vector<IrOutput>{{IrType::kI32, matrix, ""}, {IrType::kBoolean, matrix, ""}});
  const char* names[] = {"input_ids", "attention_mask"};
  for (size_t i = 0; i < 2; ++i)
    graph.result(names[i], graph.node("Convert", "opset1", "", {{"destination_type", "i64"}},
                                      {dense[i]}, IrOutput{IrType::kI64, matrix, ""}));
}

}  // namespace phial
