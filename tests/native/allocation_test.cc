// SPDX-License-Identifier: Apache-2.0
// No heap allocation in the decode loop after warm-up: this program counts every operator new.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "conformance/suite.h"
#include "conformance/tiny_model.h"
#include "native/native_backend.h"

namespace {

std::atomic<bool> counting{false};
std::atomic<int> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  if (counting) ++allocations;
  void* p = std::aligned_alloc(
      alignment, (bytes + alignment - 1) / alignment * alignment + (bytes == 0) * alignment);
  if (!p) throw std::bad_alloc();
  return p;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes, 16); }
void* operator new[](std::size_t bytes) { return counted(bytes, 16); }
void* operator new(std::size_t bytes, std::align_val_t a) {
  return counted(bytes, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t bytes, std::align_val_t a) {
  return counted(bytes, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace phial {
namespace {

TEST(native_allocations, decoding_allocates_nothing) {
  Phi3Config config = tiny_config();
  make_longrope(config, 20);
  SessionOptions options;
  options.max_sequences = 8;
  options.prefill_chunk = 16;
  for (const WeightFormat format : {WeightFormat::kF32, WeightFormat::kU8, WeightFormat::kU4}) {
    const auto session =
        make_native_backend()->open(tiny_package(config, TinyFormats::all(format)), "cpu", options);
    const size_t vocab = static_cast<size_t>(config.vocab_size);
    std::vector<Logits> logits(8, Logits(vocab));
    std::vector<Step> batch;
    const std::vector<TokenId> token{7};
    for (SequenceId s = 0; s < 8; ++s)
      batch.push_back({s, token, logits[static_cast<size_t>(s)].data(), false});
    const Interrupt interrupt = [] { return false; };
    session->step(batch, interrupt);  // begins the sequences: this may allocate
    allocations = 0;
    counting = true;
    for (int i = 0; i < 30; ++i)
      session->step(batch, interrupt);  // across the LongRoPE length, too
    for (int i = 0; i < 8; ++i) session->step({&batch[0], 1}, interrupt);
    counting = false;
    EXPECT_EQ(allocations.load(), 0) << weight_format_name(format);
    EXPECT_EQ(session->length(0), 39);
  }
}

TEST(native_allocations, the_counter_counts) {
  allocations = 0;
  counting = true;
  auto something = std::make_unique<std::vector<int>>(10);
  counting = false;
  EXPECT_EQ(allocations.load(), 2);
  EXPECT_EQ(something->size(), 10u);
}

}  // namespace
}  // namespace phial
