// SPDX-License-Identifier: Apache-2.0
// How the rows of a matrix are cut into chunks for the threads: in rounds, the first of which
// shares out half of them, the others 7/8 of what is left. Weights that are only read come faster
// in long pieces, and in few; the last ones are short, so that fast cores can take more of them and
// all end together. A core of half the others' speed has done its first piece when they have done
// all else. Not the loop itself: thread_pool.h.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/kernels.h"

namespace phial {

class RowShares {
 public:
  struct Share {
    int64_t begin, end;  // rows
  };

  // Shares are of `least` to `most` tiles of kRowTile rows, but for the last one.
  RowShares(int64_t rows, int threads, int64_t least, int64_t most)
      : rows_(rows),
        tiles_((rows + kernels::kRowTile - 1) / kernels::kRowTile),
        threads_(threads),
        least_(std::max<int64_t>(1, std::min(least, most))),
        most_(std::max<int64_t>(1, most)) {}

  int64_t count() const {
    int64_t count = 0;
    for (int64_t at = 0; at < tiles_;) {
      const int64_t size = size_at(at), here = pieces(tiles_ - at, size);
      count += here;
      at += here * size;
    }
    return count;
  }

  Share operator[](int64_t share) const {
    for (int64_t at = 0;;) {
      const int64_t size = size_at(at), here = pieces(tiles_ - at, size);
      if (share < here) {
        const int64_t begin = at + share * size;
        return {begin * kernels::kRowTile, std::min(rows_, (begin + size) * kernels::kRowTile)};
      }
      share -= here;
      at += here * size;
    }
  }

 private:
  int64_t size_at(int64_t tile) const {
    return std::clamp((tiles_ - tile) * (tile == 0 ? 4 : 7) / (8 * threads_), least_, most_);
  }
  // A round's shares: one a thread, or all the rest where they can't be smaller.
  int64_t pieces(int64_t left, int64_t size) const {
    const int64_t all = (left + size - 1) / size;
    return size == least_ ? all : std::min<int64_t>(threads_, all);
  }

  int64_t rows_, tiles_, threads_, least_, most_;
};

}  // namespace phial
