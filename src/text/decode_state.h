// SPDX-License-Identifier: Apache-2.0
// What a decoder carries from token to token (decoder.h).
#pragma once

#include <string>

namespace phial {

struct DecodeState {
  std::string pending;  // bytes that may still become text
  int strip_left = 0;   // how many leading characters may still be stripped
};

}  // namespace phial
