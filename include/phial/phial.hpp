// SPDX-License-Identifier: Apache-2.0
// phial for C++: a thin header-only layer over phial.h. Handles become move-only classes, errors
// become phial::Exception, callbacks std::function. What a call does, and which threads may call
// it, is said in phial.h.
#ifndef PHIAL_PHIAL_HPP_
#define PHIAL_PHIAL_HPP_

#include <phial/phial.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace phial {
// The inline namespace keeps these names apart from the library's own in the linker's eyes.
inline namespace client {

class Exception : public std::runtime_error {
 public:
  Exception(phial_code code, const std::string& message)
      : std::runtime_error(message), code_(code) {}
  phial_code code() const { return code_; }

 private:
  phial_code code_;
};

// Pieces of the reply's text; false stops it. Exceptions thrown here come out of the call that
// generates.
using TextCallback = std::function<bool(std::string_view piece)>;
// true: stop.
using Interrupt = std::function<bool()>;
using Progress =
    std::function<void(uint64_t done_bytes, uint64_t total_bytes, std::string_view current)>;

using Notice = std::function<void(phial_notice_kind kind, std::string_view text)>;

struct ModelOptions {
  std::string device = "auto";
  std::string kv_cache;  // "f16", "f32", empty: the engine's choice
  int32_t context = 0;   // 0: the model's maximum
  int32_t max_sequences = 1;
  int32_t threads = 0;        // 0: all
  int32_t prefill_chunk = 0;  // 0: the engine's choice
  bool require_device = false;
  std::vector<std::string> settings;  // "KEY=VALUE" for the runtime behind a plug-in
  Notice notice;  // must not throw; lines for the user while the model opens or runs
};

struct QuantizeOptions {
  std::string weight_format = "int4";  // "fp16", "int8", "int4"
  int32_t group_size = 128;            // 32, 64, 128, -1: a whole row
  double ratio = 1.0;
  std::optional<bool> symmetric;  // unset: int4 symmetric, int8 asymmetric
  bool all_layers = false;
  int32_t threads = 0;
  bool overwrite = false;
};

struct GenerateParams {
  int32_t max_new_tokens = -1;  // -1: until a stop or the end of the context
  float temperature = 0.0f;     // 0: greedy
  int32_t top_k = 0;
  float top_p = 1.0f;
  float min_p = 0.0f;
  float repetition_penalty = 1.0f;
  float presence_penalty = 0.0f;
  float frequency_penalty = 0.0f;
  uint64_t seed = 0;
  bool ignore_eos = false;
  bool keep_special = false;
  std::vector<std::string> stop;
};

struct Stats {
  int32_t prompt_tokens = 0, cached_tokens = 0, generated_tokens = 0, threads = 0;
  double prefill_seconds = 0, decode_seconds = 0, first_token_seconds = 0;
  uint64_t peak_rss_bytes = 0;
  std::string device, tier;
};

struct Result {
  std::string text;
  std::vector<int32_t> ids;
  std::string finish_reason;  // "stop", "length", "cancelled"
  int32_t stop_id = -1;
  std::string stop_string;
  Stats stats;
};

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
  phial_model_options_init(&c);
  c.device = options.device.c_str();
  c.kv_cache = options.kv_cache.empty() ? nullptr : options.kv_cache.c_str();
  c.context = options.context;
  c.max_sequences = options.max_sequences;
  c.threads = options.threads;
  c.prefill_chunk = options.prefill_chunk;
  c.require_device = options.require_device;
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
  phial_quantize_options_init(&c);
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
  result.stats = {stats.prompt_tokens,
                  stats.cached_tokens,
                  stats.generated_tokens,
                  stats.threads,
                  stats.prefill_seconds,
                  stats.decode_seconds,
                  stats.first_token_seconds,
                  stats.peak_rss_bytes,
                  stats.device,
                  stats.tier};
  return result;
}

