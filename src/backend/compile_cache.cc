// SPDX-License-Identifier: Apache-2.0
// Layout: <folder>/<key>/ with the runtime's files and entry.json, which is written last and holds
// the checksum of each; <folder>/partial-<pid>-<n>/ while compiling. The time of last use is that
// of entry.json's modification.
#include "backend/compile_cache.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "base/checksum.h"
#include "base/error.h"
#include "base/json.h"
#include "base/system.h"
#include "base/write_beside.h"

namespace phial {
namespace {

constexpr const char* kEntryFile = "entry.json";
constexpr const char* kPartial = "partial-";
constexpr uint64_t kDefaultMost = uint64_t{16} << 30;
// A compilation that takes longer than this has died.
constexpr auto kPartialLives = std::chrono::hours(24);
// Nor for one whose process is gone; not at once, since the process may be another computer's.
constexpr auto kDeadPartialLives = std::chrono::hours(1);
constexpr uint64_t kEntryLimit = 1 << 20;

bool is_key(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// Files of an entry but entry.json, by name.
std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::recursive_directory_iterator it(folder, failed), end; !failed && it != end;
       it.increment(failed))
    if (it->is_regular_file(failed) && it->path().filename() != kEntryFile)
      files.push_back(it->path());
  std::sort(files.begin(), files.end());
  return files;
}

uint64_t folder_bytes(const fs::path& folder) {
  uint64_t bytes = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator it(folder, failed), end; !failed && it != end;
       it.increment(failed)) {
    std::error_code gone;
    if (const uint64_t size = it->is_regular_file(gone) ? it->file_size(gone) : 0; !gone)
      bytes += size;
  }
  return bytes;
}

Json describe(const fs::path& folder, const std::string& what) {
  Json files = Json::array();
  for (const fs::path& file : files_in(folder)) {
    const MappedFile mapped(file);
    files.push_back({{"name", file.lexically_relative(folder).generic_string()},
                     {"bytes", mapped.size()},
                     {"checksum", checksum(mapped.bytes())}});
  }
  return {{"what", what}, {"files", files}};
}

// Throws if it isn't sound.
void verify(const fs::path& folder) {
  const Json entry = parse_json(read_file(folder / kEntryFile, kEntryLimit), kEntryFile);
  const Json found = describe(folder, JsonView(entry, kEntryFile).string("what"));
  if (found != entry || found["files"].empty())
    throw_error(Code::kCorrupt, "{}: isn't as it was written", folder.string());
}

// Of a folder partial-<pid>-<n>.
bool writer_has_died(const std::string& name) {
  if (!name.starts_with(kPartial)) return false;
  const uint64_t id = std::strtoull(name.c_str() + std::strlen(kPartial), nullptr, 10);
  return id > 0 && !process_runs(id);
}

fs::file_time_type last_use(const fs::path& entry) {
  std::error_code failed;
  const auto time = fs::last_write_time(entry / kEntryFile, failed);
  return failed ? fs::file_time_type::min() : time;
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed))
    found.push_back(it->path());
  return found;
}

}  // namespace

std::optional<uint64_t> parse_size(const std::string& text) {
  char* end = nullptr;
  if (text.empty() || !(text[0] >= '0' && text[0] <= '9')) return std::nullopt;
  const double number = std::strtod(text.c_str(), &end);
  std::string unit = end;
  if (!unit.empty() && (unit.back() == 'B' || unit.back() == 'b')) unit.pop_back();
  if (unit.size() == 2 && unit[1] == 'i') unit.pop_back();
  const std::string units = "KMGT";
  double factor = 1;
  if (!unit.empty()) {
    const size_t at = units.find(static_cast<char>(unit[0] & ~0x20));
    if (unit.size() != 1 || at == std::string::npos) return std::nullopt;
    for (size_t i = 0; i <= at; ++i) factor *= 1024;
  }
  if (!(number * factor < 1e18)) return std::nullopt;
  return static_cast<uint64_t>(number * factor);
}

CompileCache CompileCache::of_user() {
  uint64_t most = kDefaultMost;
  if (const auto text = environment("PHIAL_CACHE_SIZE")) {
    const auto size = parse_size(*text);
    if (!size)
      throw_error(Code::kInvalidArgument,
                  "PHIAL_CACHE_SIZE is '{}', expected a size such as 8G, or 0 for no cache", *text);
    most = *size;
  }
  fs::path root = environment("PHIAL_CACHE").value_or("");
  if (root.empty()) root = user_cache_folder();
  return CompileCache(root.empty() ? root : root / "compiled", most);
}

fs::path CompileCache::find(const std::string& key) const {
  const fs::path entry = folder_ / key;
  std::error_code failed;
  if (!enabled() || !fs::exists(entry, failed)) return {};
  try {
    verify(entry);
  } catch (const std::exception&) {
    drop(key);
    return {};
  }
  fs::last_write_time(entry / kEntryFile, fs::file_time_type::clock::now(), failed);
  return entry;
}

