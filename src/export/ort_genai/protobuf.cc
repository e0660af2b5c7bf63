// SPDX-License-Identifier: Apache-2.0
#include "export/ort_genai/protobuf.h"

#include <bit>

namespace phial {
namespace {

// Wire types: https://protobuf.dev/programming-guides/encoding
constexpr int kVarint = 0, kLengthDelimited = 2, kFixed32 = 5;

}  // namespace

void ProtoMessage::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) wire_.push_back(static_cast<char>(value | 0x80));
  wire_.push_back(static_cast<char>(value));
}

void ProtoMessage::integer(int field, int64_t value) {
  tag(field, kVarint);
  varint(static_cast<uint64_t>(value));  // a negative number takes ten bytes
}

void ProtoMessage::real(int field, float value) {
  tag(field, kFixed32);
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) wire_.push_back(static_cast<char>(bits >> shift));
}

void ProtoMessage::bytes(int field, std::string_view value) {
  tag(field, kLengthDelimited);
  varint(value.size());
  wire_.append(value);
}

}  // namespace phial
