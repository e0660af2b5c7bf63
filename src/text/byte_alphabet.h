// SPDX-License-Identifier: Apache-2.0
// GPT-2's alphabet of byte-level BPE: every byte written as one printable character of
// U+0021..U+0143.
#pragma once

#include <string>
#include <string_view>

namespace phial {

// Every byte of `text` as its character.
std::string to_byte_alphabet(std::string_view text);

// The bytes that `token` stands for; the token itself if one of its characters isn't of the
// alphabet.
std::string from_byte_alphabet(std::string_view token);

}  // namespace phial
