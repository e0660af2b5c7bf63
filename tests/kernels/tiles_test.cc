// SPDX-License-Identifier: Apache-2.0
// The model of AMX's tile registers that stands for them in tier amx_emulated: it multiplies as the
// manual says, and what would fault there ends the process.
#define PHIAL_AMX_TWIN
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "base/rng.h"
#include "kernels/x86/tiles.inc.h"

namespace phial::kernels {
namespace {

// Tile 0: C, m x n; 1: A, m x 4k bytes; 2: B, k x 4n bytes.
TileConfig shapes(int m, int n, int k) {
  TileConfig config;
  const int rows[3] = {m, m, k}, bytes[3] = {4 * n, 4 * k, 4 * n};
  for (int i = 0; i < 3; i++) {
    config.rows[i] = static_cast<uint8_t>(rows[i]);
    config.row_bytes[i] = static_cast<uint16_t>(bytes[i]);
  }
  return config;
}

TEST(TileModel, MultipliesWithSignAndAdds) {
  Rng rng(1);
  for (const auto [m, n, k] : {std::array{16, 16, 16}, {16, 16, 8}, {5, 3, 2}, {1, 1, 1}}) {
    std::vector<int8_t> a(16 * 100), b(16 * 100);
    for (int8_t& v : a) v = static_cast<int8_t>(rng.next());
    for (int8_t& v : b) v = static_cast<int8_t>(rng.next());
    int32_t c[16][20], expected[16][20];
    for (auto& row : c)
      for (int32_t& v : row) v = static_cast<int32_t>(rng.below(1000)) - 500;
    std::memcpy(expected, c, sizeof c);
    for (int i = 0; i < m; i++)
      for (int j = 0; j < n; j++)
        for (int depth = 0; depth < 4 * k; depth++)
          expected[i][j] += a[static_cast<size_t>(100 * i + depth)] *
                            b[static_cast<size_t>(100 * (depth / 4) + 4 * j + depth % 4)];
    tiles_begin(shapes(m, n, k));
    tile_load<0>(c, sizeof c[0]);
    tile_load<1>(a.data(), 100);
    tile_load<2>(b.data(), 100);
    tile_add_products<0, 1, 2>();
    tile_store<0>(c, sizeof c[0]);
    tiles_end();
    EXPECT_EQ(std::memcmp(c, expected, sizeof c), 0) << m << " x " << n << " x " << k;
  }
}

TEST(TileModelDeathTest, EndsWhereTheProcessorWouldFault) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(tile_zero<0>(), "a tile without a shape");
  EXPECT_DEATH((tiles_begin(shapes(4, 4, 4)), tile_zero<3>()), "a tile without a shape");
  EXPECT_DEATH((tiles_begin(shapes(4, 4, 4)), tiles_end(), tile_zero<0>()),
               "a tile without a shape");
  EXPECT_DEATH(tiles_begin(shapes(17, 4, 4)), "too large a tile");
  EXPECT_DEATH(tiles_begin(shapes(4, 4, 0)), "rows without bytes");
  TileConfig config = shapes(4, 4, 4);
  config.zeros[3] = 1;
  EXPECT_DEATH(tiles_begin(config), "reserved bytes");
  config = shapes(4, 4, 4);
  config.rows[0] = 3;
  EXPECT_DEATH((tiles_begin(config), tile_add_products<0, 1, 2>()), "C and A differ");
  config = shapes(4, 4, 4);
  config.row_bytes[0] = 12;
  EXPECT_DEATH((tiles_begin(config), tile_add_products<0, 1, 2>()), "C and B differ");
  config = shapes(4, 4, 4);
  config.row_bytes[1] = 12;
  EXPECT_DEATH((tiles_begin(config), tile_add_products<0, 1, 2>()), "A and B differ");
}

}  // namespace
}  // namespace phial::kernels
