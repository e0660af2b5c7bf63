// SPDX-License-Identifier: Apache-2.0
// Speed of the kernels on one thread: decode beside the read bandwidth of the same thread, prefill
// in operations, and attention. Times are the thread's own CPU time, best of several, so that a
// busy machine disturbs them less.
//
// usage: kernel_bench [TIER...]      default: all that run here
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <vector>

#include "base/cpu_info.h"
#include "base/rng.h"
#include "kernels/dispatch.h"
#include "tensor/half.h"

namespace phial::kernels {

extern const KernelTable kAvx2VnniEvexTable;

namespace {

constexpr int32_t kRows = 9216, kCols = 3072, kGroup = 128;  // Phi-3 mini's qkv_proj
constexpr int32_t kCopies = 12;                              // 170 MB of u4: no cache holds them
constexpr int kRepetitions = 9;

double thread_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double best_seconds(const std::function<void()>& body, int repetitions = kRepetitions) {
  double best = 1e9;
  for (int i = 0; i < repetitions; i++) {
    const double start = thread_seconds();
    body();
    best = std::min(best, thread_seconds() - start);
  }
  return best;
}

// All bytes once, in four far-apart streams, as the decode kernels read.
void read_all(const std::vector<uint8_t>& bytes) {
  static volatile uint64_t sink;
  const size_t quarter = bytes.size() / 32;
  const uint64_t* p = reinterpret_cast<const uint64_t*>(bytes.data());
  uint64_t sum[8] = {};
  for (size_t i = 0; i + 8 <= quarter; i += 8)
    for (size_t s = 0; s < 4; s++) {
      __builtin_prefetch(p + s * quarter + i + 128);
      for (size_t j = 0; j < 8; j++) sum[j] += p[s * quarter + i + j];
    }
  for (const uint64_t s : sum) sink = sink + s;
}

struct Weights {
  std::vector<uint8_t> codes;
  std::vector<uint16_t> scales;

  explicit Weights(Rng& rng) : codes(static_cast<size_t>(kCopies) * kRows * kCols / 2) {
    uint64_t* p = reinterpret_cast<uint64_t*>(codes.data());
    for (size_t i = 0; i < codes.size() / 8; i++) p[i] = rng.next();
    scales.resize(static_cast<size_t>(kRows) * kCols / kGroup);
    for (uint16_t& s : scales) s = f32_to_f16(0.01f);
  }
  // u8 matrices are twice as long, so there are half as many copies.
  Matrix matrix(Format format, int copy, int32_t rows) const {
    const size_t bytes = static_cast<size_t>(kRows) * kCols / (format == Format::kU8 ? 1 : 2);
    return {format,        rows,   kCols, kGroup, codes.data() + static_cast<size_t>(copy) * bytes,
            scales.data(), nullptr};
  }
};

struct Run {
  const KernelTable& table;
  std::vector<uint8_t> packed, scratch;
  std::vector<float> x, y;

