// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/tokenizer_rules.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/utf8.h"
#include "export/openvino_ir/tokenizer_patterns.h"
#include "text/split_rule.h"
#include "text/unicode.h"

namespace phial {
namespace {

// The steps of a "Sequence" under `key`, or the one step itself, in order.
void collect(const JsonView& step, const char* list_key, std::vector<JsonView>& out) {
  if (step.string("type") != "Sequence") {
    out.push_back(step);
    return;
  }
  for (const Json& inner : step.at(list_key)) collect(JsonView(inner, step.where()), list_key, out);
}

std::vector<JsonView> steps_of(const JsonView& file, const char* key, const char* list_key) {
  std::vector<JsonView> steps;
  if (file.has(key)) collect(file.object(key), list_key, steps);
  return steps;
}

IrReplacement replace_literal(const std::string& pattern, const std::string& content,
                              const std::string& where) {
  // The extension gives a replacement four times the text's length, and reads \1 as a group.
  if (pattern.empty() || content.empty() || content.size() > 4 * pattern.size() ||
      content.find_first_of("$\\") != std::string::npos)
    throw_error(Code::kUnsupported,
                "{}: replacing '{}' by '{}' can't be said with openvino_tokenizers", where, pattern,
                content);
  return {pcre_literal(pattern), pcre_replacement(content)};
}

// `text` before the first character, unless that is `unless` or there is none.
IrReplacement prepend(const std::string& text, const std::string& unless,
                      const std::string& where) {
  if (text.empty() || text.size() > 64 || text.find_first_of("$\\") != std::string::npos)
    throw_error(Code::kUnsupported, "{}: prepending '{}' can't be said with openvino_tokenizers",
                where, text);
  const std::string check = unless.empty() ? "" : "(?!" + pcre_literal(unless) + ")";
  return {"\\A" + check + "((?s).)", pcre_replacement(text) + "$1"};
}

// Contents of the file's replacements: an added token that has any of their characters could arise
// in a text by them, and would then be taken for the token.
void refuse_arising(const std::vector<IrAddedToken>& added, const std::string& made,
                    const std::string& where) {
  for (size_t pos = 0, length; pos < made.size(); pos += length) {
    code_point_at(made, pos, length);
    const std::string_view character = std::string_view(made).substr(pos, length);
    for (const IrAddedToken& entry : added)
      if (entry.token.content.find(character) != std::string::npos)
        throw_error(Code::kUnsupported,
                    "{}: the added token '{}' has the character '{}' that the normalizer writes, "
                    "which openvino_tokenizers can't tell apart",
                    where, entry.token.content, character);
  }
}

// An end of one is the beginning of the other, or one is inside the other.
bool can_overlap(std::string_view a, std::string_view b) {
  if (a.find(b) != std::string_view::npos || b.find(a) != std::string_view::npos) return true;
  for (size_t n = 1; n < std::min(a.size(), b.size()); ++n)
    if (a.ends_with(b.substr(0, n)) || b.ends_with(a.substr(0, n))) return true;
  return false;
}

void read_added_tokens(const JsonView& file, EncodeRules& rules) {
  std::vector<AddedToken> raw, normalized;
  if (file.has("added_tokens")) {
    for (const Json& item : file.at("added_tokens")) {
      const JsonView entry(item, file.where());
      AddedToken token;
      token.content = entry.string("content");
      if (token.content.empty()) continue;
      token.single_word = entry.boolean_or("single_word", false);
      token.lstrip = entry.boolean_or("lstrip", false);
      token.rstrip = entry.boolean_or("rstrip", false);
      token.special = entry.boolean_or("special", false);
      token.normalized = entry.boolean_or("normalized", !token.special);
      (token.normalized ? normalized : raw).push_back(token);
      rules.added.push_back({token, static_cast<TokenId>(entry.integer("id", 0, kMaxTokenId))});
    }
  }
  std::vector<AddedToken> all = raw;
  all.insert(all.end(), normalized.begin(), normalized.end());
  rules.cut_out = pcre_added_tokens(all, file.where());
  if (!normalized.empty() && file.has("normalizer"))
    throw_error(Code::kUnsupported,
                "{}: the added token '{}' is looked for in normalized text, which "
                "openvino_tokenizers can't say",
                file.where(), normalized.front().content);
  // The library looks for them after the others. (The extension can't: its second
  // SpecialTokensSplit reads the wrong input.) It is all one unless they can overlap.
  for (const AddedToken& first : raw)
    for (const AddedToken& second : normalized)
      if (can_overlap(first.content, second.content))
        throw_error(Code::kUnsupported,
                    "{}: the added tokens '{}' and '{}' can overlap and only one of them is "
                    "normalized, which openvino_tokenizers can't say",
                    file.where(), first.content, second.content);
}

void read_normalizer(const JsonView& file, EncodeRules& rules) {
  for (const JsonView& step : steps_of(file, "normalizer", "normalizers")) {
    if (step.string("type") == "Prepend") {
      const std::string text = step.string("prepend");
      rules.replacements.push_back(prepend(text, "", step.where()));
      refuse_arising(rules.added, text, step.where());
    } else {
      const std::string content = step.string("content");
      rules.replacements.push_back(
          replace_literal(step.object("pattern").string("String"), content, step.where()));
      refuse_arising(rules.added, content, step.where());
    }
  }
}

void read_metaspace(const JsonView& step, EncodeRules& rules) {
  const std::string mark = step.string("replacement");
  std::string scheme = step.string_or("prepend_scheme", "always");
  if (!step.boolean_or("add_prefix_space", true)) scheme = "never";
  if (scheme == "first")
    throw_error(Code::kUnsupported,
                "{}: Metaspace with prepend_scheme 'first' can't be said exactly with "
                "openvino_tokenizers",
                step.where());
  rules.replacements.push_back(replace_literal(" ", mark, step.where()));
  if (scheme == "always") rules.replacements.push_back(prepend(mark, mark, step.where()));
  refuse_arising(rules.added, mark, step.where());
}

void read_pre_tokenizer(const JsonView& file, EncodeRules& rules) {
  for (const JsonView& step : steps_of(file, "pre_tokenizer", "pretokenizers")) {
    const std::string type = step.string("type");
    if (rules.byte_level || ((type == "Metaspace") && !rules.splits.empty()))
      throw_error(Code::kUnsupported,
                  "{}: pre_tokenizer '{}' after a split or ByteLevel can't be said with "
                  "openvino_tokenizers",
                  step.where(), type);
    if (type == "Split") {
      const auto rule = split_rule_of_pattern(step.object("pattern").string("Regex"));
      PHIAL_ASSERT(rule);  // text/ refuses others
      rules.splits.push_back(pcre_split_rule(*rule));
    } else if (type == "ByteLevel") {
      if (step.boolean_or("add_prefix_space", true)) {
        if (!rules.splits.empty())
          throw_error(Code::kUnsupported,
                      "{}: ByteLevel with add_prefix_space after a split can't be said with "
                      "openvino_tokenizers",
                      step.where());
        rules.replacements.push_back(prepend(" ", " ", step.where()));
        refuse_arising(rules.added, " ", step.where());
      }
      if (step.boolean_or("use_regex", true))
        rules.splits.push_back(pcre_split_rule(SplitRule::kGpt2));
      rules.byte_level = true;
    } else {
      read_metaspace(step, rules);
    }
  }
}

// As phial itself does: tokenizer_config's add_bos_token decides if it is there, the file's
// template if not.
std::vector<TokenId> read_prefix(const Tokenizer& tokenizer, const SideFiles& files) {
  const bool decided = files.tokenizer_config.is_object() &&
                       JsonView(files.tokenizer_config, "").has("add_bos_token");
  if (!decided) return tokenizer.template_prefix();
  const auto bos = tokenizer.token_to_id(files.bos_token);
  return files.add_bos_token && bos ? std::vector{*bos} : std::vector<TokenId>();
}

// The template of tokenizer.json may put ids before the text, not after it.
void refuse_suffix(const JsonView& file) {
  for (const JsonView& step : steps_of(file, "post_processor", "processors")) {
    if (step.string_or("type", "") != "TemplateProcessing" || !step.has("single")) continue;
    if (const Json& single = step.at("single"); single.is_array() && !single.empty()) {
      if (single.back().is_object() && single.back().contains("SpecialToken"))
        throw_error(Code::kUnsupported,
                    "{}: post_processor adds a token after the text, which isn't supported",
                    step.where());
    }
  }
}

int32_t read_max_length(const SideFiles& files) {
  // The extension misreads numbers close to 2^31; openvino_tokenizers itself stays 64 below.
  constexpr int32_t kNoLimit = std::numeric_limits<int32_t>::max() - 64;
  if (!files.tokenizer_config.is_object()) return kNoLimit;
  const auto it = files.tokenizer_config.find("model_max_length");
  if (it == files.tokenizer_config.end() || !it->is_number()) return kNoLimit;
  const double length = it->get<double>();  // 1e30 stands for no limit
  return length >= 1 && length < kNoLimit ? static_cast<int32_t>(length) : kNoLimit;
}

}  // namespace

EncodeRules read_encode_rules(const TokenizerSpec& spec, const Tokenizer& tokenizer,
                              const SideFiles& files, const std::string& where) {
  const JsonView file(spec.rest, where);
  EncodeRules rules;
  read_added_tokens(file, rules);
  read_normalizer(file, rules);
  read_pre_tokenizer(file, rules);
  refuse_suffix(file);
  rules.prefix = read_prefix(tokenizer, files);
  for (const std::string& token : {files.pad_token, files.eos_token}) {
    const auto id = tokenizer.token_to_id(token);
    if (!id) continue;
    rules.pad = *id;
    break;
  }
  if (files.tokenizer_config.is_object())
    rules.pad_right =
        JsonView(files.tokenizer_config, where).string_or("padding_side", "right") != "left";
  rules.max_length = read_max_length(files);
  return rules;
}

DecodeRules read_decode_rules(const TokenizerSpec& spec, const std::string& where) {
  DecodeRules rules;
  for (const JsonView& step : steps_of(JsonView(spec.rest, where), "decoder", "decoders")) {
    const std::string type = step.string("type");
    if (type == "ByteLevel") rules.byte_level = true;
    if (type == "ByteFallback") rules.byte_fallback = true;
    if (type == "Replace")
      rules.replaces.push_back(replace_literal(step.object("pattern").string("String"),
                                               step.string("content"), step.where()));
    if (type == "Strip") {
      rules.strip = static_cast<int>(step.integer("start", 0, 1000));
      rules.strip_char = step.string("content");
    }
  }
  return rules;
}

}  // namespace phial
