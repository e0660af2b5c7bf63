// SPDX-License-Identifier: Apache-2.0
// How a model is called: "phi-3-mini", "phi-4:int8", "owner/name@revision:fp16".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace phial {

struct ModelName {
  std::string base;      // "phi-3-mini" or "owner/name"
  std::string revision;  // empty: the repository's main
  std::string tag;       // "int4", "int8", "fp16"; empty: whichever is there, int4 before others

  std::string text() const;    // as it is typed
  std::string folder() const;  // of all its tags, within the models folder
};

// nullopt: it can't be a name (a path, say).
std::optional<ModelName> parse_model_name(std::string_view text);

// The name that `folder` stands for; nullopt: that isn't one of ours.
std::optional<ModelName> name_of_folder(std::string_view folder);

struct KnownModel {
  const char* name;
  const char* repository;
};
std::span<const KnownModel> known_models();

// "microsoft/Phi-3-mini-4k-instruct" for "phi-3-mini". Throws kNotFound, with the names that there
// are, for a name without an owner that isn't one of them.
std::string repository_of(const ModelName& name);

}  // namespace phial
