// SPDX-License-Identifier: Apache-2.0
// A Session over ONNX Runtime GenAI: a sequence is a generator with a cache of its own, which is
// rewound to forget.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "graph.h"
#include "objects.h"

namespace phial::ort {

class OrtSession : public Session {
 public:
  OrtSession(const OgaApi& api, std::shared_ptr<const Package> package, const Target& target,
             const SessionOptions& options, const Settings& settings);
  ~OrtSession() override;

  Limits limits() const override { return limits_; }
  void step(std::span<const Step> batch, const Interrupt& interrupt) override;
  void truncate(SequenceId seq, int32_t length) override;
  void release(SequenceId seq) override;
  int32_t length(SequenceId seq) const override;
  std::string device() const override { return target_.id; }
  std::string tier() const override;

 private:
  struct Sequence;

  Sequence* find(SequenceId seq) const;
  void make_room(Sequence& sequence, int32_t end);
  void compute(Sequence& sequence, const Step& step, const Interrupt& interrupt);
  int32_t run_length(const Sequence& sequence, int32_t end) const;

  const OgaApi& api_;
  const std::shared_ptr<const Package> package_;
  const Target target_;
  const Notice notice_;
  Limits limits_;
  Graph graph_;
  bool appends_ = true;     // the provider takes several tokens after others
  bool room_grows_ = true;  // no --context was given
  std::unique_ptr<Model> model_;
  std::vector<std::unique_ptr<Sequence>> sequences_;  // few: searched in order
};

}  // namespace phial::ort
