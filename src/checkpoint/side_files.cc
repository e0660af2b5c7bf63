// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/side_files.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"

namespace phial {
namespace {

constexpr const char* kNames[] = {
    "config.json",           "generation_config.json",  "tokenizer.json",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "chat_template.jinja",   "tokenizer.model"};
constexpr uint64_t kMaxTemplate = 4u << 20;  // the longest published ones have some 10 KB

// The object in folder/name, null if there is no such file.
Json object_if_there(const fs::path& folder, const char* name) {
  std::string text;
  const fs::path path = folder / name;
  if (!read_file_if_there(path, text)) return nullptr;
  Json json = parse_json(text, path.string());
  JsonView check(json, path.string());
  return json;
}

// A special token is a text, or an object whose "content" is the text; null or missing: none.
std::string token_text(const Json& config, const char* key, const std::string& where) {
  if (!config.is_object()) return "";
  auto it = config.find(key);
  if (it == config.end() || it->is_null()) return "";
  if (it->is_string()) return it->get<std::string>();
  if (it->is_object() && it->contains("content") && (*it)["content"].is_string())
    return (*it)["content"].get<std::string>();
  throw_error(Code::kCorrupt,
              "{}: '{}' must be a string or an object with a string 'content', found {}", where,
              key, it->dump().substr(0, 80));
}

// tokenizer_config's "chat_template": one text, or a list of named ones, of which "default" is
// taken.
std::string template_in(const Json& tokenizer_config, const std::string& where) {
  if (!tokenizer_config.is_object()) return "";
  auto it = tokenizer_config.find("chat_template");
  if (it == tokenizer_config.end() || it->is_null()) return "";
  if (it->is_string()) return it->get<std::string>();
  if (!it->is_array())
    throw_error(Code::kCorrupt, "{}: 'chat_template' must be a string or a list, found {}", where,
                it->type_name());
  for (const Json& entry : *it) {
    const JsonView view(entry, where + ": an entry of 'chat_template'");
    if (view.string("name") == "default") return view.string("template");
  }
  return "";
}

void append_ids(const Json& config, const fs::path& path, std::vector<int32_t>& out) {
  if (!config.is_object()) return;
  auto it = config.find("eos_token_id");
  if (it == config.end() || it->is_null()) return;
  const Json list = it->is_array() ? *it : Json::array({*it});
  for (const Json& id : list) {
    const int64_t n =
        id.is_number_integer() ? id.get<int64_t>() : -1;  // beyond 2^63 it wraps to below 0
    if (n < 0 || n > INT32_MAX)
      throw_error(Code::kCorrupt,
                  "{}: 'eos_token_id' must be a token id or a list of them, found {}",
                  path.string(), id.dump().substr(0, 80));
    out.push_back(static_cast<int32_t>(n));
  }
}

}  // namespace

std::vector<int32_t> SideFiles::eos_ids() const {
  std::vector<int32_t> ids;
  append_ids(config, folder / "config.json", ids);
  append_ids(generation_config, folder / "generation_config.json", ids);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

SideFiles read_side_files(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    throw_error(Code::kNotFound, "{}: there is no such folder", folder.string());
  SideFiles files;
  files.folder = folder;
  files.config = object_if_there(folder, "config.json");
  files.generation_config = object_if_there(folder, "generation_config.json");
  files.tokenizer_config = object_if_there(folder, "tokenizer_config.json");
  files.eos_ids();  // so that a wrong one is found now, not when somebody asks

  const Json map = object_if_there(folder, "special_tokens_map.json");
  const std::string config_path = (folder / "tokenizer_config.json").string();
  const std::string map_path = (folder / "special_tokens_map.json").string();
  auto token = [&](const char* key) {
    std::string text = token_text(files.tokenizer_config, key, config_path);
    return text.empty() ? token_text(map, key, map_path) : text;
  };
  files.bos_token = token("bos_token");
  files.eos_token = token("eos_token");
  files.pad_token = token("pad_token");
  files.unk_token = token("unk_token");
  if (files.tokenizer_config.is_object())
    files.add_bos_token =
        JsonView(files.tokenizer_config, config_path).boolean_or("add_bos_token", false);

  const fs::path jinja = folder / "chat_template.jinja";
  if (!read_file_if_there(jinja, files.chat_template, kMaxTemplate))
    files.chat_template = template_in(files.tokenizer_config, config_path);
  else if (const size_t at = utf8_first_invalid(files.chat_template); at != std::string_view::npos)
    throw_error(Code::kCorrupt, "{}: byte {} isn't valid UTF-8", jinja.string(), at);
  return files;
}

std::vector<std::string> side_file_names(const fs::path& folder) {
  std::error_code ignored;
  std::vector<std::string> names, licences;
  for (const char* name : kNames)
    if (fs::is_regular_file(folder / name, ignored)) names.emplace_back(name);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("LICENSE", 0) == 0 && entry.is_regular_file(ignored)) licences.push_back(name);
  }
  std::sort(licences.begin(), licences.end());
  names.insert(names.end(), licences.begin(), licences.end());
  return names;
}

}  // namespace phial
