// SPDX-License-Identifier: Apache-2.0
// A model folder for tests of the public interface: random weights, and a tokenizer of bytes with a
// handful of special tokens. Made through the interface alone.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <phial/phial.hpp>
#include <string>

#include "temp_folder.h"

namespace phial_test {

using Json = nlohmann::ordered_json;

inline constexpr int32_t kVocab = 266, kEnd = 262;

inline std::string tiny_config(int32_t context) {
  return Json{{"architectures", {"Phi3ForCausalLM"}},
              {"model_type", "phi3"},
              {"vocab_size", kVocab},
              {"hidden_size", 64},
              {"intermediate_size", 128},
              {"num_hidden_layers", 2},
              {"num_attention_heads", 4},
              {"num_key_value_heads", 2},
              {"max_position_embeddings", context},
              {"original_max_position_embeddings", context},
              {"rms_norm_eps", 1e-5},
              {"rope_theta", 10000.0},
              {"hidden_act", "silu"},
              {"tie_word_embeddings", false},
              {"bos_token_id", 1},
              {"eos_token_id", 2},
              {"torch_dtype", "bfloat16"}}
      .dump();
}

// tokenizer.json and tokenizer_config.json: ids 3..258 are the bytes, printable ones as letters.
// The one merge is there because a tokenizer without merges is refused.
inline void write_tokenizer(const std::filesystem::path& folder, bool add_bos) {
  Json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  for (int b = 0; b < 256; ++b) {
    const bool letter = b >= ' ' && b <= '~';
    vocab[letter ? std::string(1, static_cast<char>(b)) : fmt::format("<0x{:02X}>", b)] = 3 + b;
  }
  vocab["qq"] = 265;
  Json added = Json::array();
  const std::pair<int, const char*> special[] = {
      {0, "<unk>"},           {1, "<s>"},        {2, "</s>"},        {260, "<|user|>"},
      {261, "<|assistant|>"}, {kEnd, "<|end|>"}, {263, "<|system|>"}};
  for (const auto& [id, content] : special) {
    vocab[content] = id;
    added.push_back({{"id", id},
                     {"content", content},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const Json tokenizer = {
      {"version", "1.0"},
      {"added_tokens", added},
      {"normalizer", nullptr},
      {"pre_tokenizer", nullptr},
      {"post_processor", nullptr},
      {"decoder",
       {{"type", "Sequence"}, {"decoders", {{{"type", "ByteFallback"}}, {{"type", "Fuse"}}}}}},
      {"model",
       {{"type", "BPE"},
        {"unk_token", "<unk>"},
        {"fuse_unk", true},
        {"byte_fallback", true},
        {"vocab", vocab},
        {"merges", {"q q"}}}}};
  const Json config = {
      {"add_bos_token", add_bos},
      {"bos_token", "<s>"},
      {"eos_token", "</s>"},
      {"unk_token", "<unk>"},
      {"chat_template",
       "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}"
       "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"}};
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "tokenizer.json") << tokenizer.dump();
  std::ofstream(folder / "tokenizer_config.json") << config.dump();
}

struct TinyFolder {
  explicit TinyFolder(int32_t context = 256, bool add_bos = false) {
    write_tokenizer(temp.path() / "tokenizer", add_bos);
    phial::make_random(tiny_config(context), model(), 0, 7, "bf16",
                       (temp.path() / "tokenizer").string());
  }
  std::string model() const { return (temp.path() / "model").string(); }
  std::string path(const char* name) const { return (temp.path() / name).string(); }

  phial::TempFolder temp;
};

}  // namespace phial_test
