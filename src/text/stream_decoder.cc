// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer.h"
#include "text/tokenizer_impl.h"

namespace phial {

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special,
                             bool keep_leading_space)
    : tokenizer_(std::move(tokenizer)),
      skip_special_(skip_special),
      state_(tokenizer_->impl().decoder.begin()) {
  if (keep_leading_space) state_.strip_left = 0;
}

std::string StreamDecoder::push(TokenId id) {
  const Tokenizer::Impl& impl = tokenizer_->impl();
  impl.check(id);
  std::string piece;
  if (impl.has_token(id) && !(skip_special_ && impl.is_special(id)))
    impl.decoder.push(state_, impl.id_to_token(id), piece);
  return piece;
}

std::string StreamDecoder::finish() {
  std::string piece;
  tokenizer_->impl().decoder.finish(state_, piece);
  return piece;
}

}  // namespace phial
