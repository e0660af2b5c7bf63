// SPDX-License-Identifier: Apache-2.0
// The operations on strings that both tokenizer graphs are made of. A tensor of strings is three
// tensors: begins and ends [n] into chars u8; a ragged one has two more before them, begins and
// ends of each row [B] into the strings. Internal to openvino_ir/.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "export/openvino_ir/graph.h"

namespace phial {

using IrValues = std::vector<IrValue>;

inline const IrDims kIrList = {-1};  // a list of a length that only the run knows

IrValue constant_i32(IrGraph& graph, IrDims dims, std::span<const int32_t> values);
IrValue constant_i32(IrGraph& graph, int32_t value);  // a scalar
IrValue constant_i64(IrGraph& graph, int64_t value);
IrValue constant_text(IrGraph& graph, std::string_view text);  // u8 [bytes], not empty
// begins, ends, chars
IrValues constant_strings(IrGraph& graph, std::span<const std::string> strings);

// An operation of the openvino_tokenizers extension whose outputs are all lists.
IrValues string_op(IrGraph& graph, const char* type, const IrAttributes& attributes,
                   const IrValues& inputs, const std::vector<IrType>& outputs);

// Row begins and ends of a ragged tensor whose every row is one string of `begins`.
IrValues one_string_rows(IrGraph& graph, const IrValue& begins);

// Replaces all matches of `pattern` in begins, ends, chars; a fourth input marks strings that stay.
IrValues regex_replace(IrGraph& graph, IrValues strings, std::string_view pattern,
                       std::string_view replacement);

// Cuts a ragged tensor at the matches of `pattern`, which become strings too; a sixth input marks
// strings that stay whole.
IrValues regex_split(IrGraph& graph, IrValues ragged, std::string_view pattern);

// The strings of each row joined: begins, ends [B].
IrValues join_rows(IrGraph& graph, const IrValues& ragged);

IrValues operator+(IrValues left, const IrValues& right);
IrValues part(const IrValues& values, size_t begin, size_t count);

}  // namespace phial
