// SPDX-License-Identifier: Apache-2.0
// A Session on phial's own CPU engine: sequences with their history and cache, the rules of a step,
// LongRoPE's rebuilds. The arithmetic is in forward.cc.
#pragma once

#include <memory>
#include <vector>

#include "backend/backend.h"
#include "base/thread_pool.h"
#include "native/forward.h"
#include "native/kv_cache.h"
#include "native/workspace.h"

namespace phial {

class NativeSession : public Session {
 public:
  // Throws kInvalidArgument for options that can't be, kOutOfMemory.
  NativeSession(std::shared_ptr<const Package> package, const kernels::KernelTable& table,
                const SessionOptions& options);

  Limits limits() const override;
  void step(std::span<const Step> batch, const Interrupt& interrupt) override;
  void truncate(SequenceId seq, int32_t length) override;
  void release(SequenceId seq) override;
  int32_t length(SequenceId seq) const override;
  std::string device() const override { return "cpu"; }
  std::string tier() const override { return table_.name; }
  uint64_t cache_bytes_per_token() const override;

 private:
  struct Sequence {
    SequenceId id;
    KvCache cache;
    std::vector<TokenId> tokens;  // the whole history; capacity for the whole context
    int32_t cached = 0;           // the first so many tokens have valid keys and values ...
    bool long_factors = false;    // ... rotated with these factors
  };

  Sequence* find(SequenceId seq) const;
  void compute(std::span<const Step> batch, const Interrupt& interrupt);
  void run_chunk(const Interrupt& interrupt);

  const std::shared_ptr<const Package> package_;
  const kernels::KernelTable& table_;
  Limits limits_;
  kernels::KvType kv_type_;
  Activations activations_;
  ThreadPool pool_;
  Workspace workspace_;
  Forward forward_;
  std::vector<std::unique_ptr<Sequence>> sequences_;  // few: searched in order

  // The chunk being gathered; capacities are fixed at construction.
  std::vector<TokenId> chunk_tokens_;
  std::vector<Segment> chunk_segments_;
  std::vector<WantedRow> chunk_wanted_;
};

}  // namespace phial
