// SPDX-License-Identifier: Apache-2.0
// What is behind the opaque handles of phial.h, and the helpers that keep exceptions inside.
// Private to src/api.
#pragma once

#include <phial/phial.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "api/sequences.h"
#include "backend/backend.h"
#include "base/error.h"
#include "base/json.h"
#include "chat/conversation.h"
#include "package/artefacts.h"
#include "package/package.h"
#include "quant/recipe.h"
#include "text/tokenizer.h"

struct phial_error {
  phial_code code;
  std::string message;
};

struct phial_tokenizer {
  explicit phial_tokenizer(const std::string& folder);
  phial_tokenizer(std::shared_ptr<const phial::Tokenizer> tokenizer, phial::SideFiles files);

  // As a model is fed raw text: BOS in front if the files ask for it.
  std::vector<phial::TokenId> encode(std::string_view text, bool bos_if_asked,
                                     bool parse_special) const;
  // Parsed at the first call, so that a model with an odd template still continues raw text.
  std::shared_ptr<const phial::ChatTemplate> chat_template() const;

  std::shared_ptr<const phial::Tokenizer> tokenizer;
  phial::SideFiles files;

 private:
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const phial::ChatTemplate> template_;
};

struct phial_model {
  std::shared_ptr<const phial::Package> package;
  std::unique_ptr<phial_tokenizer> tokenizer;  // null: the package has none
  std::unique_ptr<phial::Session> session;
  int32_t threads = 0;
  std::string fallback;   // why another device than the wanted one runs it; empty: it doesn't
  phial::Json placement;  // how the device was chosen
  std::string why;        // the same in a phrase, where there was something to choose

  mutable std::mutex mutex;  // held by whatever uses session or sequences
  phial::Sequences sequences;
  std::atomic<uint64_t> cancels{0};  // how often phial_cancel was called
  static_assert(std::atomic<uint64_t>::is_always_lock_free,
                "phial_cancel must be fit for signal handlers");

  const phial_tokenizer& need_tokenizer() const;  // throws kUnsupported
};

struct phial_result {
  phial::GenerateResult result;
  std::string device, tier, placement;
  int32_t threads = 0;
  uint64_t peak_rss = 0;
};

namespace phial::api {

// The exception in flight as an error; never throws.
phial_error* current_error() noexcept;

template <class Body>
phial_error* guarded(Body&& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (...) {
    return current_error();
  }
}

// Throws kInvalidArgument if a pointer that must be there isn't.
void need(const void* pointer, const char* name);

// Copies for the caller, in malloc's memory.
char* copy_text(std::string_view text);
int32_t* copy_ids(const std::vector<int32_t>& ids);

// Into a struct of a caller that may be older or newer than this library: no more than its `size`
// bytes are written, what is unknown here becomes zero.
template <class Struct>
void give_struct(Struct* to, size_t size, Struct from) {
  from.size = size;
  const size_t known = std::min(size, sizeof(Struct));
  std::memcpy(to, &from, known);
  std::memset(reinterpret_cast<char*>(to) + known, 0, size - known);
}

// An option struct of a caller that may be older than this library: its fields over the defaults.
template <class Struct>
Struct read_struct(const Struct* given, void (*init)(Struct*, size_t)) {
  Struct result;
  init(&result, sizeof result);
  if (given) {
    if (given->size < sizeof(size_t)) {
      throw_error(Code::kInvalidArgument,
                  "an option struct has size {}: set it up with its _init function", given->size);
    }
    std::memcpy(&result, given, std::min(given->size, sizeof(Struct)));
    result.size = sizeof(Struct);
  }
  return result;
}

// Throws kInvalidArgument.
SessionOptions to_session_options(const phial_model_options& options);

// On the device that the options ask for, or another one where they allow that.
std::unique_ptr<phial_model> open_on_device(std::shared_ptr<const Package> package,
                                            const phial_model_options& options);

QuantRecipe to_recipe(const phial_quantize_options& options);

// What 'phial quantize' makes besides the package's own files.
std::vector<ArtefactMaker> quantize_artefacts();

// One generating call on a model: takes its lock, and knows when to stop.
class Call {
 public:
  Call(phial_model& model, phial_text_callback on_text, phial_interrupt interrupt, void* user);

  const Interrupt& interrupt() const { return interrupt_; }
  const TextCallback& on_text() const { return on_text_; }
  phial_result* make_result(GenerateResult result) const;

 private:
  phial_model& model_;
  Interrupt interrupt_;
  TextCallback on_text_;
  std::unique_lock<std::mutex> lock_;
};

// The model's stop ids included.
GenerateParams to_params(const phial_generate_params* params, const phial_tokenizer& tokenizer);

}  // namespace phial::api
