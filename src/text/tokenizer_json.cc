// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_json.h"

#include <limits>

#include "base/error.h"

namespace phial {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxTextBytes = 256u << 20;
constexpr size_t kMaxOtherValues =
    1'000'000;  // values outside vocab and merges; real files have a few thousand
constexpr size_t kMaxOtherKeys =
    1'000;  // keys of one such object; Json finds keys by looking at each

// Events of the JSON parser. Vocabulary and merges go straight into their packed lists, since a
// Json of some hundred thousand keys costs more than all the rest of loading.
class Reader : public nlohmann::json_sax<Json> {
 public:
  Reader(TokenizerSpec& spec, const std::string& where) : spec_(spec), where_(where) {}

  bool null() override { return scalar(Json(nullptr)); }
  bool boolean(bool value) override { return scalar(Json(value)); }
  bool number_integer(number_integer_t value) override {
    return number(value < 0 ? -1 : value, Json(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return number(value > kMaxTokenId ? int64_t{kMaxTokenId} + 1 : static_cast<int64_t>(value),
                  Json(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return scalar(Json(value)); }
  bool binary(binary_t&) override { return false; }

  bool string(string_t& value) override {
    if (list_ == List::kMerges) {
      if (in_pair_) {
        if (pair_.size() == 2) fail_merge("more than two parts");
        pair_.push_back(value);
      } else {
        add_merge_line(value);
      }
      return true;
    }
    return scalar(Json(std::move(value)));
  }

  bool start_object(size_t) override {
    if (list_ != List::kNone) refuse("an object");
    if (in_model() && key_ == "vocab") {
      if (spec_.has_vocab) throw_error(Code::kCorrupt, "{}: model.vocab is there twice", where_);
      spec_.has_vocab = true;
      list_ = List::kVocab;
      return true;
    }
    return open(Json::object());
  }

  bool key(string_t& name) override {
    if (list_ == List::kVocab) {
      token_ = std::move(name);
      return true;
    }
    if (++values_ > kMaxOtherValues || stack_.back()->size() >= kMaxOtherKeys)
      throw_error(Code::kCorrupt, "{}: an object with more than {} keys outside model.vocab",
                  where_, kMaxOtherKeys);
    key_ = std::move(name);
    return true;
  }

  bool end_object() override {
    if (list_ == List::kVocab) {
      list_ = List::kNone;
    } else {
      stack_.pop_back();
    }
    return true;
  }

  bool start_array(size_t) override {
    if (list_ == List::kMerges && !in_pair_) {
      in_pair_ = true;
      pair_.clear();
      return true;
    }
    if (list_ != List::kNone) refuse("an array");
    if (in_model() && key_ == "merges") {
      if (spec_.has_merges) throw_error(Code::kCorrupt, "{}: model.merges is there twice", where_);
      spec_.has_merges = true;
      list_ = List::kMerges;
      return true;
    }
    return open(Json::array());
  }

  bool end_array() override {
    if (in_pair_) {
      in_pair_ = false;
      if (pair_.size() != 2) fail_merge("not two parts");
      add_merge(pair_[0], pair_[1]);
    } else if (list_ == List::kMerges) {
      list_ = List::kNone;
    } else {
      stack_.pop_back();
    }
    return true;
  }

  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override {
    std::string reason = error.what();
    if (auto bracket = reason.find("] "); bracket != std::string::npos)
      reason.erase(0, bracket + 2);
    throw_error(Code::kCorrupt, "{}: not valid JSON: {}", where_, reason);
  }

 private:
  enum class List { kNone, kVocab, kMerges };

  // True for the keys of the top-level object's "model".
  bool in_model() const { return stack_.size() == 2 && stack_[1] == model_ && model_; }

  [[noreturn]] void refuse(const char* found) const {
    if (list_ == List::kVocab)
      throw_error(Code::kCorrupt, "{}: model.vocab['{}'] is {}, expected an id", where_, token_,
                  found);
    fail_merge(found);
  }

  [[noreturn]] void fail_merge(std::string_view what) const {
    throw_error(Code::kCorrupt, "{}: model.merges[{}]: {}, expected \"a b\" or [\"a\", \"b\"]",
                where_, spec_.merges.size(), what);
  }

  bool number(int64_t id, Json value) {
    if (list_ == List::kVocab) {
      if (id < 0 || id > kMaxTokenId)
        throw_error(Code::kCorrupt, "{}: model.vocab['{}'] is {}, expected 0 to {}", where_, token_,
                    value.dump(), kMaxTokenId);
      spec_.vocab.push_back({append(spec_.token_bytes, token_),
                             static_cast<uint32_t>(token_.size()), static_cast<TokenId>(id)});
      return true;
    }
    return scalar(std::move(value));
  }

  bool scalar(Json value) {
    if (list_ != List::kNone) refuse(value.type_name());
    place(std::move(value));
    return true;
  }

  // Puts a value where the parser is, and returns it.
  Json* place(Json value) {
    if (++values_ > kMaxOtherValues)
      throw_error(Code::kCorrupt, "{}: more than {} values outside model.vocab and model.merges",
                  where_, kMaxOtherValues);
    if (stack_.empty()) {
      spec_.rest = std::move(value);
      return &spec_.rest;
    }
    Json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }

  bool open(Json value) {
    if (stack_.size() >= kMaxDepth)
      throw_error(Code::kCorrupt, "{}: JSON nests deeper than {} levels", where_, kMaxDepth);
    const bool is_model = stack_.size() == 1 && stack_[0]->is_object() && key_ == "model";
    stack_.push_back(place(std::move(value)));
    if (is_model) model_ = stack_.back()->is_object() ? stack_.back() : nullptr;
    return true;
  }

  void add_merge_line(const std::string& line) {
    if (line.starts_with("#version")) return;  // the first line of a merges.txt; it has no rank
    const size_t space = line.find(' ');
    if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos)
      fail_merge("'" + line + "'");
    add_merge(std::string_view(line).substr(0, space), std::string_view(line).substr(space + 1));
  }

  void add_merge(std::string_view left, std::string_view right) {
    const uint32_t offset = append(spec_.merge_bytes, left);
    append(spec_.merge_bytes, right);
    spec_.merges.push_back(
        {offset, static_cast<uint32_t>(left.size()), static_cast<uint32_t>(right.size())});
  }

  uint32_t append(std::string& bytes, std::string_view text) {
    const size_t offset = bytes.size();
    bytes.append(text);
    return static_cast<uint32_t>(offset);
  }

  TokenizerSpec& spec_;
  const std::string& where_;
  std::vector<Json*>
      stack_;  // open objects and arrays; only the last one grows, so the pointers hold
  Json* model_ = nullptr;
  std::string key_, token_;
  List list_ = List::kNone;
  bool in_pair_ = false;
  std::vector<std::string> pair_;
  size_t values_ = 0;
};

}  // namespace

TokenizerSpec read_tokenizer_json(std::string_view text, const std::string& where) {
  if (text.size() >
      kMaxTextBytes)  // offsets are 32 bit, and no file of the family has a tenth of it
    throw_error(Code::kCorrupt, "{}: {} bytes, expected at most {}", where, text.size(),
                kMaxTextBytes);
  TokenizerSpec spec;
  Reader reader(spec, where);
  Json::sax_parse(text.begin(), text.end(), &reader);
  if (!spec.rest.is_object())
    throw_error(Code::kCorrupt, "{}: expected a JSON object, found {}", where,
                spec.rest.type_name());
  return spec;
}

}  // namespace phial
