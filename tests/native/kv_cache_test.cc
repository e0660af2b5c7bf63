// SPDX-License-Identifier: Apache-2.0
#include "native/kv_cache.h"

#include <gtest/gtest.h>
#if defined(_WIN32)
#include "base/windows_api.h"
// after windows.h
#include <psapi.h>
#else
#include <unistd.h>
#endif

#include <cstdio>
#include <cstring>
#include <fstream>

#include "conformance/tiny_model.h"

namespace phial {
namespace {

#if defined(_WIN32)
uint64_t resident_bytes() {
  PROCESS_MEMORY_COUNTERS counters = {};
  K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters);
  return counters.WorkingSetSize;
}
#else
uint64_t resident_bytes() {
  uint64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}
#endif

TEST(kv_cache, heads_do_not_overlap_and_positions_are_contiguous) {
  const Phi3Config config = tiny_config();
  for (const auto type : {kernels::KvType::kU8, kernels::KvType::kF16, kernels::KvType::kF32}) {
    KvCache cache(config, 10, type);
    cache.touch(10);
    EXPECT_EQ(cache.position_bytes(), type == kernels::KvType::kU8    ? 24u + kernels::kU8Tail
                                      : type == kernels::KvType::kF16 ? 48u
                                                                      : 96u);
    const size_t area = 10 * cache.position_bytes();
    uint8_t mark = 0;
    for (int layer = 0; layer < 2; ++layer)
      for (int head = 0; head < 2; ++head) {
        std::memset(cache.keys(layer, head), ++mark, area);
        std::memset(cache.values(layer, head), ++mark, area);
      }
    mark = 0;
    for (int layer = 0; layer < 2; ++layer)
      for (int head = 0; head < 2; ++head)
        for (const std::byte* at : {cache.keys(layer, head), cache.values(layer, head)}) {
          ++mark;
          EXPECT_EQ(static_cast<uint8_t>(at[0]), mark);
          EXPECT_EQ(static_cast<uint8_t>(at[area - 1]), mark);
          EXPECT_EQ(reinterpret_cast<uintptr_t>(at) % 64, 0u);
        }
  }
}

// Blocks of 64 positions: the last one is there whole, and what lies in the midst of others stays
// when the cache shrinks.
TEST(kv_cache, positions_of_i16_lie_in_blocks) {
  const Phi3Config config = tiny_config();
  KvCache cache(config, 70, kernels::KvType::kI16);
  cache.touch(65);
  const size_t block = kernels::kv_block_bytes(config.head_dim);
  EXPECT_EQ(block, 64u * (2 * 32 + 4));  // heads of 24, rounded up to 32
  EXPECT_EQ(cache.position_bytes() * 64, block);
  for (int layer = 0; layer < 2; ++layer)
    for (int head = 0; head < 2; ++head) {
      std::memset(cache.keys(layer, head), 1, 2 * block);
      std::memset(cache.values(layer, head), 2, 2 * block);
    }
  EXPECT_EQ(static_cast<int>(cache.keys(0, 0)[2 * block - 1]), 1);
  EXPECT_EQ(cache.values(0, 0) - cache.keys(0, 0),
            static_cast<std::ptrdiff_t>(static_cast<size_t>(config.n_kv_heads) * 2 * block));
}

TEST(kv_cache, a_block_stays_while_one_of_its_positions_counts) {
  Phi3Config config = tiny_config();
  config.n_layers = 32;
  config.n_heads = config.n_kv_heads = 32;
  config.head_dim = config.rotary_dim = 96;
  KvCache cache(config, 2048, kernels::KvType::kI16);
  const size_t block = kernels::kv_block_bytes(config.head_dim);
  cache.touch(512);
  for (int layer = 0; layer < 32; ++layer)
    for (int head = 0; head < 32; ++head) std::memset(cache.keys(layer, head), 3, 8 * block);
  const uint64_t full = resident_bytes();
  cache.shrink(65);
  EXPECT_LT(resident_bytes(), full - 32u * 32 * 4 * block);
  for (int layer = 0; layer < 32; ++layer)
    for (int head = 0; head < 32; ++head)
      EXPECT_EQ(static_cast<int>(cache.keys(layer, head)[2 * block - 1]), 3);
  cache.touch(512);
  std::memset(cache.keys(31, 31), 4, 8 * block);
}

TEST(kv_cache, bytes_per_token_are_those_of_the_cache) {
  const Phi3Config config = tiny_config();
  for (const auto type : {kernels::KvType::kU8, kernels::KvType::kI16, kernels::KvType::kF16,
                          kernels::KvType::kF32}) {
    const KvCache cache(config, 10, type);
    EXPECT_EQ(kv_bytes_per_token(config, type), 2u * 2u * 2u * cache.position_bytes());
  }
}

// Phi-3-mini-128k's cache: 48 GiB of address space. Memory is used for what is written and comes
// back.
TEST(kv_cache, memory_follows_what_is_written) {
  Phi3Config config = tiny_config();
  config.n_layers = 32;
  config.n_heads = config.n_kv_heads = 32;
  config.head_dim = config.rotary_dim = 96;
  const uint64_t before = resident_bytes();
  KvCache cache(config, 131072, kernels::KvType::kF16);
  const uint64_t per_position = 32 * 2 * 32 * 96 * 2;
  EXPECT_LT(resident_bytes(), before + (4u << 20));
  const int32_t written = 512;  // 192 MiB
  cache.touch(written);
  for (int layer = 0; layer < 32; ++layer)
    for (int head = 0; head < 32; ++head) {
      std::memset(cache.keys(layer, head), 1, written * cache.position_bytes());
      std::memset(cache.values(layer, head), 2, written * cache.position_bytes());
    }
  const uint64_t full = resident_bytes();
  EXPECT_GT(full, before + written * per_position * 9 / 10);
  EXPECT_LT(full, before + written * per_position * 3 / 2);
  cache.shrink(500);  // too little to be worth it
  EXPECT_EQ(static_cast<int>(cache.keys(31, 31)[511 * cache.position_bytes()]), 1);
  cache.shrink(100);
  const uint64_t less = resident_bytes();
  EXPECT_LT(less, full - 300 * per_position);
  for (int layer = 0; layer < 32; ++layer)
    for (int head = 0; head < 32; ++head) {
      EXPECT_EQ(static_cast<int>(cache.keys(layer, head)[100 * cache.position_bytes() - 1]), 1);
      EXPECT_EQ(static_cast<int>(cache.values(layer, head)[100 * cache.position_bytes() - 1]), 2);
    }
  cache.touch(512);
  cache.shrink(0);
  EXPECT_LT(resident_bytes(), before + (8u << 20));
}

}  // namespace
}  // namespace phial
