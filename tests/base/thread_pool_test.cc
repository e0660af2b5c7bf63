// SPDX-License-Identifier: Apache-2.0
#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/cpu_info.h"
#include "base/rng.h"

namespace phial {
namespace {

TEST(ThreadPool, EveryChunkRunsOnceForAnyNumberOfThreads) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (int64_t chunks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> hits(static_cast<size_t>(chunks));
      std::atomic<bool> bad_thread{false};
      pool.parallel_for(chunks, [&](int64_t i, int thread) {
        hits[static_cast<size_t>(i)]++;
        if (thread < 0 || thread >= threads) bad_thread = true;
      });
      for (auto& h : hits) EXPECT_EQ(h.load(), 1);
      EXPECT_FALSE(bad_thread);
    }
  }
}

TEST(ThreadPool, ManyShortLoopsInARow) {
  ThreadPool pool(4);
  std::atomic<int64_t> sum{0};
  for (int loop = 0; loop < 20000; ++loop) pool.parallel_for(4, [&](int64_t i, int) { sum += i; });
  EXPECT_EQ(sum.load(), 20000 * 6);
}

TEST(ThreadPool, EachThreadBeginsWithTheChunkOfItsNumber) {
  ThreadPool pool(3);
  for (const int64_t chunks : {2, 3, 50}) {
    std::vector<int> of_chunk(static_cast<size_t>(chunks), -1);
    pool.parallel_for(chunks,
                      [&](int64_t i, int thread) { of_chunk[static_cast<size_t>(i)] = thread; });
    for (int t = 0; t < std::min<int64_t>(3, chunks); ++t)
      EXPECT_EQ(of_chunk[static_cast<size_t>(t)], t);
  }
}

// Nobody can see what is in a cache: only who is asked, and that the end of the streams is kept.
TEST(ThreadPool, EachThreadIsAskedOnceWhatItWillRead) {
  ThreadPool pool(3);
  std::vector<std::byte> bytes(1000);
  for (int loop = 0; loop < 100; ++loop) {
    std::array<std::atomic<int>, 3> asked{};
    pool.parallel_for(
        7, [](int64_t, int) {},
        [&](int thread) {
          ++asked[static_cast<size_t>(thread)];
          ReadAhead ahead;
          ahead.streams[1] = {bytes.data(), static_cast<int32_t>(bytes.size() / 64)};
          return ahead;
        });
    for (const auto& times : asked) EXPECT_EQ(times.load(), 1);
  }
  ReadAhead ahead;
  EXPECT_FALSE(ahead.fetch_some());
  ahead.streams[0] = {bytes.data(), 3};
  ahead.streams[3] = {bytes.data() + 500, 1};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ahead.fetch_some());
  EXPECT_FALSE(ahead.fetch_some());
  EXPECT_EQ(ahead.streams[0].at, bytes.data() + 192);
  EXPECT_EQ(ahead.streams[3].at, bytes.data() + 564);
}

TEST(ThreadPool, SeveralCallersTakeTurns) {
  ThreadPool pool(3);
  std::atomic<int> inside{0}, wrong{0}, total{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&, c] {
      for (int loop = 0; loop < 200; ++loop) {
        const int64_t chunks = 1 + (c + loop) % 3;
        std::atomic<int> mine{0};
        pool.parallel_for(chunks, [&](int64_t, int) {
          if (++inside > pool.size()) ++wrong;
          ++mine, ++total;
          --inside;
        });
        if (mine != chunks) ++wrong;
      }
    });
  for (auto& t : callers) t.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_GE(total.load(), 800);
}

TEST(ThreadPool, AnExceptionComesBackToTheCaller) {
  ThreadPool pool(3);
  EXPECT_THROW(pool.parallel_for(100,
                                 [](int64_t i, int) {
                                   if (i == 50) throw std::runtime_error("x");
                                 }),
               std::runtime_error);
  std::atomic<int> after{0};
  pool.parallel_for(10, [&](int64_t, int) { ++after; });
  EXPECT_EQ(after.load(), 10);
}

TEST(CpuInfo, SaysSomethingSane) {
  EXPECT_GE(available_threads(), 1);
  EXPECT_GT(physical_memory_bytes(), 1u << 20);
  EXPECT_GT(peak_rss_bytes(), 1u << 20);
  if (cpu_features().avx512_vnni) {
    EXPECT_TRUE(cpu_features().avx512);
  }
}

TEST(Rng, SameSeedSameNumbersOnEveryPlatform) {
  Rng a(1), b(1), c(2);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
  // First outputs of xoshiro256** after splitmix64 seeding with 0 (the authors' reference code).
  Rng zero(0);
  EXPECT_EQ(zero.next(), 11091344671253066420ull);
  EXPECT_EQ(zero.next(), 13793997310169335082ull);
}

TEST(Rng, NormalHasMeanZeroAndDeviationOne) {
  Rng rng(3);
  double sum = 0, squares = 0;
  constexpr int n = 200000;
  for (int i = 0; i < n; ++i) {
    const double x = rng.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / n, 0.0, 0.01);
  EXPECT_NEAR(squares / n, 1.0, 0.02);
}

}  // namespace
}  // namespace phial
