// SPDX-License-Identifier: Apache-2.0
// AMX's tile registers tmm0 to tmm7: the few operations that phial uses, as the instructions, or
// with PHIAL_AMX_TWIN as a model of them in plain C++ that ends the process where the processor
// would fault. Local to the file that includes it. Source: Intel SDM volume 1, chapter 18,
// volume 2.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(PHIAL_AMX_TWIN)
#include <stdio.h>
#include <stdlib.h>
#else
#include "kernels/x86/vec8.inc.h"
#endif

namespace phial::kernels {
namespace {

constexpr int kTileRegisters = 8, kTileMaxRows = 16, kTileMaxBytes = 64;

// What LDTILECFG reads.
struct TileConfig {
  uint8_t palette = 1, start_row = 0, zeros[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

#if defined(PHIAL_AMX_TWIN)

struct TileModel {
  TileConfig config;
  bool configured = false;
  uint8_t data[kTileRegisters][kTileMaxRows][kTileMaxBytes];
};
inline thread_local TileModel tile_model;

inline void tile_check(bool holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "tiles.inc.h: AMX would fault: %s\n", what);
  abort();
}

inline void tiles_begin(const TileConfig& config) {
  tile_check(config.palette == 1 && config.start_row == 0, "LDTILECFG of another palette");
  for (const uint8_t zero : config.zeros) tile_check(zero == 0, "LDTILECFG with reserved bytes");
  for (int i = 0; i < 16; i++) {
    const int rows = config.rows[i], bytes = config.row_bytes[i];
    tile_check(i < kTileRegisters || (rows == 0 && bytes == 0), "LDTILECFG of more than 8 tiles");
    tile_check(rows <= kTileMaxRows && bytes <= kTileMaxBytes, "LDTILECFG of too large a tile");
    tile_check((rows == 0) == (bytes == 0), "LDTILECFG of rows without bytes");
  }
  tile_model.config = config;
  tile_model.configured = true;
  __builtin_memset(tile_model.data, 0, sizeof tile_model.data);
}

inline void tiles_end() { tile_model.configured = false; }

inline int tile_rows(int tile) {
  tile_check(tile_model.configured && tile_model.config.rows[tile], "a tile without a shape");
  return tile_model.config.rows[tile];
}
inline int tile_bytes(int tile) { return tile_model.config.row_bytes[tile]; }

template <int kTile>
void tile_zero() {
  tile_rows(kTile);
  __builtin_memset(tile_model.data[kTile], 0, sizeof tile_model.data[kTile]);
}

template <int kTile>
void tile_load(const void* from, ptrdiff_t stride) {
  tile_zero<kTile>();
  for (int r = 0; r < tile_rows(kTile); r++)
    __builtin_memcpy(tile_model.data[kTile][r], static_cast<const char*>(from) + r * stride,
                     static_cast<size_t>(tile_bytes(kTile)));
}

template <int kTile>
void tile_store(void* to, ptrdiff_t stride) {
  for (int r = 0; r < tile_rows(kTile); r++)
    __builtin_memcpy(static_cast<char*>(to) + r * stride, tile_model.data[kTile][r],
                     static_cast<size_t>(tile_bytes(kTile)));
}

template <int kC, int kA, int kB>
void tile_add_products() {
  const int m = tile_rows(kA), k = tile_rows(kB), n = tile_bytes(kC) / 4;
  tile_check(kC != kA && kC != kB && kA != kB, "TDPBSSD of a tile with itself");
  tile_check(tile_rows(kC) == m, "TDPBSSD: C and A differ in rows");
  tile_check(tile_bytes(kC) == tile_bytes(kB), "TDPBSSD: C and B differ in columns");
  tile_check(tile_bytes(kA) == 4 * k, "TDPBSSD: A and B differ in depth");
  tile_check(tile_bytes(kC) % 4 == 0, "TDPBSSD: part of a dword");
  for (int row = 0; row < m; row++)
    for (int column = 0; column < n; column++) {
      int32_t sum;
      __builtin_memcpy(&sum, &tile_model.data[kC][row][4 * column], sizeof sum);
      for (int i = 0; i < 4 * k; i++) {
        const auto a = static_cast<int8_t>(tile_model.data[kA][row][i]),
                   b = static_cast<int8_t>(tile_model.data[kB][i / 4][4 * column + i % 4]);
        sum += a * b;
      }
      __builtin_memcpy(&tile_model.data[kC][row][4 * column], &sum, sizeof sum);
    }
}

#else

// Inline assembly: gcc 12's intrinsics don't say which memory they read, so that it may drop or
// move what was stored there before.
PHIAL_INLINE void tiles_begin(const TileConfig& config) {
  __asm__ volatile("ldtilecfg %0" ::"m"(config));
}

PHIAL_INLINE void tiles_end() { __asm__ volatile("tilerelease"); }

template <int kTile>
PHIAL_INLINE void tile_zero() {
  __asm__ volatile("tilezero %%tmm%c0" ::"i"(kTile));
}

// Rows `stride` bytes apart.
template <int kTile>
PHIAL_INLINE void tile_load(const void* from, ptrdiff_t stride) {
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(kTile) : "memory");
}

template <int kTile>
PHIAL_INLINE void tile_store(void* to, ptrdiff_t stride) {
  __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(kTile) : "memory");
}

// C[m][n] += sum over k of A[m][k] * B[k / 4][4 * n + k % 4], all int8 with sign, the sums int32.
template <int kC, int kA, int kB>
PHIAL_INLINE void tile_add_products() {
  __asm__ volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB));
}

#endif

}  // namespace
}  // namespace phial::kernels
