// SPDX-License-Identifier: Apache-2.0
#include "text/byte_alphabet.h"

#include <array>
#include <cstdint>

#include "base/utf8.h"
#include "text/unicode.h"

namespace phial {
namespace {

constexpr char32_t kFirstShifted =
    0x100;  // bytes that aren't printable in Latin-1 follow from here, in order
constexpr size_t kCodes = kFirstShifted + 68;

bool is_printable(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
         (byte >= 0xAE && byte <= 0xFF);
}

struct Alphabet {
  std::array<std::string, 256> text;      // byte -> UTF-8
  std::array<int16_t, kCodes> byte_of{};  // code point -> byte, -1

  Alphabet() {
    byte_of.fill(-1);
    char32_t shifted = kFirstShifted;
    for (int byte = 0; byte < 256; ++byte) {
      const char32_t code = is_printable(byte) ? static_cast<char32_t>(byte) : shifted++;
      utf8_append(text[byte], code);
      byte_of[code] = static_cast<int16_t>(byte);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet instance;
  return instance;
}

}  // namespace

std::string to_byte_alphabet(std::string_view text) {
  const Alphabet& table = alphabet();
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (const char byte : text) out += table.text[static_cast<uint8_t>(byte)];
  return out;
}

std::string from_byte_alphabet(std::string_view token) {
  const Alphabet& table = alphabet();
  std::string bytes;
  for (size_t pos = 0, length; pos < token.size(); pos += length) {
    const char32_t c = code_point_at(token, pos, length);
    if (c >= kCodes || table.byte_of[c] < 0) return std::string(token);
    bytes.push_back(static_cast<char>(table.byte_of[c]));
  }
  return bytes;
}

}  // namespace phial