fs::path CompileCache::prepare(std::string& problem) const {
  static std::atomic<int> count{0};
  std::error_code failed;
  const fs::path folder = folder_ / fmt::format("{}{}-{}", kPartial, process_id(), count++);
  fs::create_directories(folder, failed);
  if (failed) {
    problem = fmt::format("{}: {}", folder_.string(), message_of(failed));
    return {};
  }
  // create_directories says yes to a folder that is there; that one can write in it is another
  // thing.
  try {
    write_file_atomically(folder / kEntryFile, "{}");
    fs::remove(folder / kEntryFile);
    return folder;
  } catch (const std::exception& error) {
    problem = error.what();
    discard(folder);
    return {};
  }
}

std::string CompileCache::store(const fs::path& prepared, const std::string& key,
                                const std::string& what) const {
  try {
    const Json entry = describe(prepared, what);
    if (entry["files"].empty()) {
      discard(prepared);
      return "the runtime has written nothing";
    }
    write_file_atomically(prepared / kEntryFile, entry.dump());
    const fs::path destination = folder_ / key;
    std::error_code failed;
    fs::rename(prepared, destination, failed);
    if (failed && find(key).empty()) fs::rename(prepared, destination, failed);  // find drops ruins
    if (failed) {
      discard(prepared);
      if (!find(key).empty()) return {};  // another process was first
      return fmt::format("{}: {}", destination.string(), message_of(failed));
    }
    make_space();
    if (!fs::exists(destination, failed))
      return fmt::format(
          "the compiled model is larger than the whole cache ({} bytes; "
          "PHIAL_CACHE_SIZE)",
          most_);
    return {};
  } catch (const std::exception& error) {
    discard(prepared);
    return error.what();
  }
}

void CompileCache::discard(const fs::path& prepared) {
  std::error_code ignored;
  fs::remove_all(prepared, ignored);
}

std::string CompileCache::reseal(const std::string& key, const std::string& what) const {
  try {
    write_file_atomically(folder_ / key / kEntryFile, describe(folder_ / key, what).dump());
    return {};
  } catch (const std::exception& error) {
    drop(key);
    return error.what();
  }
}

void CompileCache::drop(const std::string& key) const {
  // Renamed first: another process must not see half an entry.
  static std::atomic<int> count{0};
  const fs::path aside = folder_ / fmt::format("{}drop-{}-{}", kPartial, process_id(), count++);
  std::error_code failed;
  fs::rename(folder_ / key, aside, failed);
  discard(failed ? folder_ / key : aside);
}

std::vector<CompileCacheEntry> CompileCache::list() const {
  std::vector<std::pair<fs::file_time_type, CompileCacheEntry>> found;
  if (folder_.empty()) return {};
  const auto now = fs::file_time_type::clock::now();
  for (const fs::path& folder : folders_in(folder_)) {
    const std::string name = folder.filename().string();
    if (!is_key(name) && !name.starts_with(kPartial)) continue;
    CompileCacheEntry entry{name, "", folder_bytes(folder), 0, false};
    const auto used = last_use(folder);
    if (used != fs::file_time_type::min())
      entry.unused_seconds = std::chrono::duration_cast<std::chrono::seconds>(now - used).count();
    try {
      const Json json = parse_json(read_file(folder / kEntryFile, kEntryLimit), kEntryFile);
      entry.what = JsonView(json, kEntryFile).string("what");
      entry.sound = is_key(name);
    } catch (const std::exception&) {
      entry.what =
          is_key(name) ? "damaged" : "being compiled, or left by a process that was killed";
    }
    found.emplace_back(used, std::move(entry));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<CompileCacheEntry> entries;
  for (auto& [used, entry] : found) entries.push_back(std::move(entry));
  return entries;
}

uint64_t CompileCache::clear() const {
  uint64_t bytes = 0;
  for (const CompileCacheEntry& entry : list()) {
    bytes += entry.bytes;
    discard(folder_ / entry.key);
  }
  return bytes;
}

// Drops what was unused for longest, and what killed processes have left.
void CompileCache::make_space() const {
  uint64_t kept = 0;
  for (const CompileCacheEntry& entry : list()) {
    const fs::path folder = folder_ / entry.key;
    if (!is_key(entry.key)) {
      std::error_code failed;
      const auto age = fs::file_time_type::clock::now() - fs::last_write_time(folder, failed);
      if (!failed && age > (writer_has_died(entry.key) ? kDeadPartialLives : kPartialLives))
        discard(folder);
      continue;
    }
    if (kept + entry.bytes > most_)
      drop(entry.key);
    else
      kept += entry.bytes;
  }
}

}  // namespace phial
