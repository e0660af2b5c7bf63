// SPDX-License-Identifier: Apache-2.0
// The examples of FIPS 180-4 (NIST, "SHA-256 example") and the boundaries of its padding.
#include "package/sha256.h"

#include <gtest/gtest.h>

namespace phial {
namespace {

std::string hash(std::string_view text) {
  Sha256 h;
  h.add(text);
  return h.hex();
}

TEST(Sha256, KnownVectors) {
  EXPECT_EQ(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, PiecesAreOneText) {
  const std::string text(1000, 'x');
  for (size_t cut : {1u, 55u, 56u, 63u, 64u, 65u, 128u, 999u}) {
    Sha256 h;
    h.add(std::string_view(text).substr(0, cut));
    h.add(std::string_view(text).substr(cut));
    EXPECT_EQ(h.hex(), hash(text)) << cut;
  }
}

}  // namespace
}  // namespace phial
