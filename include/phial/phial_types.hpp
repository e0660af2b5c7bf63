// SPDX-License-Identifier: Apache-2.0
// phial for C++: options and results as values. A part of phial.hpp, which is what to include.
#ifndef PHIAL_PHIAL_TYPES_HPP_
#define PHIAL_PHIAL_TYPES_HPP_

#include <phial/phial.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
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

// See phial_measure_roofline.
struct Roofline {
  int32_t threads = 0;
  double read_bytes_per_second = 0, int8_ops_per_second = 0;
};

struct ModelOptions {
  std::string device = "auto";
  std::string kv_cache;     // "u8", "i16", "f16", "f32", empty: the engine's choice
  std::string activations;  // "int8", "int16", empty: the engine's choice
  int32_t context = 0;      // 0: the model's maximum
  int32_t max_sequences = 1;
  int32_t threads = 0;        // 0: all
  int32_t prefill_chunk = 0;  // 0: the engine's choice
  bool require_device = false;
  std::vector<std::string> settings;  // "KEY=VALUE" for the runtime behind a plug-in
  std::string policy = "auto";        // how "auto" chooses: "auto", "fast", "efficient"
  int32_t prompt_tokens = 0;          // about as long as prompts will be; 0: not known
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

struct PullOptions {
  QuantizeOptions recipe;  // what the name's tag doesn't say
  int32_t connections = 4;
  bool keep = false;     // the original files too
  bool offline = false;  // fail rather than open a connection
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
  std::string speculate;  // "ngram", "off", empty: off
};

struct Stats {
  int32_t prompt_tokens = 0, cached_tokens = 0, generated_tokens = 0, threads = 0;
  int32_t drafted_tokens = 0, accepted_tokens = 0;
  double prefill_seconds = 0, decode_seconds = 0, first_token_seconds = 0;
  uint64_t peak_rss_bytes = 0;
  std::string device, tier;
  std::string placement;  // why "auto" chose the device; empty: there was no choice
};

struct Result {
  std::string text;
  std::vector<int32_t> ids;
  std::string finish_reason;  // "stop", "length", "cancelled"
  int32_t stop_id = -1;
  std::string stop_string;
  Stats stats;
};

}  // namespace client
}  // namespace phial

#endif  // PHIAL_PHIAL_TYPES_HPP_
