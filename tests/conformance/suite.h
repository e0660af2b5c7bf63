// SPDX-License-Identifier: Apache-2.0
// What every Session must do, whatever engine is behind it. A backend's test program lists suite.cc
// among its sources and instantiates `Conformance` with its Subjects; adding a backend means making
// this list green.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/error.h"

namespace phial {

// The models that the suite asks for. All hold 64 positions.
enum class TinyKind {
  kPlain,     // no window, one set of rotary factors
  kLongRope,  // long factors beyond 16 positions
  kWindow,    // a sliding window of 5 keys
};

struct Subject {
  std::string name;
  std::function<std::unique_ptr<Backend>()> backend;
  std::string device;
  std::function<std::shared_ptr<const Package>(TinyKind)> package;
  // Largest difference between two ways to compute the same logits, relative to the largest logit;
  // 0: the same bytes.
  double repeat_tolerance = 0;
  // Relative L2 distance of all logits to reference_forward() of the package's weights.
  double reference_tolerance = 1e-5;
  int32_t threads = 0;        // of the sessions that the suite opens
  std::string kv_cache = {};  // SessionOptions::kv_cache of every session
};

inline std::ostream& operator<<(std::ostream& out, const Subject& subject) {
  return out << subject.name;
}

using Tokens = std::vector<TokenId>;
using Logits = std::vector<float>;

class Conformance : public ::testing::TestWithParam<Subject> {
 protected:
  std::unique_ptr<Session> open(TinyKind kind, SessionOptions options = {});

  // The two ways agree within the subject's tolerance.
  void expect_same(const Logits& got, const Logits& expected, const std::string& what) const;
};

// One step: logits of all its tokens, [n, vocab], or with `last` of the last one only.
Logits feed(Session& session, SequenceId seq, std::span<const TokenId> tokens, bool last = false);

// The last `n` of these rows.
Logits last_rows(const Logits& logits, size_t n, int32_t vocab);

double relative_distance(const Logits& got, const Logits& expected);

// What the error says if `body` throws one with this code; fails the test otherwise.
std::string error_of(Code code, const std::function<void()>& body);

}  // namespace phial
