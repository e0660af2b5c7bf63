// SPDX-License-Identifier: Apache-2.0
// A pool of threads for short parallel loops, many thousand a second. Workers spin briefly between
// loops, then sleep. Chunks are handed out dynamically, since an AI PC mixes fast and slow cores,
// but for the first of each thread. Not a task queue.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace phial {

// Memory that a thread will soon read, to be fetched into its cache while it has nothing to do. A
// stream's lines needn't be there: what isn't mapped isn't fetched.
struct ReadAhead {
  struct Stream {
    const std::byte* at = nullptr;
    int32_t lines = 0;  // of 64 bytes
  };
  std::array<Stream, 4> streams;

  bool fetch_some();  // a line of each; false: nothing is left
};

class ThreadPool {
 public:
  enum class Places { kAny, kOneEach };

  // `threads` counts the caller: 1 starts no worker. 0 means available_threads(). kOneEach: if
  // there are as many threads as processors, each worker stays on one (PHIAL_PIN_THREADS=no:
  // never), and the caller should, with StayOn(callers_cpu()), while it has many loops ahead.
  explicit ThreadPool(int threads = 0, Places places = Places::kAny);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // The processor that is left for the caller, -1 if workers may run anywhere.
  int callers_cpu() const { return cpus_.empty() ? -1 : cpus_[0]; }

  // Calls body(chunk, thread) for every chunk in [0, chunks), thread in [0, size()); returns when
  // all are done. Chunk t is thread t's. The first exception is thrown again here (the remaining
  // chunks are skipped). Allocates nothing. One loop at a time: a second caller waits; calling it
  // from inside a body is a deadlock.
  template <class Body>
  void parallel_for(int64_t chunks, Body&& body) {
    run(chunks, call<Body>, address(body), nullptr, nullptr);
  }

  // Asks ahead(thread), in that thread, for what it will read in a later loop. What it finds no time
  // for is kept through loops that have nothing of their own.
  template <class Body, class Ahead>
  void parallel_for(int64_t chunks, Body&& body, Ahead&& ahead) {
    run(
        chunks, call<Body>, address(body),
        [](void* context, int thread) {
          return (*static_cast<std::remove_reference_t<Ahead>*>(context))(thread);
        },
        address(ahead));
  }

 private:
  using Function = void (*)(void* context, int64_t chunk, int thread);
  using AheadFunction = ReadAhead (*)(void* context, int thread);

  template <class Body>
  static void call(void* context, int64_t chunk, int thread) {
    (*static_cast<std::remove_reference_t<Body>*>(context))(chunk, thread);
  }
  template <class Object>
  static void* address(Object& object) {
    return const_cast<void*>(static_cast<const void*>(&object));
  }

  void run(int64_t chunks, Function function, void* context, AheadFunction ahead,
           void* ahead_context);
  void work(int thread);
  void drain(int thread);

  std::vector<int> cpus_;  // the caller's and the workers', or empty
  std::vector<std::thread> workers_;
  std::mutex loop_;                      // one loop at a time
  std::atomic<uint32_t> generation_{0};  // raised for each loop; the lowest bit of stop_ ends all
  std::atomic<bool> stop_{false};
  std::atomic<int> busy_{0};  // workers that haven't left the current loop
  alignas(64) std::atomic<int64_t> next_{0};
  int64_t chunks_ = 0;
  Function function_ = nullptr;
  void* context_ = nullptr;
  AheadFunction ahead_ = nullptr;
  void* ahead_context_ = nullptr;
  ReadAhead callers_ahead_;
  std::atomic_flag failed_ = ATOMIC_FLAG_INIT;
  std::exception_ptr error_;
};

}  // namespace phial
