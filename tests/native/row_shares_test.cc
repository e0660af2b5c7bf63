// SPDX-License-Identifier: Apache-2.0
// How rows are cut into chunks: all of them once, long pieces first.
#include "native/row_shares.h"

#include <gtest/gtest.h>

namespace phial {
namespace {

using kernels::kRowTile;

TEST(RowShares, cover_all_rows_once_in_order_and_shrink) {
  for (const int64_t rows : {1, 47, 48, 49, 96, 1000, 3072, 8192, 32064, 200064})
    for (const int threads : {1, 2, 3, 14, 64})
      for (const int64_t least : {0, 1, 2, 7})
        for (const int64_t most : {0, 1, 5, 1000}) {
          const RowShares shares(rows, threads, least, most);
          int64_t at = 0, before = INT64_MAX;
          for (int64_t i = 0; i < shares.count(); ++i) {
            const auto [begin, end] = shares[i];
            ASSERT_EQ(begin, at) << rows << " rows, share " << i << " of " << shares.count();
            ASSERT_GT(end, begin);
            ASSERT_EQ(begin % kRowTile, 0);
            ASSERT_LE(end - begin, std::max<int64_t>(1, most) * kRowTile);
            ASSERT_LE(end - begin, before);
            before = end - begin;
            at = end;
          }
          ASSERT_EQ(at, rows) << threads << " threads, " << least << " to " << most << " tiles";
        }
}

TEST(RowShares, one_thread_never_gets_more_than_a_round_at_a_time) {
  const RowShares shares(8192, 2, 1, 8192);  // 171 tiles
  EXPECT_EQ(shares[0].end, 171 / 4 * kRowTile);
  EXPECT_EQ(shares[1].end, 2 * (171 / 4) * kRowTile);
  EXPECT_EQ(shares[2].end, (84 + 87 * 7 / 16) * kRowTile);
  const auto last = shares[shares.count() - 1];
  EXPECT_LE(last.end - last.begin, kRowTile);  // what may be waited for
}

TEST(RowShares, equal_ones_where_least_is_most) {
  const RowShares shares(3072, 2, 4, 4);
  EXPECT_EQ(shares.count(), 16);
  EXPECT_EQ(shares[15].begin, 15 * 4 * kRowTile);
}

}  // namespace
}  // namespace phial
