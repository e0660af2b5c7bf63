// SPDX-License-Identifier: Apache-2.0
// A Session over OpenVINO: a sequence is an infer request, whose state only grows. To forget means
// a new request and computing the kept tokens again with the next step.
#pragma once

#include <memory>
#include <vector>

#include "graph.h"

namespace phial::ov {

class OpenVinoSession : public Session {
 public:
  OpenVinoSession(const Api& api, std::shared_ptr<const Package> package, const Target& target,
                  const SessionOptions& options, const Settings& settings);
  ~OpenVinoSession() override;

  Limits limits() const override { return limits_; }
  void step(std::span<const Step> batch, const Interrupt& interrupt) override;
  void truncate(SequenceId seq, int32_t length) override;
  void release(SequenceId seq) override;
  int32_t length(SequenceId seq) const override;
  std::string device() const override { return graph_options_.target.id; }
  std::string tier() const override;

 private:
  struct Sequence;

  Sequence* find(SequenceId seq) const;
  void make_room(const Sequence& sequence, const Step& step);
  void compute(Sequence& sequence, const Step& step, const Interrupt& interrupt);
  int32_t run_length(const Sequence& sequence, const Step& step, int32_t end) const;
  void run(Sequence& sequence, std::span<const TokenId> tokens, int32_t end);

  const Api& api_;
  const std::shared_ptr<const Package> package_;
  GraphOptions graph_options_;
  bool room_grows_ = false;  // the NPU's lengths are ours to choose
  Limits limits_;
  std::unique_ptr<Graph> graph_;
  std::vector<std::unique_ptr<Sequence>> sequences_;  // few: searched in order
  std::vector<int64_t> ids_, mask_, positions_;       // inputs of a run
};

}  // namespace phial::ov
