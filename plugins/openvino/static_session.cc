// SPDX-License-Identifier: Apache-2.0
#include "static_session.h"

#include <algorithm>
#include <cstring>

#include "backend/check_batch.h"
#include "tensor/half.h"

namespace phial::ov {

// Keys and values of all layers: of each [n_kv][context][head_dim], keys of layer 0, its values,
// ...
struct StaticSession::Sequence {
  SequenceId id = 0;
  int32_t length = 0;  // slots in use
  std::vector<std::vector<std::byte>> cache;
  std::vector<Tensor> views;
};

struct StaticSession::Model {
  Model(const Compiled& compiled, int32_t run_tokens, int32_t context, const Phi3Config& config)
      : request(compiled.request()),
        tokens(run_tokens),
        ids(static_cast<size_t>(run_tokens)),
        positions(static_cast<size_t>(run_tokens)),
        mask(static_cast<size_t>(context + run_tokens)) {
    for (int32_t layer = 0; layer < config.n_layers; ++layer)
      for (const char* kind : {"key", "value"}) {
        past.push_back(fmt::format("past_key_values.{}.{}", layer, kind));
        present.push_back(fmt::format("present.{}.{}", layer, kind));
      }
  }

  std::unique_ptr<Request> request;
  int32_t tokens;  // of one run
  std::vector<int64_t> ids, positions, mask;
  std::vector<std::string> past, present;
};

StaticSession::StaticSession(const Api& api, std::shared_ptr<const Package> package,
                             const Target& target, const SessionOptions& options,
                             const Settings& settings)
    : api_(api),
      package_(std::move(package)),
      id_(target.id),
      models_(open_static(api, *package_, target, settings)),
      slots_(static_cast<int32_t>(models_.shape.context())) {
  const StaticShape& shape = models_.shape;
  if (options.context > slots_)
    throw_error(Code::kInvalidArgument,
                "a context of {} tokens is wanted, {} was compiled for {}: compile again with a "
                "larger --npu-response, or ask for less",
                options.context, settings.static_models, slots_);
  limits_.vocab = package_->config().vocab_size;
  limits_.max_context = options.context ? options.context : slots_;
  limits_.max_sequences = std::max(1, options.max_sequences);
  limits_.prefill_chunk = shape.prompt;
  limits_.cheap_truncate = true;
  const Phi3Config& config = package_->config();
  prefill_ = std::make_unique<Model>(*models_.prefill, shape.prompt, slots_, config);
  generate_ = std::make_unique<Model>(*models_.generate, 1, slots_, config);
}

StaticSession::~StaticSession() = default;

std::string StaticSession::tier() const {
  return fmt::format("OpenVINO {} static models", api_.version);
}

StaticSession::Sequence* StaticSession::find(SequenceId seq) const {
  for (const auto& sequence : sequences_)
    if (sequence->id == seq) return sequence.get();
  return nullptr;
}

int32_t StaticSession::length(SequenceId seq) const {
  const Sequence* sequence = find(seq);
  return sequence ? sequence->length : 0;
}

void StaticSession::truncate(SequenceId seq, int32_t length) {
  if (Sequence* sequence = find(seq))
    sequence->length = std::min(sequence->length, std::max(length, 0));
}

void StaticSession::release(SequenceId seq) {
  std::erase_if(sequences_, [&](const auto& sequence) { return sequence->id == seq; });
}

void StaticSession::step(std::span<const Step> batch, const Interrupt& interrupt) {
  check_batch(
      batch, limits_, [&](SequenceId seq) { return find(seq) ? length(seq) : -1; },
      sequences_.size(), package_->config().max_positions);
  const size_t known = sequences_.size();
  std::vector<int32_t> before;
  for (const Step& step : batch) before.push_back(length(step.seq));
  try {
    for (const Step& step : batch) {
      if (!find(step.seq)) {
        sequences_.push_back(std::make_unique<Sequence>());
        sequences_.back()->id = step.seq;
      }
      compute(*find(step.seq), step, interrupt);
    }
  } catch (...) {  // slots beyond the length are never read
    for (size_t i = 0; i < batch.size(); ++i) truncate(batch[i].seq, before[i]);
    sequences_.resize(known);
    throw;
  }
}

void StaticSession::compute(Sequence& sequence, const Step& step, const Interrupt& interrupt) {
  const Phi3Config& config = package_->config();
  if (sequence.cache.empty()) {
    const StaticShape& shape = models_.shape;
    const int64_t elements = int64_t{config.n_kv_heads} * slots_ * config.head_dim;
    for (size_t i = 0; i < prefill_->past.size(); ++i) {
      sequence.cache.emplace_back(static_cast<size_t>(elements) * (shape.kv_f16 ? 2 : 4));
      sequence.views.emplace_back(
          api_, shape.kv_f16 ? Element::kF16 : Element::kF32,
          std::vector<int64_t>{1, config.n_kv_heads, slots_, config.head_dim},
          sequence.cache.back().data());
    }
  }
  const bool all = step.logits && step.all_logits;
  for (size_t done = 0; done < step.tokens.size();) {
    if (interrupt && interrupt())
      throw_error(Code::kCancelled, "stopped after {} of {} tokens", done, step.tokens.size());
    const size_t left = step.tokens.size() - done;
    Model& model = all || left == 1 ? *generate_ : *prefill_;
    const size_t n = std::min(left, static_cast<size_t>(model.tokens));
    float* logits = nullptr;
    if (all)
      logits = step.logits + done * static_cast<size_t>(limits_.vocab);
    else if (n == left)
      logits = step.logits;
    run(model, sequence, step.tokens.subspan(done, n), logits);
    done += n;
  }
}

// Padding stands in front, so that the last position is the last token's.
void StaticSession::run(Model& model, Sequence& sequence, std::span<const TokenId> tokens,
                        float* logits) {
  const Phi3Config& config = package_->config();
  const StaticShape& shape = models_.shape;
  const int32_t n = static_cast<int32_t>(tokens.size()), pad = model.tokens - n;
  const auto at = [](auto& v, int32_t i) -> auto& { return v[static_cast<size_t>(i)]; };
  for (int32_t i = 0; i < model.tokens; ++i) {
    at(model.ids, i) = i < pad ? 0 : tokens[static_cast<size_t>(i - pad)];
    at(model.positions, i) = i < pad ? 0 : sequence.length + i - pad;
    at(model.mask, slots_ + i) = i >= pad;
  }
  for (int32_t i = 0; i < slots_; ++i) at(model.mask, i) = i < sequence.length;

  Request& request = *model.request;
  const Tensor ids(api_, Element::kI64, {1, model.tokens}, model.ids.data());
  const Tensor mask(api_, Element::kI64, {1, slots_ + model.tokens}, model.mask.data());
  const Tensor positions(api_, Element::kI64, {1, model.tokens}, model.positions.data());
  request.set("input_ids", ids);
  request.set("attention_mask", mask);
  request.set("position_ids", positions);
  for (size_t i = 0; i < model.past.size(); ++i)
    request.set(model.past[i].c_str(), sequence.views[i]);
  check(api_, api_.ov_infer_request_infer(request.handle()), "the model can't be run");

  const size_t row = static_cast<size_t>(config.head_dim) * (shape.kv_f16 ? 2 : 4);
  for (size_t i = 0; i < model.present.size(); ++i) {
    const Tensor present = request.get(model.present[i].c_str());
    const auto* from = static_cast<const std::byte*>(present.data());
    std::byte* to = sequence.cache[i].data();
    for (int32_t head = 0; head < config.n_kv_heads; ++head)
      std::memcpy(to + static_cast<size_t>(head * slots_ + sequence.length) * row,
                  from + static_cast<size_t>(head * model.tokens + pad) * row,
                  static_cast<size_t>(n) * row);
  }
  sequence.length += n;
  if (!logits) return;
  const Tensor all = request.get("logits");
  const size_t vocab = static_cast<size_t>(limits_.vocab), skip = all.elements() - vocab;
  if (all.type() == api_.type(Element::kF32)) {
    std::memcpy(logits, static_cast<const float*>(all.data()) + skip, vocab * sizeof(float));
  } else {
    const auto* half = static_cast<const uint16_t*>(all.data()) + skip;
    std::transform(half, half + vocab, logits, [](uint16_t h) { return f16_to_f32(h); });
  }
}

}  // namespace phial::ov
