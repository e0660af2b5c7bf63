// SPDX-License-Identifier: Apache-2.0
// Follows the rules of jinja2/lexer.py 3.1: which newline a tag eats, what lstrip_blocks strips,
// when a closing brace is an operator.
#include "chat/jinja_lexer.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/error.h"
#include "base/utf8.h"
#include "chat/jinja_text.h"

namespace phial {
namespace {

using Kind = JinjaToken::Kind;

// \r\n and \r become \n, and one newline at the end is dropped (keep_trailing_newline is off).
std::string normalise(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<uint8_t>(c) >= 0x80;
}

class Lexer {
 public:
  Lexer(std::string source, const std::string& where) : source_(std::move(source)), where_(where) {}

  std::vector<JinjaToken> run() {
    while (pos_ < source_.size()) {
      const size_t tag = next_tag(pos_);
      if (tag == std::string::npos) {
        text(source_.substr(pos_));
        pos_ = source_.size();
        break;
      }
      const char type = source_[tag + 1];
      size_t inside = tag + 2;
      char sign = 0;
      if (inside < source_.size() && (source_[inside] == '-' || source_[inside] == '+'))
        sign = source_[inside++];
      std::string before = source_.substr(pos_, tag - pos_);
      const std::string stripped = strip_before(before, sign, type);
      text(stripped);
      count_lines(before, stripped.size());
      pos_ = inside;
      if (type == '#') {
        comment();
      } else if (size_t end = 0; type == '%' && word_tag(tag, "raw", end)) {
        raw(end);
      } else {
        expression(type == '%');
      }
    }
    JinjaToken end;
    end.line = line_;
    tokens_.push_back(end);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw_error(Code::kCorrupt, "{}:{}: {}", where_, line_, what);
  }

  size_t next_tag(size_t from) const {
    for (size_t at = source_.find('{', from); at != std::string::npos;
         at = source_.find('{', at + 1)) {
      if (at + 1 < source_.size() &&
          std::string_view("%{#").find(source_[at + 1]) != std::string::npos)
        return at;
    }
    return std::string::npos;
  }

  std::string strip_before(const std::string& text, char sign, char type) const {
    if (sign == '-') return std::string(jinja_strip(text, false, true));
    if (sign == '+' || type == '{') return text;
    const size_t newline = text.rfind('\n');
    const size_t begin = newline == std::string::npos ? 0 : newline + 1;
    if (begin == 0 && !line_starting_) return text;
    // Only whitespace between the start of the line and the tag.
    const std::string_view rest = std::string_view(text).substr(begin);
    if (!rest.empty() && jinja_strip(rest, true, false).empty()) return text.substr(0, begin);
    return text;
  }

  void text(std::string text) {
    if (text.empty()) return;
    JinjaToken token;
    token.kind = Kind::kText;
    token.line = line_;
    count_lines(text, 0);
    token.text = std::move(text);
    tokens_.push_back(std::move(token));
  }
  void count_lines(std::string_view text, size_t from) {
    line_ +=
        static_cast<int>(std::count(text.begin() + static_cast<ptrdiff_t>(from), text.end(), '\n'));
  }

  // Moves behind the end of a tag at pos_ of `length` bytes, and behind the whitespace that it
  // eats.
  void close(size_t length, bool eat_all, bool eat_newline) {
    size_t end = pos_ + length;
    if (eat_all) {
      end += source_.size() - end -
             jinja_strip(std::string_view(source_).substr(end), true, false).size();
    } else if (eat_newline && end < source_.size() && source_[end] == '\n') {
      ++end;
    }
    line_starting_ = source_[end - 1] == '\n';
    count_lines(std::string_view(source_).substr(0, end), pos_);
    pos_ = end;
  }

  void comment() {
    const size_t end = source_.find("#}", pos_);
    if (end == std::string::npos) fail("a comment has no end, expected '#}'");
    const char sign = end > pos_ ? source_[end - 1] : 0;
    count_lines(std::string_view(source_).substr(0, end), pos_);
    pos_ = end;
    close(2, sign == '-', sign != '+');
  }

