// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/tokenizer_ops.h"

#include "base/error.h"

namespace phial {
namespace {

constexpr const char* kExtension = "extension";

IrValue unary(IrGraph& graph, const char* type, const char* version, const IrAttributes& attributes,
              const IrValues& inputs, IrType output, const IrDims& dims) {
  return graph.node(type, version, "", attributes, inputs, IrOutput{output, dims, ""});
}

}  // namespace

IrValue constant_i32(IrGraph& graph, IrDims dims, std::span<const int32_t> values) {
  return graph.constant(IrType::kI32, std::move(dims), std::as_bytes(values));
}

IrValue constant_i32(IrGraph& graph, int32_t value) {
  return constant_i32(graph, {}, std::span(&value, 1));
}

IrValue constant_i64(IrGraph& graph, int64_t value) {
  return graph.constant(IrType::kI64, {}, std::as_bytes(std::span(&value, 1)));
}

IrValue constant_text(IrGraph& graph, std::string_view text) {
  PHIAL_ASSERT(!text.empty());
  return graph.constant(IrType::kU8, {static_cast<int64_t>(text.size())},
                        std::as_bytes(std::span(text.data(), text.size())));
}

IrValues constant_strings(IrGraph& graph, std::span<const std::string> strings) {
  std::vector<int32_t> begins, ends;
  std::string chars;
  for (const std::string& string : strings) {
    begins.push_back(static_cast<int32_t>(chars.size()));
    chars += string;
    ends.push_back(static_cast<int32_t>(chars.size()));
  }
  const IrDims dims = {static_cast<int64_t>(strings.size())};
  return {constant_i32(graph, dims, begins), constant_i32(graph, dims, ends),
          constant_text(graph, chars)};
}

IrValues string_op(IrGraph& graph, const char* type, const IrAttributes& attributes,
                   const IrValues& inputs, const std::vector<IrType>& outputs) {
  std::vector<IrOutput> lists;
  for (const IrType output : outputs) lists.push_back({output, kIrList, ""});
  return graph.node(type, kExtension, "", attributes, inputs, lists);
}

IrValues one_string_rows(IrGraph& graph, const IrValue& begins) {
  const IrValue zero = constant_i64(graph, 0), one = constant_i64(graph, 1);
  const IrValue shape =
      unary(graph, "ShapeOf", "opset3", {{"output_type", "i64"}}, {begins}, IrType::kI64, {1});
  const IrValue count = unary(graph, "Gather", "opset8", {{"batch_dims", "0"}}, {shape, zero, zero},
                              IrType::kI64, {});
  const IrValue after =
      unary(graph, "Add", "opset1", {{"auto_broadcast", "numpy"}}, {count, one}, IrType::kI64, {});
  auto range = [&](const IrValue& from, const IrValue& to) {
    return unary(graph, "Range", "opset4", {{"output_type", "i32"}}, {from, to, one}, IrType::kI32,
                 kIrList);
  };
  return {range(zero, count), range(one, after)};
}

IrValues regex_replace(IrGraph& graph, IrValues strings, std::string_view pattern,
                       std::string_view replacement) {
  std::vector<IrType> types = {IrType::kI32, IrType::kI32, IrType::kU8};
  if (strings.size() == 4) types.push_back(IrType::kBoolean);
  PHIAL_ASSERT(strings.size() == types.size());
  strings.push_back(constant_text(graph, pattern));
  strings.push_back(constant_text(graph, replacement));
  return string_op(graph, "RegexNormalization", {{"global_replace", "true"}}, strings, types);
}

IrValues regex_split(IrGraph& graph, IrValues ragged, std::string_view pattern) {
  std::vector<IrType> types = {IrType::kI32, IrType::kI32, IrType::kI32, IrType::kI32, IrType::kU8};
  if (ragged.size() == 6) types.push_back(IrType::kBoolean);
  PHIAL_ASSERT(ragged.size() == types.size());
  ragged.push_back(constant_text(graph, pattern));
  return string_op(graph, "RegexSplit",
                   {{"behaviour", "isolate"}, {"invert", "false"}, {"max_splits", "-1"}}, ragged,
                   types);
}

IrValues join_rows(IrGraph& graph, const IrValues& ragged) {
  return string_op(graph, "FuzeRagged", {}, part(ragged, 0, 4), {IrType::kI32, IrType::kI32});
}

IrValues operator+(IrValues left, const IrValues& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

IrValues part(const IrValues& values, size_t begin, size_t count) {
  const auto first = values.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace phial
