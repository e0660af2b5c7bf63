// SPDX-License-Identifier: Apache-2.0
// A Session over two static-shape models: prompts run through the prefill model in pieces, single
// tokens through the generate model. The cache of keys and values is ours, in slots that the models
// read as an input, so that forgetting costs nothing.
#pragma once

#include <memory>
#include <vector>

#include "backend/backend.h"
#include "package/package.h"
#include "static_models.h"

namespace phial::ov {

class StaticSession : public Session {
 public:
  StaticSession(const Api& api, std::shared_ptr<const Package> package, const Target& target,
                const SessionOptions& options, const Settings& settings);
  ~StaticSession() override;

  Limits limits() const override { return limits_; }
  void step(std::span<const Step> batch, const Interrupt& interrupt) override;
  void truncate(SequenceId seq, int32_t length) override;
  void release(SequenceId seq) override;
  int32_t length(SequenceId seq) const override;
  std::string device() const override { return id_; }
  std::string tier() const override;

 private:
  struct Sequence;
  struct Model;  // a compiled model with its one request and the names of its inputs

  Sequence* find(SequenceId seq) const;
  void compute(Sequence& sequence, const Step& step, const Interrupt& interrupt);
  void run(Model& model, Sequence& sequence, std::span<const TokenId> tokens, float* logits);

  const Api& api_;
  const std::shared_ptr<const Package> package_;
  const std::string id_;
  StaticModels models_;
  const int32_t slots_;  // of the cache
  Limits limits_;
  std::unique_ptr<Model> prefill_, generate_;
  std::vector<std::unique_ptr<Sequence>> sequences_;  // few: searched in order
};

}  // namespace phial::ov
