// SPDX-License-Identifier: Apache-2.0
// Speed of the kernels on one thread (Google Benchmark). Times are the thread's own CPU time. Every
// result is also given as a part of what the thread can reach, measured in turns with it, the best
// of each: `of_reading` for few tokens (the four-stream read loop over as many bytes), `of_peak`
// for more (the tier's integer products with nothing to load).
//
// usage: kernel_bench [--benchmark_filter=REGEX ...]     names:
// tier/kernel/format/activations/tokens
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <string>
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

double thread_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class Body>
double seconds_of(Body&& body) {
  const double start = thread_seconds();
  body();
  return thread_seconds() - start;
}

// `bytes` once, in four far-apart streams, as the decode kernels read.
void read_all(const uint8_t* from, size_t bytes) {
  static volatile uint64_t sink;
  const size_t quarter = bytes / 32;
  const uint64_t* p = reinterpret_cast<const uint64_t*>(from);
  uint64_t sum[8] = {};
  for (size_t i = 0; i + 8 <= quarter; i += 8)
    for (size_t s = 0; s < 4; s++) {
      __builtin_prefetch(p + s * quarter + i + 128);
      for (size_t j = 0; j < 8; j++) sum[j] += p[s * quarter + i + j];
    }
  for (const uint64_t s : sum) sink = sink + s;
}

// Random weights that no cache holds. Made once, for all benchmarks.
struct Weights {
  std::vector<uint8_t> codes;
  std::vector<uint16_t> scales;

  Weights() : codes(static_cast<size_t>(kCopies) * kRows * kCols / 2) {
    Rng rng(1);
    uint64_t* p = reinterpret_cast<uint64_t*>(codes.data());
    for (size_t i = 0; i < codes.size() / 8; i++) p[i] = rng.next();
    scales.assign(static_cast<size_t>(kRows) * kCols / kGroup, f32_to_f16(0.01f));
  }
  static size_t matrix_bytes(Format format) {
    return static_cast<size_t>(kRows) * kCols / (format == Format::kU8 ? 1 : 2);
  }
  // The i-th, going round.
  Matrix matrix(Format format, size_t i) const {
    const size_t bytes = matrix_bytes(format);
    const uint8_t* data = codes.data() + i % (codes.size() / bytes) * bytes;
    return {format, kRows, kCols, kGroup, data, scales.data(), nullptr};
  }
  static const Weights& get() {
    static const Weights weights;
    return weights;
  }
};

// Packed activations and what a linear kernel needs besides.
struct Run {
  const KernelTable& table;
  Format format;
  int32_t n_tokens, planes;
  std::vector<uint8_t> packed, scratch;
  std::vector<float> y;

