// SPDX-License-Identifier: Apache-2.0
#include "models/names.h"

#include <algorithm>

#include "base/error.h"

namespace phial {
namespace {

constexpr KnownModel kKnown[] = {
    {"phi-3-mini", "microsoft/Phi-3-mini-4k-instruct"},
    {"phi-3-mini-128k", "microsoft/Phi-3-mini-128k-instruct"},
    {"phi-3-medium", "microsoft/Phi-3-medium-4k-instruct"},
    {"phi-3-medium-128k", "microsoft/Phi-3-medium-128k-instruct"},
    {"phi-3.5-mini", "microsoft/Phi-3.5-mini-instruct"},
    {"phi-4", "microsoft/phi-4"},
    {"phi-4-mini", "microsoft/Phi-4-mini-instruct"},
};

constexpr std::string_view kTags[] = {"int4", "int8", "fp16"};

// What hubs allow in a part of a name, and nothing that means something to a file system.
bool is_part(std::string_view text) {
  return !text.empty() && text.size() <= 96 && text.front() != '.' && text.front() != '-' &&
         text.find("..") == std::string_view::npos && text.find("--") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

}  // namespace

std::string ModelName::text() const {
  return fmt::format("{}{}{}{}{}", base, revision.empty() ? "" : "@", revision,
                     tag.empty() ? "" : ":", tag);
}

std::string ModelName::folder() const {
  std::string name = base;
  if (const size_t slash = name.find('/'); slash != std::string::npos)
    name = fmt::format("{}--{}", base.substr(0, slash), base.substr(slash + 1));
  return revision.empty() ? name : fmt::format("{}@{}", name, revision);
}

std::optional<ModelName> parse_model_name(std::string_view text) {
  ModelName name;
  if (const size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    name.tag = text.substr(colon + 1);
    if (std::find(std::begin(kTags), std::end(kTags), name.tag) == std::end(kTags))
      return std::nullopt;
    text = text.substr(0, colon);
  }
  if (const size_t at = text.find('@'); at != std::string_view::npos) {
    name.revision = text.substr(at + 1);
    if (!is_part(name.revision)) return std::nullopt;
    text = text.substr(0, at);
  }
  const size_t slash = text.find('/');
  const std::string_view owner =
      slash == std::string_view::npos ? std::string_view("x") : text.substr(0, slash);
  const std::string_view last = slash == std::string_view::npos ? text : text.substr(slash + 1);
  if (!is_part(owner) || !is_part(last)) return std::nullopt;
  name.base = text;
  return name;
}

std::optional<ModelName> name_of_folder(std::string_view folder) {
  const size_t dashes = folder.find("--");
  const std::string text =
      dashes == std::string_view::npos
          ? std::string(folder)
          : fmt::format("{}/{}", folder.substr(0, dashes), folder.substr(dashes + 2));
  auto name = parse_model_name(text);
  if (!name || name->folder() != folder) return std::nullopt;
  return name;
}

std::span<const KnownModel> known_models() { return kKnown; }

std::string repository_of(const ModelName& name) {
  if (name.base.find('/') != std::string::npos) return name.base;
  std::string names;
  for (const KnownModel& known : kKnown) {
    if (name.base == known.name) return known.repository;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
  }
  throw_error(Code::kNotFound,
              "there is no model '{}'; phial knows {}, and any OWNER/NAME of the hub", name.base,
              names);
}

}  // namespace phial
