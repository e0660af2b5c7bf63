// SPDX-License-Identifier: Apache-2.0
#include "text/pre_tokenizer.h"

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/normalizer.h"

namespace phial {
namespace {

constexpr size_t kMaxSteps = 8;

}  // namespace

PreTokenizer::PreTokenizer(const JsonView& file) {
  if (file.has("pre_tokenizer")) add(file.object("pre_tokenizer"), 0);
}

void PreTokenizer::add(const JsonView& step, int depth) {
  const std::string type = step.string("type");
  if (type == "Sequence" && depth < 4) {
    const Json& list = step.at("pretokenizers");
    if (!list.is_array())
      throw_error(Code::kCorrupt, "{}: 'pretokenizers' must be an array", step.where());
    for (const Json& inner : list) add(JsonView(inner, step.where()), depth + 1);
  } else if (type == "Split") {
    add_split(step);
  } else if (type == "ByteLevel") {
    add_byte_level(step);
  } else if (type == "Metaspace") {
    add_metaspace(step);
  } else {
    throw_error(
        Code::kUnsupported,
        "{}: pre_tokenizer '{}' isn't supported, only Sequence, Split, ByteLevel and Metaspace are",
        step.where(), type);
  }
  if (steps_.size() > kMaxSteps)
    throw_error(Code::kUnsupported, "{}: a pre_tokenizer of more than {} steps", step.where(),
                kMaxSteps);
}

void PreTokenizer::add_split(const JsonView& step) {
  const JsonView pattern = step.object("pattern");
  const auto rule =
      pattern.has("Regex") ? split_rule_of_pattern(pattern.string("Regex")) : std::nullopt;
  if (!rule)
    throw_error(Code::kUnsupported,
                "{}: split pattern {} isn't one that phial knows (cl100k_base's and o200k_base's)",
                step.where(), pattern.json().dump());
  // The known patterns match everywhere, so what happens to text between the matches is all one.
  const std::string behavior = step.string("behavior");
  const bool invert = step.boolean_or("invert", false);
  if (behavior != "Isolated" && !(behavior == "Removed" && invert))
    throw_error(Code::kUnsupported, "{}: split behavior '{}' (invert {}), expected Isolated",
                step.where(), behavior, invert);
  steps_.push_back({Step::Kind::kSplit, *rule});
}

void PreTokenizer::add_byte_level(const JsonView& step) {
  if (step.boolean_or("add_prefix_space", true)) steps_.push_back({Step::Kind::kPrefix});
  if (step.boolean_or("use_regex", true)) steps_.push_back({Step::Kind::kSplit, SplitRule::kGpt2});
  steps_.push_back({Step::Kind::kByteAlphabet});
}

// What Llama-style files of newer libraries have in place of the normalizer.
void PreTokenizer::add_metaspace(const JsonView& step) {
  Step metaspace{Step::Kind::kMetaspace};
  metaspace.mark = step.string("replacement");
  std::string scheme = step.string_or("prepend_scheme", "always");
  if (!step.boolean_or("add_prefix_space", true)) scheme = "never";
  metaspace.prepend = scheme != "never";
  metaspace.only_at_start = scheme == "first";
  if (step.boolean_or("split", true) || metaspace.mark.empty() || metaspace.mark.size() > 4 ||
      (scheme != "always" && scheme != "first" && scheme != "never"))
    throw_error(Code::kUnsupported, "{}: Metaspace is supported with split false only, found {}",
                step.where(), step.json().dump());
  steps_.push_back(std::move(metaspace));
}

void PreTokenizer::run(size_t index, std::string_view text, bool at_start, const Sink& sink) const {
  if (index == steps_.size()) return sink(text);
  const Step& step = steps_[index];
  switch (step.kind) {
    case Step::Kind::kSplit:
      for (size_t pos = 0, end; pos < text.size(); pos = end) {
        end = split_end(step.rule, text, pos);
        run(index + 1, text.substr(pos, end - pos), at_start && pos == 0, sink);
      }
      return;
    case Step::Kind::kByteAlphabet:
      return run(index + 1, to_byte_alphabet(text), at_start, sink);
    case Step::Kind::kPrefix:
      if (text.starts_with(' ')) return run(index + 1, text, at_start, sink);
      return run(index + 1, std::string(1, ' ').append(text), at_start, sink);
    case Step::Kind::kMetaspace: {
      std::string marked = replace_all(text, " ", step.mark);
      if (step.prepend && (at_start || !step.only_at_start) && !marked.starts_with(step.mark))
        marked.insert(0, step.mark);
      return run(index + 1, marked, at_start, sink);
    }
  }
}

}  // namespace phial
