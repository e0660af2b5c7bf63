// SPDX-License-Identifier: Apache-2.0
// Asserts that something throws phial::Error with a code, and that its message has certain words in
// it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace phial {

inline void expect_error(Code code, const std::vector<std::string>& words,
                         const std::function<void()>& what) {
  try {
    what();
    ADD_FAILURE() << "nothing was thrown, expected: " << code_name(code);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << code_name(e.code()) << ": " << e.what();
    for (const std::string& word : words)
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos)
          << "'" << word << "' isn't in: " << e.what();
  }
}

}  // namespace phial