  Run(const KernelTable& t, Format f, int32_t tokens, int32_t n_planes)
      : table(t),
        format(f),
        n_tokens(tokens),
        planes(n_planes),
        packed(packed_bytes(f, tokens, kCols, n_planes)),
        scratch(linear_scratch_bytes() + 64),
        y(static_cast<size_t>(tokens) * kRows) {
    Rng rng(2);
    std::vector<float> x(static_cast<size_t>(tokens) * kCols);
    for (float& v : x) v = rng.normal();
    (f == Format::kU8 ? t.pack_u8 : t.pack_u4)(x.data(), tokens, kCols, n_planes, 0, tokens,
                                               packed.data());
  }
  void rows(const Matrix& w, int32_t begin, int32_t end) {
    const uintptr_t aligned = (reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t{63};
    const Linear l{w,      packed.data(), n_tokens,
                   planes, y.data(),      kRows,
                   begin,  end,           reinterpret_cast<void*>(aligned)};
    (format == Format::kU8 ? table.linear_u8 : table.linear_u4)(l);
  }
};

// 80 rows at a time, as the engine's chunks are: 128 KiB of u4.
void linear(benchmark::State& state, const KernelTable& table, Format format, int32_t planes,
            int32_t n_tokens) {
  constexpr int32_t kChunkRows = 96;
  const Weights& weights = Weights::get();
  Run run(table, format, n_tokens, planes);
  double best = 1e9, best_read = 1e9, best_peak = 1e9, peak_operations = 0;
  size_t copy = 0;
  const int32_t rows = n_tokens <= 16 ? kRows : kRows / 16;
  for (auto _ : state) {
    const Matrix w = weights.matrix(format, copy++);
    const double seconds = seconds_of([&] {
      for (int32_t row = 0; row < rows; row += kChunkRows)
        run.rows(w, row, std::min(row + kChunkRows, rows));
    });
    state.SetIterationTime(seconds);
    best = std::min(best, seconds);
    const Matrix next = weights.matrix(format, copy++);
    const size_t bytes = Weights::matrix_bytes(format) / kRows * static_cast<size_t>(rows);
    best_read = std::min(
        best_read, seconds_of([&] { read_all(static_cast<const uint8_t*>(next.data), bytes); }));
    best_peak = std::min(best_peak, seconds_of([&] {
                           peak_operations = static_cast<double>(table.int8_peak(100'000));
                         }));
  }
  const double operations = 2.0 * rows * kCols * n_tokens;
  state.counters["GOPS"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["of_reading"] = best_read / best;
  state.counters["of_peak"] = operations / best * best_peak / peak_operations;
}

// One KV head of Phi-3 mini over 2048 keys.
void attend(benchmark::State& state, const KernelTable& table, KvType type, int32_t n_tokens) {
  constexpr int32_t kDim = 96, kKeys = 2048;
  Rng rng(3);
  const size_t half = kKeys / kKvBlock * kv_block_bytes(kDim);  // f16 takes a little less
  std::vector<uint16_t> kv(half);
  char* const keys = reinterpret_cast<char*>(kv.data());
  std::vector<float> key(kDim), value(kDim);
  for (int32_t position = 0; position < kKeys; position++) {
    for (float& v : key) v = rng.normal();
    for (float& v : value) v = rng.normal();
    if (type == KvType::kI16) {
      table.append_i16(key.data(), value.data(), kDim, position, keys, keys + half);
    } else {
      table.f32_to_f16(key.data(), kDim, reinterpret_cast<uint16_t*>(keys) + position * kDim);
      table.f32_to_f16(value.data(), kDim,
                       reinterpret_cast<uint16_t*>(keys + half) + position * kDim);
    }
  }
  std::vector<float> q(static_cast<size_t>(n_tokens) * kDim), out(q.size());
  for (float& v : q) v = rng.normal();
  Attend a{q.data(), kDim, n_tokens, 1,          kDim, kKeys - n_tokens, 0, keys, keys + half,
           kDim,     type, 0.1f,     out.data(), kDim, nullptr};
  std::vector<float> scratch(attend_scratch_floats(a));
  a.scratch = scratch.data();
  for (auto _ : state) state.SetIterationTime(seconds_of([&] { table.attend(a); }));
  state.counters["GFLOPS"] = benchmark::Counter(4e-9 * n_tokens * kKeys * kDim,
                                                benchmark::Counter::kIsIterationInvariantRate);
  state.counters["GB/s"] = benchmark::Counter(2e-9 * static_cast<double>(half),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

void add(const KernelTable& table, const std::string& tier) {
  const auto named = [&](const std::string& name, auto body) {
    benchmark::RegisterBenchmark((tier + name).c_str(), body)->UseManualTime()->MinTime(0.3);
  };
  for (const Format format : {Format::kU4, Format::kU8})
    for (const int32_t planes : {1, 2})
      for (const int32_t n : {1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 64, 120, 128, 256, 512})
        named(
            fmt::format("/linear/{}/int{}/{}", format == Format::kU8 ? "u8" : "u4", 8 * planes, n),
            [&table, format, planes, n](benchmark::State& state) {
              linear(state, table, format, planes, n);
            });
  for (const KvType type : {KvType::kF16, KvType::kI16})
    for (const int32_t n : {1, 8, 128})
      named(fmt::format("/attend/{}/{}", type == KvType::kF16 ? "f16" : "i16", n),
            [&table, type, n](benchmark::State& state) { attend(state, table, type, n); });
}

int main(int argc, char** argv) {
  for (const Tier& tier : tiers())
    if (tier.runs_here) add(table(tier.name), tier.name);
#if defined(PHIAL_BENCH_EVEX_TWIN)
  if (cpu_features().avx512_vnni) add(kAvx2VnniEvexTable, kAvx2VnniEvexTable.name);
#endif
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("processor", cpu_name());
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace phial::kernels

int main(int argc, char** argv) { return phial::kernels::main(argc, argv); }
