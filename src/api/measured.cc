// SPDX-License-Identifier: Apache-2.0
// measured.json: {"entries": [{"phial", "cpu", "package", "name", "device", "engine",
// "prompt_tokens", "prompt_rate", "answer_rate", "when"}]}, newest last.
#include "api/measured.h"

#include <fmt/format.h>

#include <span>

#include "base/checksum.h"
#include "base/cpu_info.h"
#include "base/error.h"
#include "base/system.h"
#include "base/write_beside.h"

namespace phial::api {
namespace {

constexpr size_t kMostEntries = 500;
constexpr uint64_t kFileLimit = 4 << 20;
constexpr double kMostRate = 1e9;  // tokens a second

Json read_entries(const fs::path& file) {
  try {
    std::string text;
    if (file.empty() || !read_file_if_there(file, text, kFileLimit)) return Json::array();
    const Json json = parse_json(text, file.string());
    const Json& entries = JsonView(json, file.string()).at("entries");
    return entries.is_array() ? entries : Json::array();
  } catch (const Error&) {
    return Json::array();
  }
}

// Of another phial or processor it is nothing to go by.
bool is_ours(const JsonView& entry) {
  return entry.string("phial") == PHIAL_VERSION && entry.string("cpu") == cpu_name();
}

Measurement parse(const JsonView& entry) {
  Measurement m;
  m.package = entry.string("package");
  m.name = entry.string("name");
  m.device = entry.string("device");
  m.engine = entry.string("engine");
  m.prompt_tokens = static_cast<int32_t>(entry.integer("prompt_tokens", 0, INT32_MAX));
  m.rates = {entry.number("prompt_rate"), entry.number("answer_rate")};
  m.when = entry.integer("when", 0, INT64_MAX);
  for (const double rate : {m.rates.prompt_rate, m.rates.answer_rate})
    if (!(rate > 0 && rate < kMostRate))
      throw_error(Code::kCorrupt, "a rate of {} tokens/s can't have been measured", rate);
  return m;
}

}  // namespace

std::string package_key(const Package& package) {
  if (!package.quantized_by_phial()) return {};
  const std::string manifest = package.manifest().dump();
  return fmt::format("{:016x}-{}", checksum(std::as_bytes(std::span(manifest))),
                     package.weight_bytes());
}

fs::path user_cache() {
  const fs::path named = environment("PHIAL_CACHE").value_or("");
  return named.empty() ? user_cache_folder() : named;
}

MeasuredStore MeasuredStore::of_user() {
  const fs::path folder = user_cache();
  return MeasuredStore(folder.empty() ? folder : folder / "measured.json");
}

std::vector<Measurement> MeasuredStore::of(const Package& package) const {
  std::vector<Measurement> found;
  const std::string key = package_key(package);
  if (key.empty()) return found;
  const Json entries = read_entries(file_);
  for (const Json& json : entries) {
    try {
      const JsonView entry(json, file_.string());
      if (entry.string("package") == key && is_ours(entry)) found.push_back(parse(entry));
    } catch (const Error&) {  // one that was damaged
    }
  }
  return found;
}

void MeasuredStore::remember(const std::vector<Measurement>& measurements) const {
  if (file_.empty() || measurements.empty()) return;
  Json entries = Json::array();
  for (const Json& old : read_entries(file_)) {
    const bool replaced =
        std::any_of(measurements.begin(), measurements.end(), [&](const Measurement& m) {
          return old.is_object() && old.value("package", Json()) == Json(m.package) &&
                 old.value("device", Json()) == Json(m.device);
        });
    if (!replaced) entries.push_back(old);
  }
  for (const Measurement& m : measurements)
    entries.push_back({{"phial", PHIAL_VERSION},
                       {"cpu", cpu_name()},
                       {"package", m.package},
                       {"name", m.name},
                       {"device", m.device},
                       {"engine", m.engine},
                       {"prompt_tokens", m.prompt_tokens},
                       {"prompt_rate", m.rates.prompt_rate},
                       {"answer_rate", m.rates.answer_rate},
                       {"when", m.when}});
  while (entries.size() > kMostEntries) entries.erase(entries.begin());
  std::error_code ignored;
  fs::create_directories(file_.parent_path(), ignored);
  const Json json = {{"entries", std::move(entries)}};
  write_file_atomically(file_, json.dump(1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace phial::api
