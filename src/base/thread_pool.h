// SPDX-License-Identifier: Apache-2.0
// A pool of threads for short parallel loops, many thousand a second. Workers spin briefly between
// loops, then sleep. Chunks are handed out dynamically, since an AI PC mixes fast and slow cores.
// Not a task queue.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace phial {

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
  // all are done. The first exception is thrown again here (the remaining chunks are skipped).
  // Allocates nothing. One loop at a time: a second caller waits; calling it from inside a body is
  // a deadlock.
  template <class Body>
  void parallel_for(int64_t chunks, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    run(
        chunks,
        [](void* context, int64_t chunk, int thread) {
          (*static_cast<Plain*>(context))(chunk, thread);
        },
        const_cast<void*>(static_cast<const void*>(&body)));
  }

 private:
  using Function = void (*)(void* context, int64_t chunk, int thread);
  void run(int64_t chunks, Function function, void* context);
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
  std::atomic_flag failed_ = ATOMIC_FLAG_INIT;
  std::exception_ptr error_;
};

}  // namespace phial
