// SPDX-License-Identifier: Apache-2.0
// Ids to text. The tokenizers library turns bytes that aren't UTF-8 into U+FFFD in ways of its own,
// which the extension's UTF8Validate doesn't share; so bytes stay written out as characters until
// regular expressions have found the invalid ones.
#include <fmt/format.h>

#include "base/error.h"
#include "export/openvino_ir/tokenizer_graph.h"
#include "export/openvino_ir/tokenizer_ops.h"
#include "export/openvino_ir/tokenizer_patterns.h"
#include "text/byte_alphabet.h"

namespace phial {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";     // U+FFFD
constexpr std::string_view kByteMarker = "\xF4\x8F\xBF\xBE";  // U+10FFFE, never a character
constexpr std::string_view kRowMarker = "\xF4\x8F\xBF\xBF";   // U+10FFFF, the same

// begins, ends, chars of one string a row -> ragged, as regex_split() wants it
IrValues as_rows(IrGraph& graph, const IrValues& strings) {
  return one_string_rows(graph, strings[0]) + strings;
}

// GPT-2's alphabet. The tokens are bytes in the graph, because that is what openvino_genai gives to
// structured output as the vocabulary.
IrValues decode_byte_level(IrGraph& graph, const IrValues& tokens) {
  const IrValues letters =
      string_op(graph, "BytesToChars", {}, tokens,
                {IrType::kI32, IrType::kI32, IrType::kI32, IrType::kI32, IrType::kU8});
  IrValues rows = join_rows(graph, letters);
  rows.push_back(letters[4]);
  rows =
      regex_replace(graph, rows, pcre_invalid_part_in_alphabet(), to_byte_alphabet(kReplacement));
  return string_op(graph, "CharsToBytes", {}, as_rows(graph, rows),
                   {IrType::kI32, IrType::kI32, IrType::kU8});
}

// A byte token "<0xNN>" becomes the marker and NN, so that no text can be mistaken for one.
IrValues decode_byte_fallback(IrGraph& graph, const IrValues& tokens) {
  const std::string marker(kByteMarker);
  const IrValues marked =
      regex_replace(graph, part(tokens, 2, 3), "\\A<0x([0-9A-F]{2})>\\z", marker + "$1");
  IrValues rows = join_rows(graph, part(tokens, 0, 2) + part(marked, 0, 2));
  rows.push_back(marked[2]);
  // No row may be empty from here on: the extension reads past the end of a ragged tensor then.
  rows = regex_replace(graph, rows, "\\A", kRowMarker);
  rows = regex_replace(graph, rows, pcre_byte_of_invalid_run(kByteMarker), kReplacement);
  // Bytes stand alone now, and so does each "<", lest text make a string that looks like a byte.
  const IrValues cut = regex_split(graph, as_rows(graph, rows), marker + "[0-9A-F]{2}|<");
  const IrValues written =
      regex_replace(graph, part(cut, 2, 3), "\\A" + marker + "(..)\\z", "<0x$1>");
  const IrValues bytes =
      string_op(graph, "ByteFallback", {}, written, {IrType::kI32, IrType::kI32, IrType::kU8});
  rows = join_rows(graph, part(cut, 0, 2) + part(bytes, 0, 2));
  rows.push_back(bytes[2]);
  return rows;
}

void check_byte_tokens(std::span<const std::string> tokens, const std::string& where) {
  for (const std::string& token : tokens) {
    if (token.find(kByteMarker) != std::string::npos)
      throw_error(Code::kUnsupported, "{}: the token '{}' has the noncharacter U+10FFFE", where,
                  token);
    // The library also takes lower case and a plus sign; no file of the family has them.
    if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') continue;
    if (token.substr(3, 2).find_first_not_of("0123456789ABCDEF") != std::string::npos)
      throw_error(Code::kUnsupported, "{}: the token '{}' may be a byte or not", where, token);
  }
}

}  // namespace

void build_detokenizer(IrGraph& graph, const DecodeRules& rules,
                       std::span<const std::string> tokens, std::span<const int32_t> skipped,
                       const std::string& where) {
  const IrValue ids = graph.parameter("token_ids", IrType::kI64, {-1, -1});
  const IrValue narrow = graph.node("Convert", "opset1", "", {{"destination_type", "i32"}}, {ids},
                                    IrOutput{IrType::kI32, {-1, -1}, ""});
  const int32_t none = -1;  // a list must not be empty
  if (skipped.empty()) skipped = std::span(&none, 1);
  IrValues inputs = IrValues{narrow} + constant_strings(graph, tokens);
  inputs.push_back(constant_i32(graph, {static_cast<int64_t>(skipped.size())}, skipped));
  // openvino_genai finds the vocabulary by the operation's name and its constants.
  IrValues strings =
      string_op(graph, "VocabDecoder", {{"skip_tokens", ""}}, inputs,
                {IrType::kI32, IrType::kI32, IrType::kI32, IrType::kI32, IrType::kU8});
  IrValues rows;
  if (rules.byte_level) {
    rows = decode_byte_level(graph, strings);
  } else {
    IrValues each = part(strings, 2, 3);
    for (const IrReplacement& step : rules.replaces)
      each = regex_replace(graph, each, step.pattern, step.replacement);
    strings = part(strings, 0, 2) + each;
    if (rules.byte_fallback) {
      check_byte_tokens(tokens, where);
      rows = decode_byte_fallback(graph, strings);
    } else {
      rows = join_rows(graph, strings);
      rows.push_back(strings[4]);
      rows = regex_replace(graph, rows, "\\A", kRowMarker);
    }
    std::string head = "\\A" + std::string(kRowMarker);
    if (rules.strip)
      head += fmt::format("(?:{}){{0,{}}}", pcre_literal(rules.strip_char), rules.strip);
    rows = regex_replace(graph, rows, head + "((?s).?)", "$1");
  }
  graph.result("string_output", graph.node("StringTensorPack", "opset15", "", {}, rows,
                                           IrOutput{IrType::kString, kIrList, ""}));
}

}  // namespace phial