  // Whether a tag {% word %} stands at `tag`; `end` is then the position behind it (whitespace not
  // eaten yet).
  bool word_tag(size_t tag, std::string_view word, size_t& end) const {
    size_t at = tag + 2;
    const auto skip_space = [&] {
      at += source_.size() - at -
            jinja_strip(std::string_view(source_).substr(at), true, false).size();
    };
    if (at < source_.size() && (source_[at] == '-' || source_[at] == '+')) ++at;
    skip_space();
    if (source_.compare(at, word.size(), word) != 0) return false;
    at += word.size();
    skip_space();
    if (at < source_.size() && (source_[at] == '-' || (source_[at] == '+' && word == "endraw")))
      ++at;
    if (source_.compare(at, 2, "%}") != 0) return false;
    end = at + 2;
    return true;
  }

  void raw(size_t begin) {
    close(begin - pos_, source_[begin - 3] == '-', false);
    for (size_t at = source_.find("{%", pos_); at != std::string::npos;
         at = source_.find("{%", at + 1)) {
      size_t end = 0;
      if (!word_tag(at, "endraw", end)) continue;
      const std::string inside = source_.substr(pos_, at - pos_);
      const char sign = source_[at + 2] == '-' || source_[at + 2] == '+' ? source_[at + 2] : 0;
      const std::string stripped = strip_before(inside, sign, '%');
      text(stripped);
      count_lines(inside, stripped.size());
      pos_ = at;
      close(end - at, source_[end - 3] == '-', source_[end - 3] != '+');
      return;
    }
    fail("a raw block has no end, expected '{% endraw %}'");
  }

  void expression(bool block) {
    add(block ? Kind::kBlockBegin : Kind::kPrintBegin);
    const std::string_view closing = block ? "%}" : "}}";
    std::string open;  // brackets that aren't closed yet
    while (pos_ < source_.size()) {
      const char c = source_[pos_];
      const bool signed_end =
          (c == '-' || (block && c == '+')) && source_.compare(pos_ + 1, 2, closing) == 0;
      if (open.empty() && (signed_end || source_.compare(pos_, 2, closing) == 0)) {
        add(block ? Kind::kBlockEnd : Kind::kPrintEnd);
        close(signed_end ? 3 : 2, signed_end && c == '-', block && !signed_end);
        return;
      }
      char32_t point = 0;
      const size_t length = std::max<size_t>(utf8_decode(source_, pos_, point), 1);
      if (jinja_is_space(point)) {
        line_ += c == '\n';
        pos_ += length;
      } else if (is_digit(c)) {
        number();
      } else if (is_word(c)) {
        size_t end = pos_;
        while (end < source_.size() && is_word(source_[end])) ++end;
        add(Kind::kName).text = source_.substr(pos_, end - pos_);
        pos_ = end;
      } else if (c == '\'' || c == '"') {
        string(c);
      } else {
        symbol(open);
      }
    }
    fail(fmt::format("a tag has no end, expected '{}'", closing));
  }

  JinjaToken& add(Kind kind) {
    JinjaToken token;
    token.kind = kind;
    token.line = line_;
    tokens_.push_back(std::move(token));
    return tokens_.back();
  }

  void symbol(std::string& open) {
    static constexpr std::string_view kLong[] = {"**", "//", "==", "!=", ">=", "<="};
    std::string_view op = std::string_view(source_).substr(pos_, 1);
    for (const std::string_view two : kLong) {
      if (source_.compare(pos_, 2, two) == 0) op = two;
    }
    if (std::string_view("+-/*%~[](){}><=.:|,;").find(op[0]) == std::string::npos && op != "!=") {
      fail(fmt::format("unexpected character '{}'", op));
    }
    if (op == "(" || op == "[" || op == "{") open += op == "(" ? ')' : op == "[" ? ']' : '}';
    if (op == ")" || op == "]" || op == "}") {
      if (open.empty() || open.back() != op[0]) fail(fmt::format("unexpected '{}'", op));
      open.pop_back();
    }
    add(Kind::kOperator).text = std::string(op);
    pos_ += op.size();
  }

