// SPDX-License-Identifier: Apache-2.0
// The models of this user: packages in one folder, <models>/<name>/<tag>. Several processes may use
// it at once: a package comes and goes by one rename.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "models/names.h"

namespace phial {

struct StoredModel {
  ModelName name;  // with its tag
  fs::path folder;
  uint64_t bytes = 0;
  int64_t changed = 0;  // seconds since 1970
};

class ModelStore {
 public:
  explicit ModelStore(fs::path folder) : folder_(std::move(folder)) {}
  // PHIAL_MODELS, else XDG_DATA_HOME/phial/models, else ~/.local/share/phial/models;
  // on Windows %LOCALAPPDATA%\phial\models. Throws
  // kNotFound if there is no such place.
  static ModelStore of_user();

  const fs::path& folder() const { return folder_; }
  fs::path place(const ModelName& name) const;  // with a tag

  std::vector<StoredModel> list() const;  // by name
  // Of a name without a tag int4 before int8 before fp16.
  std::optional<StoredModel> find(const ModelName& name) const;
  // What a user means by `text`: a folder that is there, else a model of the store. Throws
  // kNotFound, with what to do.
  fs::path resolve(const std::string& text) const;
  // The model is gone at once, its space a moment later. A process that has it open goes on.
  // Without a tag there must be one only. Throws kNotFound.
  StoredModel remove(const ModelName& name) const;
  // Under another name, or a package of elsewhere under a name; the weights are linked, not copied,
  // where the file system can. Throws kInvalidArgument if `to` is there.
  StoredModel copy(const std::string& from, const ModelName& to) const;

 private:
  fs::path folder_;
};

}  // namespace phial
