// SPDX-License-Identifier: Apache-2.0
// phial for C++: a thin header-only layer over phial.h. Handles become move-only classes, errors
// become phial::Exception, callbacks std::function. What a call does, and which threads may call
// it, is said in phial.h.
#ifndef PHIAL_PHIAL_HPP_
#define PHIAL_PHIAL_HPP_

#include <phial/phial.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <phial/phial_detail.hpp>
#include <phial/phial_types.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace phial {
inline namespace client {

inline std::string version() { return phial_version(); }
inline uint64_t peak_rss_bytes() { return phial_peak_rss_bytes(); }

inline std::string devices_json() {
  char* json = nullptr;
  detail::check(phial_devices(&json));
  return detail::take(json);
}

inline std::string doctor_json() {
  char* json = nullptr;
  detail::check(phial_doctor(&json));
  return detail::take(json);
}
inline std::string processes_json() {
  char* json = nullptr;
  detail::check(phial_processes(&json));
  return detail::take(json);
}
// Where a model would run and why, see phial_explain.
inline std::string explain_json(const std::string& folder, const ModelOptions& options = {},
                                bool measure = true) {
  Notice notice = options.notice;
  std::vector<const char*> settings;
  const phial_model_options c = detail::to_c(options, settings, &notice);
  char* json = nullptr;
  detail::check(phial_explain(folder.c_str(), &c, measure, &json));
  return detail::take(json);
}
inline void remember_speed(const std::string& folder, const std::string& json) {
  detail::check(phial_remember_speed(folder.c_str(), json.c_str()));
}

// How busy this computer is.
class Sampler {
 public:
  Sampler() {
    phial_sampler* handle = nullptr;
    detail::check(phial_sampler_new(&handle));
    handle_.reset(handle);
  }
  std::string take_json() {
    char* json = nullptr;
    detail::check(phial_sampler_take(handle_.get(), &json));
    return detail::take(json);
  }

 private:
  detail::Handle<phial_sampler, phial_sampler_free> handle_;
};

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

  Roofline measure_roofline(int32_t threads = 0) const {
    phial_roofline c = {};
    c.size = sizeof c;
    detail::check(phial_measure_roofline(handle_.get(), threads, &c));
    return {c.threads, c.read_bytes_per_second, c.int8_ops_per_second};
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
  phial_session* handle() const { return handle_.get(); }

 private:
  void run(std::span<const int32_t> ids, float* logits, bool all, const Interrupt& interrupt) {
    detail::Callbacks callbacks{nullptr, &interrupt, nullptr, nullptr};
    callbacks.check(phial_session_step(handle_.get(), ids.data(), ids.size(), logits, all,
                                       interrupt ? &detail::Callbacks::interrupt_function : nullptr,
                                       &callbacks));
  }
  detail::Handle<phial_session, phial_session_free> handle_;
};

// One token of each of these sessions together, all of one model; logits [sessions][vocab].
inline void step_batch(std::span<Session* const> sessions, std::span<const int32_t> ids,
                       std::span<float> logits, const Interrupt& interrupt = {}) {
  std::vector<phial_batch_step> steps;
  for (size_t i = 0; i < sessions.size(); ++i) {
    const auto vocab = static_cast<size_t>(sessions[i]->vocab());
    if (i >= ids.size() || logits.size() < (i + 1) * vocab)
      throw Exception(PHIAL_INVALID_ARGUMENT, "ids or logits are too few for the sessions");
    steps.push_back({sessions[i]->handle(), &ids[i], 1, logits.data() + i * vocab, 0});
  }
  detail::Callbacks callbacks{nullptr, &interrupt, nullptr, nullptr};
  callbacks.check(phial_session_step_batch(
      steps.data(), steps.size(), interrupt ? &detail::Callbacks::interrupt_function : nullptr,
      &callbacks));
}

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

// JSON: the models of this user, see phial_models_list.
inline std::string models_json() {
  char* json = nullptr;
  detail::check(phial_models_list(&json));
  return detail::take(json);
}
// The folder that a user means by a name or a path.
inline std::string find_model(const std::string& name) {
  char* folder = nullptr;
  detail::check(phial_models_find(name.c_str(), &folder));
  return detail::take(folder);
}
// JSON: the model that is gone.
inline std::string remove_model_json(const std::string& name) {
  char* json = nullptr;
  detail::check(phial_models_remove(name.c_str(), &json));
  return detail::take(json);
}
// JSON: the model that there is now.
inline std::string copy_model_json(const std::string& from, const std::string& to) {
  char* json = nullptr;
  detail::check(phial_models_copy(from.c_str(), to.c_str(), &json));
  return detail::take(json);
}
// JSON: {"folder", "name", "bytes", "was_there"}. `progress` may come on any thread, one at a time.
inline std::string pull_json(const std::string& name, const PullOptions& options = {},
                             const Progress& progress = {}, const Interrupt& interrupt = {}) {
  phial_pull_options c;
  phial_pull_options_init(&c, sizeof c);
  const phial_quantize_options recipe = detail::to_c(options.recipe);
  c.recipe = &recipe;
  c.connections = options.connections;
  c.keep = options.keep;
  c.offline = options.offline;
  detail::Callbacks callbacks{nullptr, &interrupt, &progress, nullptr};
  char* json = nullptr;
  callbacks.check(phial_pull(name.c_str(), &c,
                             progress ? &detail::Callbacks::progress_function : nullptr,
                             &detail::Callbacks::interrupt_function, &callbacks, &json));
  return detail::take(json);
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
