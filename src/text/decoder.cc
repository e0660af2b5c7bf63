// SPDX-License-Identifier: Apache-2.0
#include "text/decoder.h"

#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "text/byte_alphabet.h"
#include "text/normalizer.h"
#include "text/unicode.h"

namespace phial {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr int kMaxStrip = 1000;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte of "<0xNN>", or -1. The library's number parser takes a plus sign for the first digit,
// so this does too.
int byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
  const int high = token[3] == '+' ? 0 : hex_digit(token[3]), low = hex_digit(token[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace

Decoder::Decoder(const JsonView& file) {
  if (!file.has("decoder"))
    throw_error(Code::kUnsupported,
                "{}: there is no decoder; expected ByteLevel or a Sequence with ByteFallback",
                file.where());
  int stage = 0;
  add(file.object("decoder"), 0, stage);
}

// The steps may come in the family's order only (stage counts up), which lets a token be decoded at
// once.
void Decoder::add(const JsonView& step, int depth, int& stage) {
  const std::string type = step.string("type");
  if (type == "Sequence" && depth < 4) {
    const Json& list = step.at("decoders");
    if (!list.is_array())
      throw_error(Code::kCorrupt, "{}: 'decoders' must be an array", step.where());
    for (const Json& inner : list) add(JsonView(inner, step.where()), depth + 1, stage);
    return;
  }
  const bool first_of_kind = stage == 0;
  auto enter = [&](int next) {
    if (next < stage || (next == stage && next != 1))
      throw_error(
          Code::kUnsupported,
          "{}: decoder step '{}' comes too late, expected Replace, ByteFallback, Fuse, Strip",
          step.where(), type);
    stage = next;
  };
  if (type == "ByteLevel" && first_of_kind) {
    enter(5);
    byte_level_ = true;
  } else if (type == "Replace") {
    enter(1);
    const JsonView pattern = step.object("pattern");
    if (!pattern.has("String") || pattern.string("String").empty() || replaces_.size() >= 16)
      throw_error(Code::kUnsupported, "{}: Replace with {}: phial replaces strings only",
                  step.where(), pattern.json().dump());
    replaces_.push_back({pattern.string("String"), step.string("content")});
    if (replaces_.back().content.size() > replaces_.back().pattern.size())
      throw_error(Code::kUnsupported, "{}: a decoder's Replace that makes text longer",
                  step.where());
  } else if (type == "ByteFallback") {
    enter(2);
    byte_fallback_ = true;
  } else if (type == "Fuse") {
    enter(3);
  } else if (type == "Strip" && stage == 3) {  // without Fuse it would strip each token
    enter(4);
    strip_ = step.string("content");
    strip_count_ = static_cast<int>(step.integer("start", 0, kMaxStrip));
    size_t length = 0;
    if (!strip_.empty()) code_point_at(strip_, 0, length);
    if (strip_.empty() || length != strip_.size())
      throw_error(Code::kCorrupt, "{}: Strip of '{}', expected one character", step.where(),
                  strip_);
    if (step.integer("stop", 0, kMaxStrip) != 0)
      throw_error(Code::kUnsupported, "{}: Strip at the end of a text isn't supported",
                  step.where());
  } else {
    throw_error(Code::kUnsupported,
                "{}: decoder step '{}' isn't supported here, expected ByteLevel or Replace, "
                "ByteFallback, Fuse, Strip",
                step.where(), type);
  }
}

void Decoder::emit(DecodeState& state, std::string_view text, std::string& out) const {
  for (; state.strip_left > 0 && !text.empty(); text.remove_prefix(strip_.size())) {
    if (!text.starts_with(strip_)) {
      state.strip_left = 0;
      break;
    }
    --state.strip_left;
  }
  out.append(text);
}

// A run of byte tokens is text if all of it is valid; otherwise each byte becomes U+FFFD.
void Decoder::flush_bytes(DecodeState& state, std::string& out) const {
  if (state.pending.empty()) return;
  const std::string bytes = std::exchange(state.pending, {});
  if (utf8_first_invalid(bytes) == std::string::npos) return emit(state, bytes, out);
  for (size_t i = 0; i < bytes.size(); ++i) emit(state, kReplacement, out);
}

void Decoder::push(DecodeState& state, std::string_view token, std::string& out) const {
  if (byte_level_) {
    state.pending += from_byte_alphabet(token);
    const size_t complete = state.pending.size() - utf8_incomplete_tail(state.pending);
    out += utf8_replace_invalid(std::string_view(state.pending).substr(0, complete));
    state.pending.erase(0, complete);
    return;
  }
  std::string text(token);
  for (const Replace& replace : replaces_)
    text = replace_all(text, replace.pattern, replace.content);
  const int byte = byte_fallback_ ? byte_of_token(text) : -1;
  if (byte >= 0) {
    state.pending.push_back(static_cast<char>(byte));
    return;
  }
  flush_bytes(state, out);
  emit(state, text, out);
}

void Decoder::finish(DecodeState& state, std::string& out) const {
  if (byte_level_) {
    out += utf8_replace_invalid(std::exchange(state.pending, {}));
  } else {
    flush_bytes(state, out);
  }
}

}  // namespace phial
