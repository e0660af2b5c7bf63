// SPDX-License-Identifier: Apache-2.0
// Who holds which sequence of a session. There are only max_sequences of them: an owner that can do
// without its cache loses it to a newcomer, longest unused first. Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/session.h"

namespace phial {

class SequenceOwner {
 public:
  virtual ~SequenceOwner() = default;
  virtual bool can_lose_it() const { return false; }
  virtual void lost_it() {}  // called before the sequence is released

  SequenceId seq = -1;  // -1: holds none

 private:
  friend class Sequences;
  uint64_t last_use_ = 0;
};

class Sequences {
 public:
  // Gives `owner` an empty sequence, or does nothing but mark its use if it holds one. Throws
  // kInvalidArgument if all are held by owners that can't lose theirs.
  void acquire(Session& session, SequenceOwner& owner);
  void release(Session& session, SequenceOwner& owner);

 private:
  std::vector<SequenceOwner*> holders_;  // [sequence], null: free
  uint64_t uses_ = 0;
};

}  // namespace phial
