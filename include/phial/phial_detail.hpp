// SPDX-License-Identifier: Apache-2.0
// Between phial.hpp and phial.h: ownership, errors, callbacks. Nothing in here is for users.
#ifndef PHIAL_PHIAL_DETAIL_HPP_
#define PHIAL_PHIAL_DETAIL_HPP_

#include <exception>
#include <memory>
#include <phial/phial_types.hpp>
#include <string>
#include <utility>
#include <vector>

namespace phial {
inline namespace client {

namespace detail {

inline void check(phial_error* error) {
  if (!error) return;
  const std::unique_ptr<phial_error, decltype(&phial_error_free)> owner(error, &phial_error_free);
  throw Exception(phial_error_code(error), phial_error_message(error));
}

inline std::string take(char* text, size_t length) {
  const std::unique_ptr<char, decltype(&phial_free)> owner(text, &phial_free);
  return {text, length};
}
inline std::string take(char* text) { return take(text, std::char_traits<char>::length(text)); }

inline std::vector<int32_t> take(int32_t* ids, size_t n) {
  const std::unique_ptr<int32_t, decltype(&phial_free)> owner(ids, &phial_free);
  return {ids, ids + n};
}

template <class T, void (*release)(T*)>
struct Release {
  void operator()(T* handle) const { release(handle); }
};
template <class T, void (*release)(T*)>
using Handle = std::unique_ptr<T, Release<T, release>>;

inline void notice_function(void* user, int32_t kind, const char* text) {
  (*static_cast<const Notice*>(user))(static_cast<phial_notice_kind>(kind), text);
}

// `settings` and `notice` are what the result points to.
inline phial_model_options to_c(const ModelOptions& options, std::vector<const char*>& settings,
                                Notice* notice) {
  phial_model_options c;
  phial_model_options_init(&c, sizeof c);
  c.device = options.device.c_str();
  c.kv_cache = options.kv_cache.empty() ? nullptr : options.kv_cache.c_str();
  c.activations = options.activations.empty() ? nullptr : options.activations.c_str();
  c.context = options.context;
  c.max_sequences = options.max_sequences;
  c.threads = options.threads;
  c.prefill_chunk = options.prefill_chunk;
  c.require_device = options.require_device;
  c.policy = options.policy.c_str();
  c.prompt_tokens = options.prompt_tokens;
  for (const std::string& setting : options.settings) settings.push_back(setting.c_str());
  c.settings = settings.data();
  c.n_settings = settings.size();
  if (notice && *notice) {
    c.notice = &notice_function;
    c.notice_user = notice;
  }
  return c;
}

inline phial_quantize_options to_c(const QuantizeOptions& options) {
  phial_quantize_options c;
  phial_quantize_options_init(&c, sizeof c);
  c.weight_format = options.weight_format.c_str();
  c.group_size = options.group_size;
  c.ratio = options.ratio;
  c.symmetric = options.symmetric ? *options.symmetric : -1;
  c.all_layers = options.all_layers;
  c.threads = options.threads;
  c.overwrite = options.overwrite;
  return c;
}

// Callbacks as C functions. An exception of the user's function is kept and stops the call.
struct Callbacks {
  const TextCallback* on_text = nullptr;
  const Interrupt* interrupt = nullptr;
  const Progress* progress = nullptr;
  std::exception_ptr thrown;

  template <class Function>
  int guarded(Function&& function) noexcept {
    if (thrown) return 1;
    try {
      return function();
    } catch (...) {
      thrown = std::current_exception();
      return 1;
    }
  }
  static int text_function(void* user, const char* text, size_t length) {
    auto* self = static_cast<Callbacks*>(user);
    return self->guarded([&] { return (*self->on_text)({text, length}) ? 0 : 1; });
  }
  static int interrupt_function(void* user) {
    auto* self = static_cast<Callbacks*>(user);
    if (!self->interrupt || !*self->interrupt) return self->thrown ? 1 : 0;
    return self->guarded([&] { return (*self->interrupt)() ? 1 : 0; });
  }
  static void progress_function(void* user, uint64_t done, uint64_t total, const char* current) {
    auto* self = static_cast<Callbacks*>(user);
    self->guarded([&] {
      (*self->progress)(done, total, current);
      return 0;
    });
  }
  void check(phial_error* error) {
    if (thrown) {
      phial_error_free(error);
      std::rethrow_exception(thrown);
    }
    detail::check(error);
  }
};

inline Result take(phial_result* handle) {
  const Handle<phial_result, phial_result_free> owner(handle);
  Result result;
  size_t n = 0;
  const char* text = phial_result_text(handle, &n);
  result.text.assign(text, n);
  const int32_t* ids = phial_result_ids(handle, &n);
  result.ids.assign(ids, ids + n);
  result.finish_reason = phial_result_finish_reason(handle);
  result.stop_id = phial_result_stop_id(handle);
  result.stop_string = phial_result_stop_string(handle);
  phial_stats stats;
  stats.size = sizeof stats;
  phial_result_stats(handle, &stats);
  result.stats = {stats.prompt_tokens,   stats.cached_tokens,  stats.generated_tokens,
                  stats.threads,         stats.drafted_tokens, stats.accepted_tokens,
                  stats.prefill_seconds, stats.decode_seconds, stats.first_token_seconds,
                  stats.peak_rss_bytes,  stats.device,         stats.tier,
                  stats.placement};
  return result;
}

// Calls one of the generating functions with everything in its C shape.
template <class Call>
Result generate(const GenerateParams& params, const TextCallback& on_text,
                const Interrupt& interrupt, Call&& call) {
  std::vector<const char*> stop;
  for (const std::string& s : params.stop) stop.push_back(s.c_str());
  phial_generate_params c;
  phial_generate_params_init(&c, sizeof c);
  c.max_new_tokens = params.max_new_tokens;
  c.temperature = params.temperature;
  c.top_k = params.top_k;
  c.top_p = params.top_p;
  c.min_p = params.min_p;
  c.repetition_penalty = params.repetition_penalty;
  c.presence_penalty = params.presence_penalty;
  c.frequency_penalty = params.frequency_penalty;
  c.seed = params.seed;
  c.ignore_eos = params.ignore_eos;
  c.keep_special = params.keep_special;
  c.stop = stop.data();
  c.n_stop = stop.size();
  c.speculate = params.speculate.empty() ? nullptr : params.speculate.c_str();
  Callbacks callbacks{&on_text, &interrupt, nullptr, nullptr};
  phial_result* result = nullptr;
  phial_error* error =
      call(&c, on_text ? &Callbacks::text_function : nullptr, &Callbacks::interrupt_function,
           static_cast<void*>(&callbacks), &result);
  if (callbacks.thrown) phial_result_free(result);
  callbacks.check(error);
  return take(result);
}

}  // namespace detail

}  // namespace client
}  // namespace phial

#endif  // PHIAL_PHIAL_DETAIL_HPP_
