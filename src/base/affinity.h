// SPDX-License-Identifier: Apache-2.0
// Which processors a thread may run on. For threads that have a processor each: left to itself, a
// scheduler may put two of them on one and leave another idle for seconds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace phial {

class Affinity {
 public:
  // This thread's. Empty where the system doesn't tell (Windows, more than 1024 processors).
  static Affinity of_this_thread();
  static Affinity of(int cpu);

  bool has(int cpu) const {
    return bits_[static_cast<size_t>(cpu) / 64] >> (static_cast<size_t>(cpu) % 64) & 1;
  }
  std::vector<int> cpus() const;  // in order

  // For this thread, from now on. What the system refuses stays as it was; empty: does nothing.
  // Allocates nothing.
  void apply() const;

 private:
  std::array<uint64_t, 16> bits_{};
};

// Keeps this thread on one processor while it lives, then lets it go where it could before.
class StayOn {
 public:
  explicit StayOn(int cpu);  // below 0: nothing is done
  ~StayOn() { before_.apply(); }
  StayOn(const StayOn&) = delete;
  StayOn& operator=(const StayOn&) = delete;

 private:
  Affinity before_;
};

}  // namespace phial