// Calls one of the generating functions with everything in its C shape.
template <class Call>
Result generate(const GenerateParams& params, const TextCallback& on_text,
                const Interrupt& interrupt, Call&& call) {
  std::vector<const char*> stop;
  for (const std::string& s : params.stop) stop.push_back(s.c_str());
  phial_generate_params c;
  phial_generate_params_init(&c);
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

inline std::string version() { return phial_version(); }
inline uint64_t peak_rss_bytes() { return phial_peak_rss_bytes(); }

inline std::string devices_json() {
  char* json = nullptr;
  detail::check(phial_devices(&json));
  return detail::take(json);
}

inline std::string cache_json() {
  char* json = nullptr;
  detail::check(phial_cache_list(&json));
  return detail::take(json);
}
inline uint64_t cache_clear() {
  uint64_t bytes = 0;
  detail::check(phial_cache_clear(&bytes));
  return bytes;
}

inline std::string package_json(const std::string& folder) {
  char* json = nullptr;
  detail::check(phial_package_describe(folder.c_str(), &json));
  return detail::take(json);
}

// Text to ids and back. Either its own, or a model's (then the model must outlive it).
class Tokenizer {
 public:
  explicit Tokenizer(const std::string& folder) {
    phial_tokenizer* handle = nullptr;
    detail::check(phial_tokenizer_open(folder.c_str(), &handle));
    owned_.reset(handle);
    handle_ = handle;
  }
  explicit Tokenizer(const phial_tokenizer* borrowed) : handle_(borrowed) {}

  std::vector<int32_t> encode(std::string_view text, bool bos_if_asked = true,
                              bool plain_special = false) const {
    int32_t* ids = nullptr;
    size_t n = 0;
    unsigned flags = 0;
    if (bos_if_asked) flags |= PHIAL_ENCODE_BOS;
    if (plain_special) flags |= PHIAL_ENCODE_PLAIN_SPECIAL;
    detail::check(phial_tokenizer_encode(handle_, text.data(), text.size(), flags, &ids, &n));
    return detail::take(ids, n);
  }
  std::string decode(std::span<const int32_t> ids, bool keep_special = false) const {
    char* text = nullptr;
    size_t n = 0;
    detail::check(phial_tokenizer_decode(handle_, ids.data(), ids.size(), keep_special, &text, &n));
    return detail::take(text, n);
  }
  std::string render_chat(const std::string& messages_json,
                          bool add_generation_prompt = true) const {
    char* text = nullptr;
    size_t n = 0;
    detail::check(phial_tokenizer_render_chat(handle_, messages_json.c_str(), add_generation_prompt,
                                              &text, &n));
    return detail::take(text, n);
  }
  std::vector<int32_t> encode_chat(const std::string& messages_json,
                                   bool add_generation_prompt = true) const {
    int32_t* ids = nullptr;
    size_t n = 0;
    detail::check(phial_tokenizer_encode_chat(handle_, messages_json.c_str(), add_generation_prompt,
                                              &ids, &n));
    return detail::take(ids, n);
  }
  int32_t vocab_size() const { return phial_tokenizer_vocab_size(handle_); }

 private:
  detail::Handle<phial_tokenizer, phial_tokenizer_close> owned_;
  const phial_tokenizer* handle_ = nullptr;
};

class Model {
 public:
  explicit Model(const std::string& folder, const ModelOptions& options = {})
      : notice_(std::make_unique<Notice>(options.notice)) {
    std::vector<const char*> settings;
    const phial_model_options c = detail::to_c(options, settings, notice_.get());
    phial_model* handle = nullptr;
    detail::check(phial_model_open(folder.c_str(), &c, &handle));
    handle_.reset(handle);
  }
  static Model synthetic(const std::string& shape, const QuantizeOptions& recipe = {},
                         int32_t layers = 0, uint64_t seed = 1, const ModelOptions& options = {}) {
    auto notice = std::make_unique<Notice>(options.notice);
    std::vector<const char*> settings;
    const phial_model_options c = detail::to_c(options, settings, notice.get());
    const phial_quantize_options r = detail::to_c(recipe);
    phial_model* handle = nullptr;
    detail::check(phial_model_synthetic(shape.c_str(), &r, layers, seed, &c, &handle));
    return Model(handle, std::move(notice));
  }

  std::string describe_json() const {
    char* json = nullptr;
    detail::check(phial_model_describe(handle_.get(), &json));
    return detail::take(json);
  }
  bool has_tokenizer() const { return phial_model_tokenizer(handle_.get()) != nullptr; }
  Tokenizer tokenizer() const {
    const phial_tokenizer* borrowed = phial_model_tokenizer(handle_.get());
    if (!borrowed) throw Exception(PHIAL_UNSUPPORTED, "this model has no tokenizer");
    return Tokenizer(borrowed);
  }

  Result generate(std::string_view prompt, const GenerateParams& params = {},
                  const TextCallback& on_text = {}, const Interrupt& interrupt = {}) {
    return detail::generate(params, on_text, interrupt, [&](auto... rest) {
      return phial_generate(handle_.get(), prompt.data(), prompt.size(), rest...);
    });
  }
  Result generate_ids(std::span<const int32_t> ids, const GenerateParams& params = {},
                      const TextCallback& on_text = {}, const Interrupt& interrupt = {}) {
    return detail::generate(params, on_text, interrupt, [&](auto... rest) {
      return phial_generate_ids(handle_.get(), ids.data(), ids.size(), rest...);
    });
  }
  void cancel() { phial_cancel(handle_.get()); }

  phial_model* handle() const { return handle_.get(); }

 private:
  Model(phial_model* handle, std::unique_ptr<Notice> notice)
      : notice_(std::move(notice)), handle_(handle) {}
  std::unique_ptr<Notice> notice_;  // the library calls it until the handle is closed
  detail::Handle<phial_model, phial_model_close> handle_;
};

// A conversation; the model must outlive it.
class Chat {
 public:
  explicit Chat(Model& model) {
    phial_chat* handle = nullptr;
    detail::check(phial_chat_new(model.handle(), &handle));
    handle_.reset(handle);
  }
  void add(const std::string& role, std::string_view content) {
    detail::check(phial_chat_add(handle_.get(), role.c_str(), content.data(), content.size()));
  }
  void set_messages_json(const std::string& json) {
    detail::check(phial_chat_set_messages(handle_.get(), json.c_str()));
  }
  std::string messages_json() const {
    char* json = nullptr;
    detail::check(phial_chat_messages(handle_.get(), &json));
    return detail::take(json);
  }
  void clear() { detail::check(phial_chat_clear(handle_.get())); }
  Result reply(const GenerateParams& params = {}, const TextCallback& on_text = {},
               const Interrupt& interrupt = {}) {
    return detail::generate(params, on_text, interrupt,
                            [&](auto... rest) { return phial_chat_reply(handle_.get(), rest...); });
  }

 private:
  detail::Handle<phial_chat, phial_chat_free> handle_;
};

// Tokens in, logits out; the model must outlive it.
class Session {
 public:
  explicit Session(Model& model) {
    phial_session* handle = nullptr;
    detail::check(phial_session_new(model.handle(), &handle));
    handle_.reset(handle);
  }
  // Logits of the last token, [vocab].
  std::vector<float> step(std::span<const int32_t> ids, const Interrupt& interrupt = {}) {
    std::vector<float> logits(static_cast<size_t>(vocab()));
    run(ids, logits.data(), false, interrupt);
    return logits;
  }
  // Logits of every token, [ids.size(), vocab].
  std::vector<float> step_all(std::span<const int32_t> ids, const Interrupt& interrupt = {}) {
    std::vector<float> logits(ids.size() * static_cast<size_t>(vocab()));
    run(ids, logits.data(), true, interrupt);
    return logits;
  }
  // Into `logits`, [vocab]; nothing is allocated.
  void step_into(std::span<const int32_t> ids, std::span<float> logits,
                 const Interrupt& interrupt = {}) {
    if (logits.size() < static_cast<size_t>(vocab()))
      throw Exception(PHIAL_INVALID_ARGUMENT, "logits is too small");
    run(ids, logits.data(), false, interrupt);
  }
  // Fills the cache only.
  void feed(std::span<const int32_t> ids, const Interrupt& interrupt = {}) {
    run(ids, nullptr, false, interrupt);
  }
  void truncate(int32_t length) { detail::check(phial_session_truncate(handle_.get(), length)); }
  int32_t length() const { return phial_session_length(handle_.get()); }
  int32_t vocab() const { return phial_session_vocab(handle_.get()); }

 private:
  void run(std::span<const int32_t> ids, float* logits, bool all, const Interrupt& interrupt) {
    detail::Callbacks callbacks{nullptr, &interrupt, nullptr, nullptr};
    callbacks.check(phial_session_step(handle_.get(), ids.data(), ids.size(), logits, all,
                                       interrupt ? &detail::Callbacks::interrupt_function : nullptr,
                                       &callbacks));
  }
  detail::Handle<phial_session, phial_session_free> handle_;
};

inline void quantize(const std::string& source, const std::string& destination,
                     const QuantizeOptions& options = {}, const Progress& progress = {},
                     const Interrupt& interrupt = {}) {
  const phial_quantize_options c = detail::to_c(options);
  detail::Callbacks callbacks{nullptr, &interrupt, &progress, nullptr};
  callbacks.check(phial_quantize(source.c_str(), destination.c_str(), &c,
                                 progress ? &detail::Callbacks::progress_function : nullptr,
                                 &detail::Callbacks::interrupt_function, &callbacks));
}

inline void compile(const std::string& package, const std::string& destination,
                    const ModelOptions& options, bool graphs_only = false) {
  Notice notice = options.notice;
  std::vector<const char*> settings;
  const phial_model_options c = detail::to_c(options, settings, &notice);
  detail::check(phial_compile(package.c_str(), destination.c_str(), &c, graphs_only));
}

// JSON: the files made.
inline std::string export_json(const std::string& package, const std::string& to) {
  char* json = nullptr;
  detail::check(phial_export(package.c_str(), to.c_str(), &json));
  return detail::take(json);
}

inline void make_random(const std::string& shape, const std::string& destination,
                        int32_t layers = 0, uint64_t seed = 1, const std::string& dtype = "bf16",
                        const std::string& tokenizer_from = {}) {
  detail::check(phial_make_random(shape.c_str(), layers, seed, dtype.c_str(),
                                  tokenizer_from.empty() ? nullptr : tokenizer_from.c_str(),
                                  destination.c_str()));
}

}  // namespace client
}  // namespace phial

#endif  // PHIAL_PHIAL_HPP_
