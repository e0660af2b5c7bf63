// SPDX-License-Identifier: Apache-2.0
#include "models/store.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "base/error.h"
#include "base/json.h"
#include "base/system.h"
#include "base/write_beside.h"
#include "package/package.h"

namespace phial {
namespace {

constexpr const char* kTags[] = {"int4", "int8", "fp16"};
constexpr const char* kTrash = ".removed-";

std::string variable(const char* name) { return environment(name).value_or(""); }

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed))
    if (it->is_directory(failed) && !it->path().filename().string().starts_with('.'))
      found.push_back(it->path());
  std::sort(found.begin(), found.end());
  return found;
}

bool is_package(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / kManifestFile, ignored);
}

StoredModel describe(ModelName name, const fs::path& folder) {
  StoredModel model{std::move(name), folder, 0, 0};
  std::error_code ignored;
  for (fs::recursive_directory_iterator it(folder, ignored), end; !ignored && it != end;
       it.increment(ignored))
    if (it->is_regular_file(ignored)) model.bytes += it->file_size(ignored);
  const auto changed = fs::last_write_time(folder / kManifestFile, ignored);
  if (!ignored)
    model.changed = std::chrono::duration_cast<std::chrono::seconds>(
                        std::chrono::file_clock::to_sys(changed).time_since_epoch())
                        .count();
  return model;
}

// Linked where the file system can.
void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::create_hard_link(from, to, failed);
  if (!failed) return;
  const MappedFile source(from);
  FileWriter copy(to);
  copy.write(source.bytes());
  copy.finish();
}

// What killed processes have left, and models whose removal was cut short.
void sweep(const fs::path& folder) {
  std::error_code ignored;
  for (fs::directory_iterator it(folder, ignored), end; !ignored && it != end;
       it.increment(ignored))
    if (it->path().filename().string().starts_with(kTrash)) fs::remove_all(it->path(), ignored);
}

// FolderBeside's partial names, which begin with the destination's.
bool is_tag(const std::string& name) {
  return std::find(std::begin(kTags), std::end(kTags), name) != std::end(kTags);
}

}  // namespace

ModelStore ModelStore::of_user() {
  if (const std::string named = variable("PHIAL_MODELS"); !named.empty()) return ModelStore(named);
  if (const fs::path data = user_data_folder(); !data.empty()) return ModelStore(data / "models");
#if defined(_WIN32)
  constexpr const char* kHome = "LOCALAPPDATA";
#else
  constexpr const char* kHome = "HOME";
#endif
  throw_error(Code::kNotFound,
              "there is no place for models: set PHIAL_MODELS to a folder ({} isn't set)", kHome);
}

fs::path ModelStore::place(const ModelName& name) const {
  return folder_ / name.folder() / name.tag;
}

std::vector<StoredModel> ModelStore::list() const {
  std::vector<StoredModel> models;
  std::error_code ignored;
  if (fs::exists(folder_, ignored) && !fs::is_directory(folder_, ignored))
    throw_error(Code::kIo, "{}: isn't a folder: let PHIAL_MODELS name one", folder_.string());
  for (const fs::path& folder : folders_in(folder_)) {
    const auto name = name_of_folder(folder.filename().string());
    if (!name) continue;
    for (const fs::path& tag : folders_in(folder)) {
      if (!is_tag(tag.filename().string()) || !is_package(tag)) continue;
      ModelName whole = *name;
      whole.tag = tag.filename().string();
      models.push_back(describe(std::move(whole), tag));
    }
  }
  return models;
}

std::optional<StoredModel> ModelStore::find(const ModelName& name) const {
  for (const char* tag : kTags) {
    if (!name.tag.empty() && name.tag != tag) continue;
    ModelName whole = name;
    whole.tag = tag;
    if (is_package(place(whole))) return describe(whole, place(whole));
  }
  return std::nullopt;
}

fs::path ModelStore::resolve(const std::string& text) const {
  std::error_code ignored;
  if (fs::exists(text, ignored)) return text;
  const auto name = parse_model_name(text);
  if (!name) throw_error(Code::kNotFound, "{}: there is no such folder", text);
  if (const auto found = find(*name)) return found->folder;
  throw_error(
      Code::kNotFound,
      "{0}: there is neither such a folder nor such a model in {1}; get one with 'phial pull {0}'",
      text, folder_.string());
}

StoredModel ModelStore::remove(const ModelName& name) const {
  ModelName whole = name;
  if (name.tag.empty()) {
    std::vector<std::string> tags;
    for (const char* tag : kTags) {
      whole.tag = tag;
      if (is_package(place(whole))) tags.push_back(tag);
    }
    if (tags.size() > 1)
      throw_error(Code::kInvalidArgument, "{} is there as {}: say which, '{}:{}'", name.text(),
                  fmt::join(tags, ", "), name.text(), tags.front());
    whole.tag = tags.empty() ? kTags[0] : tags.front();
  }
  if (!is_package(place(whole)))
    throw_error(Code::kNotFound, "{}: there is no such model in {}", name.text(), folder_.string());
  const StoredModel model = describe(whole, place(whole));
  const fs::path trash = folder_ / fmt::format("{}{}-{}", kTrash, whole.folder(), whole.tag);
  std::error_code failed;
  sweep(folder_);
  fs::rename(model.folder, trash, failed);
  if (failed)
    throw_error(Code::kIo, "{}: can't be removed: {}", model.folder.string(), failed.message());
  fs::remove_all(trash, failed);
  fs::remove(model.folder.parent_path(), failed);  // if it was the last tag
  return model;
}

StoredModel ModelStore::copy(const std::string& from, const ModelName& to) const {
  const fs::path source = resolve(from);
  const auto package = Package::open(source);  // whatever is wrong with it is said here
  if (!package->quantized_by_phial())
    throw_error(Code::kUnsupported,
                "{}: is an original checkpoint; the models folder holds packages: make one with "
                "'phial quantize'",
                source.string());
  ModelName whole = to;
  if (whole.tag.empty()) whole.tag = precision_name(package->stored()->recipe.precision);
  if (is_package(place(whole)))
    throw_error(Code::kInvalidArgument, "{}: is there already; remove it first", whole.text());
  std::error_code failed;
  fs::create_directories(place(whole).parent_path(), failed);
  try {
    FolderBeside folder(place(whole));
    for (const fs::directory_entry& entry : fs::directory_iterator(source))
      if (entry.is_regular_file())
        link_or_copy(entry.path(), folder.path() / entry.path().filename());
    folder.commit();
  } catch (...) {
    fs::remove(place(whole).parent_path(), failed);  // if there is no other tag
    throw;
  }
  return describe(whole, place(whole));
}

}  // namespace phial