  void number() {
    const size_t start = pos_;
    std::string digits;
    const auto take = [&](auto&& allowed) {  // digits, with single underscores between them
      while (pos_ < source_.size() &&
             (allowed(source_[pos_]) ||
              (source_[pos_] == '_' && pos_ + 1 < source_.size() && allowed(source_[pos_ + 1])))) {
        if (source_[pos_] != '_') digits += source_[pos_];
        ++pos_;
      }
    };
    const auto peek = [&](size_t ahead) {
      return pos_ + ahead < source_.size() ? source_[pos_ + ahead] : '\0';
    };
    int base = 10;
    bool real = false;
    const char letter = static_cast<char>(peek(1) | 0x20);
    if (peek(0) == '0' && (letter == 'x' || letter == 'o' || letter == 'b')) {
      base = letter == 'x' ? 16 : letter == 'o' ? 8 : 2;
      pos_ += 2;
      take([&](char c) {
        const char low = static_cast<char>(c | 0x20);
        return is_digit(c) ? c - '0' < base : base == 16 && low >= 'a' && low <= 'f';
      });
    } else {
      take(is_digit);
      // A dot behind a dot is an index (a.0.1), not a fraction.
      if (peek(0) == '.' && is_digit(peek(1)) && !(start > 0 && source_[start - 1] == '.')) {
        real = true;
        digits += '.';
        ++pos_;
        take(is_digit);
      }
      const size_t sign = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
      if ((peek(0) | 0x20) == 'e' && is_digit(peek(sign))) {
        real = true;
        digits.append(source_, pos_, sign);
        pos_ += sign;
        take(is_digit);
      }
    }
    if (real) {
      JinjaToken& token = add(Kind::kFloat);
      std::from_chars(digits.data(), digits.data() + digits.size(), token.real);
      return;
    }
    JinjaToken& token = add(Kind::kInteger);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), token.integer, base);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      throw_error(Code::kUnsupported, "{}:{}: integer '{}' doesn't fit 64 bits", where_, line_,
                  source_.substr(start, std::min<size_t>(pos_ - start, 40)));
    }
  }

  // Python's escapes; an unknown one keeps its backslash.
  void string(char quote) {
    const int line = line_;
    std::string out;
    size_t at = pos_ + 1;
    for (;; ++at) {
      if (at >= source_.size()) fail("a string has no end");
      const char c = source_[at];
      if (c == quote) break;
      if (c == '\n') ++line_;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (++at >= source_.size()) fail("a string has no end");
      escape(out, at);
    }
    JinjaToken& token = add(Kind::kString);
    token.line = line;
    token.text = std::move(out);
    pos_ = at + 1;
  }

  void escape(std::string& out, size_t& at) {
    static constexpr std::string_view kLetters = "abfnrtv\\'\"", kMeaning = "\a\b\f\n\r\t\v\\'\"";
    const char c = source_[at];
    if (const size_t i = kLetters.find(c); i != std::string::npos) {
      out += kMeaning[i];
    } else if (c == '\n') {
      ++line_;
    } else if (c >= '0' && c <= '7') {
      uint32_t value = 0;
      size_t n = 0;
      for (; n < 3 && at + n < source_.size() && source_[at + n] >= '0' && source_[at + n] <= '7';
           ++n) {
        value = value * 8 + static_cast<uint32_t>(source_[at + n] - '0');
      }
      at += n - 1;
      utf8_append(out, value);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const size_t n = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      uint32_t value = 0;
      const char* begin = source_.data() + at + 1;
      const char* end = source_.data() + std::min(source_.size(), at + 1 + n);
      if (std::from_chars(begin, end, value, 16).ptr != begin + n)
        fail(fmt::format("'\\{}' needs {} hex digits", c, n));
      if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) {
        throw_error(Code::kUnsupported, "{}:{}: '\\{}{:x}' isn't a character", where_, line_, c,
                    value);
      }
      at += n;
      utf8_append(out, value);
    } else if (c == 'N') {
      throw_error(Code::kUnsupported, "{}:{}: characters by name ('\\N') aren't in the subset",
                  where_, line_);
    } else {
      out += '\\';
      out += c;
    }
  }

  std::string source_;
  const std::string& where_;
  std::vector<JinjaToken> tokens_;
  size_t pos_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
};

}  // namespace

std::vector<JinjaToken> jinja_tokens(std::string_view source, const std::string& where) {
  if (const size_t bad = utf8_first_invalid(source); bad != std::string_view::npos) {
    throw_error(Code::kCorrupt, "{}: byte {} isn't valid UTF-8", where, bad);
  }
  return Lexer(normalise(source), where).run();
}

}  // namespace phial
