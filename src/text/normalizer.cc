// SPDX-License-Identifier: Apache-2.0
#include "text/normalizer.h"

#include <algorithm>

#include "base/error.h"

namespace phial {
namespace {

constexpr size_t kMaxSteps = 16;
constexpr size_t kMaxGrowth =
    4;  // " " to "▁" is three times; a file that blows texts up further is hostile

size_t count(std::string_view text, std::string_view pattern) {
  size_t n = 0;
  for (size_t pos = 0; (pos = text.find(pattern, pos)) != std::string_view::npos;
       pos += pattern.size())
    ++n;
  return n;
}

}  // namespace

std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content) {
  std::string out;
  out.reserve(text.size());
  size_t pos = 0;
  for (size_t found; (found = text.find(pattern, pos)) != std::string_view::npos;
       pos = found + pattern.size()) {
    out.append(text, pos, found - pos);
    out.append(content);
  }
  out.append(text.substr(pos));
  return out;
}

Normalizer::Normalizer(const JsonView& file) {
  if (file.has("normalizer")) add(file.object("normalizer"), 0);
}

void Normalizer::add(const JsonView& step, int depth) {
  const std::string type = step.string("type");
  if (type == "Sequence" && depth < 4) {
    const Json& list = step.at("normalizers");
    if (!list.is_array())
      throw_error(Code::kCorrupt, "{}: 'normalizers' must be an array", step.where());
    for (const Json& inner : list) add(JsonView(inner, step.where()), depth + 1);
    return;
  }
  if (type == "Prepend") {
    steps_.push_back({"", step.string("prepend")});
  } else if (type == "Replace") {
    const JsonView pattern = step.object("pattern");
    if (!pattern.has("String") || pattern.string("String").empty())
      throw_error(Code::kUnsupported, "{}: Replace with {}: phial replaces strings only",
                  step.where(), pattern.json().dump());
    steps_.push_back({pattern.string("String"), step.string("content")});
  } else {
    throw_error(Code::kUnsupported,
                "{}: normalizer '{}' isn't supported, only Sequence, Prepend and Replace are",
                step.where(), type);
  }
  if (steps_.size() > kMaxSteps)
    throw_error(Code::kUnsupported, "{}: a normalizer of more than {} steps", step.where(),
                kMaxSteps);
}

std::string Normalizer::apply(std::string_view text) const {
  std::string out(text);
  const size_t limit = kMaxGrowth * text.size() + 4096;
  for (const Step& step : steps_) {
    const size_t places = step.pattern.empty() ? !out.empty() : count(out, step.pattern);
    if (places && step.content.size() > step.pattern.size() &&
        places >
            (limit - std::min(limit, out.size())) / (step.content.size() - step.pattern.size()))
      throw_error(Code::kUnsupported, "the normalizer makes more than {} bytes out of {}", limit,
                  text.size());
    if (!step.pattern.empty()) {
      out = replace_all(out, step.pattern, step.content);
    } else if (places) {
      out.insert(0, step.content);
    }
  }
  return out;
}

}  // namespace phial
