// SPDX-License-Identifier: Apache-2.0
#include "kernels/roofline.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "base/affinity.h"

namespace phial::kernels {
namespace {

using Clock = std::chrono::steady_clock;

// Four far-apart streams, as the decode kernels read: measured 1.2 times as fast as one.
constexpr size_t kStreams = 4, kLine = 64, kAhead = 1024;
// A thread's piece of the data: large enough that fetching the next is nothing.
constexpr size_t kPieceBytes = 1u << 20;

// All of 16 bytes, as every processor of ours loads them.
using Words [[gnu::vector_size(16), gnu::aligned(1), gnu::may_alias]] = uint64_t;
constexpr size_t kVectors = kLine / sizeof(Words);

// Sums in registers, two a stream, and no loop within the loop: kept in memory, they made this half
// as fast as the memory of a quick server.
uint64_t read_piece(const std::byte* data, size_t bytes) {
  const size_t stream = bytes / kStreams / kLine * kLine;
  Words sums[kStreams][2] = {};
  for (size_t at = 0; at < stream; at += kLine) {
#pragma GCC unroll 4
    for (size_t s = 0; s < kStreams; ++s) {
      const std::byte* const line = data + s * stream + at;
      __builtin_prefetch(line + kAhead);
#pragma GCC unroll 4
      for (size_t i = 0; i < kVectors; ++i)
        sums[s][i % 2] += *reinterpret_cast<const Words*>(line + i * sizeof(Words));
    }
  }
  uint64_t sum = 0;
  for (const auto& of_stream : sums)
    for (const Words& two : of_stream) sum += two[0] + two[1];
  return sum;
}

// body() is run at least three times and until the time is over; the largest of what it returns.
template <class Body>
double best_of(double seconds, Body&& body) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  double best = 0;
  for (int round = 0; round < 3 || Clock::now() < end; ++round) best = std::max(best, body());
  return best;
}

double seconds_since(Clock::time_point start) {
  return std::max(1e-9, std::chrono::duration<double>(Clock::now() - start).count());
}

}  // namespace

Roofline measure_roofline(ThreadPool& pool, const KernelTable& table,
                          std::span<const std::span<const std::byte>> data, double seconds) {
  Roofline result;
  const StayOn stay(pool.callers_cpu());
  std::atomic<uint64_t> sink{0};
  std::vector<std::span<const std::byte>> pieces;
  for (const std::span<const std::byte> whole : data)
    for (size_t at = 0; at < whole.size(); at += kPieceBytes)
      pieces.push_back(whole.subspan(at, std::min(kPieceBytes, whole.size() - at)));
  // A round reads some 64 MiB, from where the one before ended; less data is read several times.
  const size_t round = (64u << 20) / kPieceBytes;
  size_t first = 0;
  if (!pieces.empty())
    result.read_bytes_per_second = best_of(seconds / 2, [&] {
      const auto start = Clock::now();
      pool.parallel_for(static_cast<int64_t>(round), [&](int64_t chunk, int) {
        const auto piece = pieces[(first + static_cast<size_t>(chunk)) % pieces.size()];
        sink.fetch_add(read_piece(piece.data(), piece.size()), std::memory_order_relaxed);
      });
      const double seconds_taken = seconds_since(start);
      double bytes = 0;
      for (size_t i = 0; i < round; ++i)
        bytes += static_cast<double>(pieces[(first + i) % pieces.size()].size());
      first = (first + round) % pieces.size();
      return bytes / seconds_taken;
    });
  result.int8_ops_per_second = best_of(seconds / 2, [&] {
    constexpr uint64_t kRounds = 20000;  // some 50 to 500 us a thread
    std::atomic<uint64_t> operations{0};
    const auto start = Clock::now();
    pool.parallel_for(pool.size() * 4, [&](int64_t, int) {
      operations.fetch_add(table.int8_peak(kRounds), std::memory_order_relaxed);
    });
    return static_cast<double>(operations) / seconds_since(start);
  });
  return result;
}

}  // namespace phial::kernels
