// SPDX-License-Identifier: Apache-2.0
// Puts the parts of a tokenizer.json together: added tokens, normalizer, pre-tokenizer, BPE; and
// the way back.
#include "text/tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer_impl.h"
#include "text/tokenizer_json.h"

namespace phial {
namespace {

constexpr size_t kMaxTextBytes =
    1u << 30;  // positions are 32 bit, and a normalizer may treble the text

// The special tokens before the text in a TemplateProcessing, alone or in a Sequence; everything
// else adds none.
std::vector<TokenId> read_template_prefix(const JsonView& file, const Tokenizer::Impl& impl) {
  std::vector<TokenId> prefix;
  if (!file.has("post_processor")) return prefix;
  const JsonView post = file.object("post_processor");
  std::vector<JsonView> steps{post};
  if (post.string_or("type", "") == "Sequence" && post.has("processors") &&
      post.at("processors").is_array())
    for (const Json& inner : post.at("processors")) steps.emplace_back(inner, post.where());
  for (const JsonView& step : steps) {
    if (step.string_or("type", "") != "TemplateProcessing" || !step.has("single") ||
        !step.at("single").is_array())
      continue;
    for (const Json& item : step.at("single")) {
      const JsonView part(item, step.where());
      if (!part.has("SpecialToken")) break;  // the text itself
      if (const auto id = impl.token_to_id(part.object("SpecialToken").string("id")))
        prefix.push_back(*id);
    }
  }
  return prefix;
}

}  // namespace

Tokenizer::Impl::Impl(TokenizerSpec spec, const std::string& where)
    : bpe(spec, where),
      normalizer(JsonView(spec.rest, where)),
      pre_tokenizer(JsonView(spec.rest, where)),
      added(JsonView(spec.rest, where), bpe, normalizer),
      decoder(JsonView(spec.rest, where)),
      vocab_size(std::max(bpe.max_id(), added.max_id()) + 1) {
  template_prefix = read_template_prefix(JsonView(spec.rest, where), *this);
}

std::optional<TokenId> Tokenizer::Impl::token_to_id(std::string_view token) const {
  const auto id = added.token_to_id(token);
  return id ? id : bpe.token_to_id(token);
}

std::string_view Tokenizer::Impl::id_to_token(TokenId id) const {
  const AddedToken* token = added.find(id);
  return token ? std::string_view(token->content) : bpe.id_to_token(id);
}

bool Tokenizer::Impl::is_special(TokenId id) const {
  const AddedToken* token = added.find(id);
  return token && token->special;
}

void Tokenizer::Impl::check(TokenId id) const {
  if (id < 0) throw_error(Code::kInvalidArgument, "token id {}, expected 0 or more", id);
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

std::shared_ptr<const Tokenizer> Tokenizer::open(const fs::path& folder) {
  const fs::path path = folder / "tokenizer.json";
  return parse(read_file(path), path.string());
}

std::shared_ptr<const Tokenizer> Tokenizer::parse(std::string_view json, const std::string& where) {
  auto impl = std::make_unique<Impl>(read_tokenizer_json(json, where), where);
  return std::shared_ptr<const Tokenizer>(new Tokenizer(std::move(impl)));
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, bool parse_special) const {
  if (text.size() > kMaxTextBytes)
    throw_error(Code::kInvalidArgument, "text of {} bytes, expected at most {}", text.size(),
                kMaxTextBytes);
  std::string valid;
  if (utf8_first_invalid(text) != std::string_view::npos) {
    valid = utf8_replace_invalid(text);
    text = valid;
  }
  std::vector<TokenId> ids;
  BpeScratch scratch;
  const PreTokenizer::Sink encode_piece = [&](std::string_view piece) {
    impl_->bpe.encode(piece, scratch, ids);
  };
  for (const TextPart& raw : impl_->added.split(text, false, parse_special)) {
    if (raw.id) {
      ids.push_back(*raw.id);
      continue;
    }
    const std::string normalized =
        impl_->normalizer.apply(text.substr(raw.begin, raw.end - raw.begin));
    for (const TextPart& part : impl_->added.split(normalized, true, parse_special)) {
      if (part.id) {
        ids.push_back(*part.id);
      } else {
        const std::string_view piece =
            std::string_view(normalized).substr(part.begin, part.end - part.begin);
        impl_->pre_tokenizer.apply(piece, raw.begin == 0 && part.begin == 0, encode_piece);
      }
    }
  }
  return ids;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string text;
  DecodeState state = impl_->decoder.begin();
  for (const TokenId id : ids) {
    impl_->check(id);
    if (!impl_->has_token(id) || (skip_special && impl_->is_special(id))) continue;
    impl_->decoder.push(state, impl_->id_to_token(id), text);
  }
  impl_->decoder.finish(state, text);
  return text;
}

std::optional<TokenId> Tokenizer::token_to_id(std::string_view token) const {
  return impl_->token_to_id(token);
}
std::string_view Tokenizer::id_to_token(TokenId id) const { return impl_->id_to_token(id); }
bool Tokenizer::is_special(TokenId id) const { return impl_->is_special(id); }
int32_t Tokenizer::vocab_size() const { return impl_->vocab_size; }
const std::vector<TokenId>& Tokenizer::template_prefix() const { return impl_->template_prefix; }

}  // namespace phial
