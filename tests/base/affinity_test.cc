// SPDX-License-Identifier: Apache-2.0
// Which processors threads are kept on, and that they are let go.
#include "base/affinity.h"

#include <gtest/gtest.h>

#include <barrier>
#include <set>

#include "base/thread_pool.h"
#include "set_environment.h"

namespace phial {
namespace {

// What each thread of a pool may run on; every thread takes one chunk, as none ends before all have
// begun.
std::vector<std::vector<int>> places_of(ThreadPool& pool) {
  std::vector<std::vector<int>> places(static_cast<size_t>(pool.size()));
  std::barrier all(pool.size());
  pool.parallel_for(pool.size(), [&](int64_t, int thread) {
    places[static_cast<size_t>(thread)] = Affinity::of_this_thread().cpus();
    all.arrive_and_wait();
  });
  return places;
}

TEST(Affinity, a_thread_stays_and_is_let_go) {
  const std::vector<int> before = Affinity::of_this_thread().cpus();
  if (before.empty()) GTEST_SKIP() << "this system doesn't tell a thread's processors";
  {
    const StayOn stay(before.back());
    EXPECT_EQ(Affinity::of_this_thread().cpus(), std::vector<int>{before.back()});
  }
  EXPECT_EQ(Affinity::of_this_thread().cpus(), before);
  {
    const StayOn nowhere(-1);
    EXPECT_EQ(Affinity::of_this_thread().cpus(), before);
  }
  {
    const StayOn refused(1023);  // there are fewer processors
    EXPECT_FALSE(Affinity::of_this_thread().cpus().empty());
  }
  EXPECT_EQ(Affinity::of_this_thread().cpus(), before);
}

TEST(Affinity, a_full_pool_has_a_processor_for_each_thread) {
  const std::vector<int> cpus = Affinity::of_this_thread().cpus();
  if (cpus.size() < 2) GTEST_SKIP() << "needs two processors";
  ThreadPool pool(static_cast<int>(cpus.size()), ThreadPool::Places::kOneEach);
  std::set<int> taken = {pool.callers_cpu()};
  const auto places = places_of(pool);
  EXPECT_EQ(places[0], cpus) << "the caller's own are none of the pool's business";
  for (size_t i = 1; i < places.size(); ++i) {
    ASSERT_EQ(places[i].size(), 1u);
    EXPECT_TRUE(taken.insert(places[i][0]).second) << "two threads on one";
  }
  EXPECT_EQ(taken, std::set<int>(cpus.begin(), cpus.end()));
}

TEST(Affinity, other_pools_run_anywhere) {
  const std::vector<int> cpus = Affinity::of_this_thread().cpus();
  if (cpus.empty()) GTEST_SKIP() << "this system doesn't tell a thread's processors";
  ThreadPool any(static_cast<int>(cpus.size())),
      more(static_cast<int>(cpus.size()) + 1, ThreadPool::Places::kOneEach);
  for (ThreadPool* pool : {&any, &more}) {
    EXPECT_EQ(pool->callers_cpu(), -1);
    for (const auto& place : places_of(*pool)) EXPECT_EQ(place, cpus);
  }
}

TEST(Affinity, the_user_may_leave_it_to_the_system) {
  const std::vector<int> cpus = Affinity::of_this_thread().cpus();
  if (cpus.size() < 2) GTEST_SKIP() << "needs two processors";
  set_environment("PHIAL_PIN_THREADS", "no");
  ThreadPool pool(static_cast<int>(cpus.size()), ThreadPool::Places::kOneEach);
  unset_environment("PHIAL_PIN_THREADS");
  EXPECT_EQ(pool.callers_cpu(), -1);
  for (const auto& place : places_of(pool)) EXPECT_EQ(place, cpus);
}

}  // namespace
}  // namespace phial
