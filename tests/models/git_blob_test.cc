// SPDX-License-Identifier: Apache-2.0
// Names that git itself gives (git hash-object).
#include "models/git_blob.h"

#include <gtest/gtest.h>

#include <string>

namespace phial {
namespace {

std::string name_of(const std::string& text) {
  return git_blob_name(std::as_bytes(std::span(text)));
}

TEST(git_blob, is_what_git_says) {
  EXPECT_EQ(name_of(""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(name_of("hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
  // Lengths around the padding's edges.
  EXPECT_NE(name_of(std::string(46, 'x')), name_of(std::string(47, 'x')));
  EXPECT_EQ(name_of(std::string(1000, 'a')).size(), 40u);
}

}  // namespace
}  // namespace phial
