// SPDX-License-Identifier: Apache-2.0
// The search, and the order of loading. GenAI looks for ONNX Runtime while it is being loaded and
// ends the process if there is none that it knows: so ONNX Runtime is found, loaded and asked for
// its version first. A place that the user names must do; others are passed over if they hold
// nothing, but a broken library in one is reported.
#include "library.h"

#include <algorithm>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "base/system.h"
#include "places.h"

namespace phial::ort {
namespace {

struct Names {
  const char* people;       // in messages
  const char* stem;         // files begin with it
  const char* environment;  // variable that names a file or folder
  const char* package;      // folder in site-packages
  const char* remedy;
};

const Names& names_of(Library library) {
  static constexpr Names kNames[] = {{"ONNX Runtime", kOrtName, "PHIAL_ONNXRUNTIME_LIB",
                                      "onnxruntime/capi", "pip install onnxruntime"},
                                     {"ONNX Runtime GenAI", kGenaiName, "PHIAL_ORT_GENAI_LIB",
                                      "onnxruntime_genai", "pip install onnxruntime-genai"}};
  return kNames[static_cast<size_t>(library)];
}

// The same folder by two ways is looked into once.
void drop_repeats(std::vector<Place>& places) {
  std::vector<fs::path> seen;
  std::erase_if(places, [&](const Place& place) {
    std::error_code ignored;
    const fs::path real = fs::weakly_canonical(place.path, ignored);
    const bool known = std::find(seen.begin(), seen.end(), real) != seen.end();
    if (!known) seen.push_back(real);
    return known;
  });
}

bool is_named_like(Library library, const fs::path& file) {
  return file.filename().string().starts_with(names_of(library).stem);
}

// A file or folder that the user names, and the folder where pip puts this library beside it.
void add_named(std::vector<Place>& places, Library library, const fs::path& path,
               const std::string& why) {
  const Library other = library == Library::kOrt ? Library::kGenai : Library::kOrt;
  std::error_code ignored;
  fs::path folder = path;
  if (fs::is_regular_file(path, ignored)) {
    folder = path.parent_path();
    if (!is_named_like(other, path)) {
      places.push_back({path, why});
      return;
    }
  }
  places.push_back({folder, why});
  for (const fs::path& above : {folder.parent_path(), folder.parent_path().parent_path()})
    places.push_back({above / names_of(library).package, why});
}

}  // namespace

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (fs::directory_iterator it(folder, ignored), end; !ignored && it != end;
       it.increment(ignored))
    found.push_back(it->path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string variable(const char* name) { return environment(name).value_or(""); }

std::vector<Place> places_to_look(Library library, const std::vector<std::string>& named) {
  const Names& names = names_of(library);
  std::vector<Place> places;
  for (const std::string& name : named) add_named(places, library, name, "--onnxruntime-lib");
  if (const std::string name = variable(names.environment); places.empty() && !name.empty())
    places.push_back({name, names.environment});
  if (!places.empty()) return places;
  const fs::path own = file_of_code(reinterpret_cast<const void*>(&places_to_look)).parent_path();
  if (!own.empty()) {
    places.push_back({own, "beside the plug-in"});
    places.push_back({own / names.package, "beside the plug-in"});
  }
  // One of the two that is named shows where the other may be.
  const char* other =
      names_of(library == Library::kOrt ? Library::kGenai : Library::kOrt).environment;
  if (const std::string name = variable(other); !name.empty())
    add_named(places, library, name, other);
  for (Place& place : installed_places(names.package)) places.push_back(std::move(place));
  drop_repeats(places);
  return places;
}

std::vector<fs::path> libraries_in(Library library, const fs::path& place) {
  std::error_code ignored;
  if (fs::is_regular_file(place, ignored)) return {place};
  std::vector<fs::path> found;
  // The user may name site-packages, or the folder that NuGet packages and release archives have.
  for (const fs::path& folder : {place, place / names_of(library).package, place / "lib"}) {
    for (const fs::path& file : entries(folder))
      if (is_named_like(library, file)) found.push_back(file);
    if (!found.empty()) break;
  }
  std::reverse(found.begin(), found.end());  // of names that differ in their number the highest
  return found;
}

namespace {

// The first library in the places that `load` takes. `beside`: what it is loaded beside, in words.
template <class Loaded, class Load>
std::unique_ptr<Loaded> search(Library library, const std::vector<std::string>& named,
                               const std::string& beside, const Load& load) {
  const Names& names = names_of(library);
  std::string tried;
  bool found = false;
  for (const Place& place : places_to_look(library, named)) {
    const auto files = libraries_in(library, place.path);
    tried += fmt::format("\n  {} ({}){}", place.path.string(), place.why, files.empty() ? "" : ":");
    for (const fs::path& file : files) {
      found = true;
      try {
        return load(file);
      } catch (const Error& error) {  // the loader's words name a missing dependent library
        if (error.code() == Code::kUnsupported) throw;
        tried += fmt::format(" {}", error.what());
      }
    }
  }
  throw_error(Code::kNotFound,
              "{} {} ({}): install it ({}), or name its library or folder in {}\nLooked in:{}",
              names.people,
              found ? fmt::format("is there but can't be loaded{}", beside) : "isn't found",
              names.stem, names.remedy, names.environment, tried);
}

std::unique_ptr<OgaApi> load_both(const std::vector<std::string>& named) {
  // Sent while a library is being loaded by some versions: the environment is the only way to say
  // no in time.
  set_variable("ORT_DISABLE_TELEMETRY", "1");
  static std::unique_ptr<OrtLibrary> ort;
  if (!ort)
    ort = search<OrtLibrary>(Library::kOrt, named, "", [](const fs::path& file) {
      return std::make_unique<OrtLibrary>(file);
    });
  load_companions(ort->library.path().parent_path());
  // Versions of GenAI that don't look among the loaded libraries are told the file.
  set_variable("ORT_LIB_PATH", ort->library.path().string());
  return search<OgaApi>(
      Library::kGenai, named,
      fmt::format(" beside ONNX Runtime {}; they may not belong together", ort->version),
      [](const fs::path& file) { return std::make_unique<OgaApi>(SharedLibrary(file), *ort); });
}

}  // namespace

const OgaApi& onnxruntime(const std::vector<std::string>& named) {
  static std::mutex mutex;
  static const OgaApi* loaded = nullptr;
  const std::lock_guard lock(mutex);
  if (!loaded) loaded = load_both(named).release();  // never freed: its threads outlive our statics
  return *loaded;
}

}  // namespace phial::ort
