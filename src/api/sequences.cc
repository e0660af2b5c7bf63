// SPDX-License-Identifier: Apache-2.0
// Handing out sequences, with the least recently used one taken back when all are held.
#include "api/sequences.h"

#include "base/error.h"

namespace phial {

void Sequences::acquire(Session& session, SequenceOwner& owner) {
  owner.last_use_ = ++uses_;
  if (owner.seq >= 0) return;
  if (holders_.empty()) holders_.resize(static_cast<size_t>(session.limits().max_sequences));
  size_t chosen = holders_.size();
  for (size_t i = 0; i < holders_.size(); ++i) {
    if (!holders_[i]) {
      chosen = i;
      break;
    }
    if (holders_[i]->can_lose_it() &&
        (chosen == holders_.size() || holders_[i]->last_use_ < holders_[chosen]->last_use_)) {
      chosen = i;
    }
  }
  if (chosen == holders_.size()) {
    throw_error(Code::kInvalidArgument,
                "all {} sequences of this model are held by open sessions: release one, or open "
                "the model with a larger "
                "max_sequences",
                holders_.size());
  }
  if (holders_[chosen]) {
    SequenceOwner& loser = *holders_[chosen];
    loser.lost_it();
    release(session, loser);
  }
  holders_[chosen] = &owner;
  owner.seq = static_cast<SequenceId>(chosen);
}

void Sequences::release(Session& session, SequenceOwner& owner) {
  if (owner.seq < 0) return;
  session.release(owner.seq);
  holders_[static_cast<size_t>(owner.seq)] = nullptr;
  owner.seq = -1;
}

}  // namespace phial
