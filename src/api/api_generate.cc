// SPDX-License-Identifier: Apache-2.0
// Generating from a raw prompt, and the result handle. Chats are in api_chat.cc.
#include <atomic>

#include "api/activity.h"
#include "api/handles.h"
#include "base/cpu_info.h"

using phial::Code;
using phial::throw_error;
namespace api = phial::api;

namespace phial::api {

Call::Call(phial_model& model, phial_text_callback on_text, phial_interrupt interrupt, void* user)
    : model_(model) {
  // Counted before the wait for the lock, so that a cancel reaches those who wait too.
  const uint64_t cancels = model.cancels.load(std::memory_order_relaxed);
  interrupt_ = [&model, cancels, interrupt, user] {
    return model.cancels.load(std::memory_order_relaxed) != cancels ||
           (interrupt && interrupt(user) != 0);
  };
  if (on_text) {
    on_text_ = [on_text, user](std::string_view piece) {
      return on_text(user, piece.data(), piece.size()) == 0;
    };
  }
  lock_ = std::unique_lock(model.mutex);
}

phial_result* Call::make_result(GenerateResult result) const {
  auto handle = std::make_unique<phial_result>();
  handle->result = std::move(result);
  handle->device = model_.session->device();
  handle->tier = model_.session->tier();
  handle->placement = model_.why;
  handle->threads = model_.threads;
  handle->peak_rss = peak_rss_bytes();
  if (auto* session = dynamic_cast<PublishedSession*>(model_.session.get())) session->idle();
  return handle.release();
}

GenerateParams to_params(const phial_generate_params* given, const phial_tokenizer& tokenizer) {
  const phial_generate_params c = read_struct(given, &phial_generate_params_init);
  GenerateParams params;
  params.max_new_tokens = c.max_new_tokens;
  params.sampling.temperature = c.temperature;
  params.sampling.top_k = c.top_k;
  params.sampling.top_p = c.top_p;
  params.sampling.min_p = c.min_p;
  params.sampling.repetition_penalty = c.repetition_penalty;
  params.sampling.presence_penalty = c.presence_penalty;
  params.sampling.frequency_penalty = c.frequency_penalty;
  params.sampling.seed = c.seed;
  params.sampling.check();
  params.ignore_eos = c.ignore_eos != 0;
  params.skip_special = c.keep_special == 0;
  const std::string_view speculate = c.speculate ? c.speculate : "off";
  if (speculate != "off" && speculate != "ngram")
    throw_error(Code::kInvalidArgument, "speculation '{}' is unknown, expected ngram or off",
                speculate);
  params.speculate = speculate == "ngram";
  params.stop_ids = stop_ids_of(tokenizer.files, *tokenizer.tokenizer);
  if (c.n_stop) need(c.stop, "stop");
  for (size_t i = 0; i < c.n_stop; ++i) {
    need(c.stop[i], "stop[i]");
    if (!*c.stop[i]) throw_error(Code::kInvalidArgument, "stop string {} is empty", i);
    params.stop_strings.emplace_back(c.stop[i]);
  }
  return params;
}

}  // namespace phial::api

namespace {

// A sequence for one call.
class Temporary : public phial::SequenceOwner {
 public:
  explicit Temporary(phial_model& model) : model_(model) {
    model.sequences.acquire(*model.session, *this);
  }
  ~Temporary() override { model_.sequences.release(*model_.session, *this); }

 private:
  phial_model& model_;
};

phial_result* generate(phial_model& model, const std::vector<phial::TokenId>& prompt,
                       const phial_generate_params* params, phial_text_callback on_text,
                       phial_interrupt interrupt, void* user) {
  const phial_tokenizer& tokenizer = model.need_tokenizer();
  if (prompt.empty())
    throw_error(Code::kInvalidArgument, "the prompt is empty: give at least one token");
  phial::GenerateParams asked = api::to_params(params, tokenizer);
  asked.keep_leading_space =
      true;  // the reply continues the prompt's last word or begins a new one: the space says which
  const api::Call call(model, on_text, interrupt, user);
  const Temporary sequence(model);
  std::vector<phial::TokenId> cached;
  return call.make_result(phial::generate(*model.session, sequence.seq, cached, tokenizer.tokenizer,
                                          prompt, asked, call.on_text(), call.interrupt()));
}

}  // namespace

extern "C" {

int phial_interrupt_flag(void* user) {
  return std::atomic_ref(*static_cast<int32_t*>(user)).load(std::memory_order_relaxed) != 0;
}

void phial_generate_params_init(phial_generate_params* params, size_t size) {
  phial_generate_params defaults = {};
  defaults.max_new_tokens = -1;
  defaults.top_p = 1.0f;
  defaults.repetition_penalty = 1.0f;
  phial::api::give_struct(params, size, defaults);
}

phial_error* phial_generate(phial_model* model, const char* prompt, size_t length,
                            const phial_generate_params* params, phial_text_callback on_text,
                            phial_interrupt interrupt, void* user, phial_result** result) {
  return api::guarded([&] {
    api::need(model, "model");
    if (length) api::need(prompt, "prompt");
    api::need(result, "result");
    *result = generate(*model, model->need_tokenizer().encode({prompt, length}, true, true), params,
                       on_text, interrupt, user);
  });
}

phial_error* phial_generate_ids(phial_model* model, const int32_t* ids, size_t n_ids,
                                const phial_generate_params* params, phial_text_callback on_text,
                                phial_interrupt interrupt, void* user, phial_result** result) {
  return api::guarded([&] {
    api::need(model, "model");
    if (n_ids) api::need(ids, "ids");
    api::need(result, "result");
    *result = generate(*model, {ids, ids + n_ids}, params, on_text, interrupt, user);
  });
}

const char* phial_result_text(const phial_result* result, size_t* length) {
  if (length) *length = result->result.text.size();
  return result->result.text.c_str();
}

const int32_t* phial_result_ids(const phial_result* result, size_t* n_ids) {
  if (n_ids) *n_ids = result->result.ids.size();
  return result->result.ids.data();
}

const char* phial_result_finish_reason(const phial_result* result) {
  return phial::finish_reason_name(result->result.finish_reason);
}

int32_t phial_result_stop_id(const phial_result* result) { return result->result.stop_id; }

const char* phial_result_stop_string(const phial_result* result) {
  return result->result.stop_string.c_str();
}

void phial_result_stats(const phial_result* result, phial_stats* stats) {
  const phial::GenerateStats& from = result->result.stats;
  phial_stats full = {};
  full.size = stats->size;
  full.prompt_tokens = from.prompt_tokens;
  full.cached_tokens = from.cached_tokens;
  full.generated_tokens = from.generated_tokens;
  full.threads = result->threads;
  full.prefill_seconds = from.prefill_seconds;
  full.decode_seconds = from.decode_seconds;
  full.first_token_seconds = from.first_token_seconds;
  full.peak_rss_bytes = result->peak_rss;
  full.device = result->device.c_str();
  full.tier = result->tier.c_str();
  full.drafted_tokens = from.drafted_tokens;
  full.accepted_tokens = from.accepted_tokens;
  full.placement = result->placement.c_str();
  std::memcpy(stats, &full, std::min(stats->size, sizeof full));
}

void phial_result_free(phial_result* result) { delete result; }

}  // extern "C"
