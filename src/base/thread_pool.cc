// SPDX-License-Identifier: Apache-2.0
#include "base/thread_pool.h"

#include "base/affinity.h"
#include "base/cpu_info.h"
#include "base/system.h"
#include "base/wait_on.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace phial {
namespace {

// About 50 microseconds on a 3 GHz core: longer than the serial pieces between two layers' loops,
// shorter than anybody notices as load.
constexpr int kSpins = 4000;

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

void fetch(const std::byte* line) {
#if defined(__x86_64__)
  _mm_prefetch(reinterpret_cast<const char*>(line), _MM_HINT_T1);
#else
  __builtin_prefetch(line, 0, 2);
#endif
}

}  // namespace

bool ReadAhead::fetch_some() {
  bool any = false;
  for (Stream& stream : streams) {
    if (stream.lines == 0) continue;
    fetch(stream.at);
    stream.at += 64;
    --stream.lines;
    any = true;
  }
  return any;
}

ThreadPool::ThreadPool(int threads, Places places) {
  if (threads <= 0) threads = available_threads();
  // Fewer threads than processors could meet those of another program on the same ones.
  if (places == Places::kOneEach && threads > 1 &&
      environment("PHIAL_PIN_THREADS").value_or("") != "no")
    if (cpus_ = Affinity::of_this_thread().cpus(); cpus_.size() != static_cast<size_t>(threads))
      cpus_.clear();
  for (int i = 1; i < threads; ++i)
    workers_.emplace_back([this, i] {
      if (!cpus_.empty()) Affinity::of(cpus_[static_cast<size_t>(i)]).apply();
      work(i);
    });
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  generation_.fetch_add(1);
  wake_all(generation_);
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(int64_t chunks, Function function, void* context, AheadFunction ahead,
                     void* ahead_context) {
  if (chunks <= 0) return;
  std::lock_guard lock(
      loop_);  // also for a single chunk: bodies own the scratch of their thread number
  if (workers_.empty() || chunks == 1) {
    for (int64_t i = 0; i < chunks; ++i) function(context, i, 0);
    return;
  }
  chunks_ = chunks;
  function_ = function;
  context_ = context;
  ahead_ = ahead;
  ahead_context_ = ahead_context;
  error_ = nullptr;
  failed_.clear();
  next_.store(size(), std::memory_order_relaxed);  // each thread begins with its own
  busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  // Sequentially consistent, here and for busy_: whoever notifies must not look for waiters before
  // the change can be seen, which release alone would allow on Arm.
  generation_.fetch_add(1);
  wake_all(generation_);
  drain(0);
  if (ahead_) callers_ahead_ = ahead_(ahead_context_, 0);
  for (int spins = 0; busy_.load(std::memory_order_acquire) != 0;) {
    if (callers_ahead_.fetch_some()) continue;
    if (++spins < kSpins) {
      relax();
    } else if (int busy = busy_.load(std::memory_order_acquire); busy != 0) {
      wait_on(busy_, busy);
    }
  }
  if (error_) std::rethrow_exception(error_);
}

void ThreadPool::drain(int thread) {
  for (int64_t i = thread; i < chunks_; i = next_.fetch_add(1, std::memory_order_relaxed)) {
    try {
      function_(context_, i, thread);
    } catch (...) {
      if (!failed_.test_and_set()) error_ = std::current_exception();
      next_.store(chunks_, std::memory_order_relaxed);
    }
  }
}

void ThreadPool::work(int thread) {
  uint32_t seen = 0;
  ReadAhead mine;
  for (;;) {
    for (int spins = 0; generation_.load(std::memory_order_acquire) == seen;) {
      if (mine.fetch_some()) continue;
      if (++spins < kSpins)
        relax();
      else
        wait_on(generation_, seen);
    }
    if (stop_.load()) return;
    seen = generation_.load(std::memory_order_acquire);
    drain(thread);
    // Asked before the caller can go on: what it asks is the caller's.
    if (ahead_) mine = ahead_(ahead_context_, thread);
    if (busy_.fetch_sub(1) == 1) wake_all(busy_);
  }
}

}  // namespace phial