  Run(const KernelTable& t, Rng& rng, int32_t max_tokens)
      : table(t), scratch(linear_scratch_bytes() + 64) {
    x.resize(static_cast<size_t>(max_tokens) * kCols);
    for (float& v : x) v = rng.normal();
    y.resize(static_cast<size_t>(max_tokens) * kRows);
    packed.resize(packed_bytes(Format::kU8, max_tokens, kCols, 2));
  }
  void pack(Format format, int32_t n_tokens, int32_t planes) {
    (format == Format::kU8 ? table.pack_u8 : table.pack_u4)(x.data(), n_tokens, kCols, planes, 0,
                                                            n_tokens, packed.data());
  }
  void linear(const Matrix& w, int32_t n_tokens, int32_t planes) {
    const uintptr_t aligned = (reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t{63};
    const Linear l{w,      packed.data(), n_tokens,
                   planes, y.data(),      kRows,
                   0,      w.rows,        reinterpret_cast<void*>(aligned)};
    (w.format == Format::kU8 ? table.linear_u8 : table.linear_u4)(l);
  }
};

void bench_decode(const KernelTable& table, const Weights& weights, Format format, Rng& rng,
                  int32_t planes) {
  Run run(table, rng, 1);
  run.pack(format, 1, planes);
  const int copies = format == Format::kU8 ? kCopies / 2 : kCopies;
  const double read_bytes = static_cast<double>(weights.codes.size());
  const double bytes = read_bytes + 2.0 * copies * kRows * kCols / kGroup;
  double read = 1e9, decode = 1e9;
  for (int i = 0; i < kRepetitions; i++) {  // in turns: both see the same neighbours
    read = std::min(read, best_seconds([&] { read_all(weights.codes); }, 1));
    decode = std::min(decode, best_seconds(
                                  [&] {
                                    for (int copy = 0; copy < copies; copy++)
                                      run.linear(weights.matrix(format, copy, kRows), 1, planes);
                                  },
                                  1));
  }
  fmt::print("{:14} {} int{:<2} decode      {:7.2f} GB/s, {:.2f} of reading at {:.2f} GB/s\n",
             table.name, format == Format::kU8 ? "u8" : "u4", 8 * planes, bytes / decode / 1e9,
             bytes / decode * read / read_bytes, read_bytes / read / 1e9);
}

void bench_batches(const KernelTable& table, const Weights& weights, Format format, Rng& rng,
                   int32_t planes) {
  constexpr int32_t rows = 480;  // ten row tiles: short runs find quiet moments on a busy machine
  for (const int32_t n_tokens : {2, 4, 5, 8, 16, 32, 128, 512}) {
    Run run(table, rng, n_tokens);
    run.pack(format, n_tokens, planes);
    const double seconds = best_seconds(
        [&] { run.linear(weights.matrix(format, 0, rows), n_tokens, planes); }, 3 * kRepetitions);
    const double operations = 2.0 * rows * kCols * n_tokens;
    fmt::print("{:14} {} int{:<2} {:4} tokens {:7.1f} GOPS\n", table.name,
               format == Format::kU8 ? "u8" : "u4", 8 * planes, n_tokens,
               operations / seconds / 1e9);
  }
}

// One KV head of Phi-3 mini over 2048 keys.
void bench_attend(const KernelTable& table, Rng& rng) {
  constexpr int32_t kDim = 96, kKeys = 2048;
  std::vector<uint16_t> kv(2 * kDim * kKeys);
  for (uint16_t& v : kv) v = f32_to_f16(rng.normal());
  for (const int32_t n_tokens : {1, 128}) {
    std::vector<float> q(static_cast<size_t>(n_tokens) * kDim), out(q.size());
    for (float& v : q) v = rng.normal();
    Attend a{q.data(),   kDim,         n_tokens,
             1,          kDim,         kKeys - n_tokens,
             0,          kv.data(),    kv.data() + kDim * kKeys,
             kDim,       KvType::kF16, 0.1f,
             out.data(), kDim,         nullptr};
    std::vector<float> scratch(attend_scratch_floats(a));
    a.scratch = scratch.data();
    const double seconds = best_seconds([&] { table.attend(a); }, 5 * kRepetitions);
    fmt::print("{:14} attend {:3} of {} keys {:7.1f} GFLOPS, {:5.2f} GB/s of keys and values\n",
               table.name, n_tokens, kKeys, 4.0 * n_tokens * kKeys * kDim / seconds / 1e9,
               static_cast<double>(kv.size()) * 2 / seconds / 1e9);
  }
}

void bench(const KernelTable& table, const Weights& weights, Rng& rng) {
  for (const Format format : {Format::kU4, Format::kU8}) {
    for (const int32_t planes : {1, 2}) {
      bench_decode(table, weights, format, rng, planes);
      if (std::strcmp(table.name, "scalar") != 0)
        bench_batches(table, weights, format, rng, planes);
    }
  }
  bench_attend(table, rng);
}

int main(int argc, char** argv) {
  Rng rng(1);
  const Weights weights(rng);
  fmt::print("{}, one thread\n", cpu_name());
  const auto wanted = [&](std::string_view name) {
    return argc < 2 ||
           std::any_of(argv + 1, argv + argc, [&](const char* arg) { return name == arg; });
  };
  for (const Tier& tier : tiers())
    if (tier.runs_here && wanted(tier.name)) bench(table(tier.name), weights, rng);
#if defined(PHIAL_BENCH_EVEX_TWIN)
  if (cpu_features().avx512_vnni && wanted(kAvx2VnniEvexTable.name))
    bench(kAvx2VnniEvexTable, weights, rng);
#endif
  return 0;
}

}  // namespace
}  // namespace phial::kernels

int main(int argc, char** argv) { return phial::kernels::main(argc, argv); }
