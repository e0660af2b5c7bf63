// SPDX-License-Identifier: Apache-2.0
#include "machine/root.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "base/system.h"

namespace phial {
namespace {

// Files of /sys are at most a page long, those of /proc that we read can be longer.
constexpr uint64_t kFileLimit = 16u << 20;

void strip_end(std::string& text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
}

// "card2" before "card10".
bool natural_less(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      size_t i_end = i, j_end = j;
      while (i_end < a.size() && digit(a[i_end])) ++i_end;
      while (j_end < b.size() && digit(b[j_end])) ++j_end;
      const std::string_view x(a.data() + i, i_end - i), y(b.data() + j, j_end - j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
      i = i_end;
      j = j_end;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

// The field with this number in a line of fields with colons between, whose third is `id`: a line
// of /etc/passwd or /etc/group.
std::string name_of_id(const std::optional<std::string>& table, uint32_t id) {
  const std::string wanted = std::to_string(id);
  for (size_t begin = 0; table && begin < table->size();) {
    const size_t end = std::min(table->find('\n', begin), table->size());
    const std::string line = table->substr(begin, end - begin);
    const size_t first = line.find(':'), second = line.find(':', first + 1),
                 third = line.find(':', second + 1);
    if (third != std::string::npos && line.substr(second + 1, third - second - 1) == wanted)
      return line.substr(0, first);
    begin = end + 1;
  }
  return wanted;
}

}  // namespace

Root::Root(const fs::path& place) : place_(place), this_computer_(place == "/") {
  std::error_code ignored;
  if (this_computer_ || fs::is_directory(place_, ignored)) return;
  is_file_ = true;
  file_ = parse_machine_file(read_file(place_, kFileLimit), place_.string());
  now_ = file_.frames.front().nodes;
}

Root Root::of_user() {
  const std::string named = environment("PHIAL_MACHINE_ROOT").value_or("");
  return Root(named.empty() ? fs::path("/") : fs::path(named));
}

std::optional<std::string> Root::text(std::string_view path) const {
  if (is_file_) {
    const auto found = now_.find(path);
    return found == now_.end() ? std::nullopt : found->second.text;
  }
  // These files say that their size is 0, or a page: they end where reading ends.
  std::ifstream file(place_ / path, std::ios::binary);
  std::string text;
  char part[4096];
  while (file.read(part, sizeof part) || file.gcount() > 0) {
    text.append(part, static_cast<size_t>(file.gcount()));
    if (text.size() > kFileLimit) return std::nullopt;
  }
  if (!file.eof() || file.bad()) return std::nullopt;
  strip_end(text);
  return text;
}

std::optional<int64_t> Root::integer(std::string_view path) const {
  const auto found = text(path);
  if (!found || found->empty()) return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const int64_t value = std::strtoll(found->c_str(), &end, 0);
  return end == found->c_str() || errno ? std::nullopt : std::optional(value);
}

bool Root::exists(std::string_view path) const {
  if (!is_file_) {
    std::error_code ignored;
    return fs::exists(place_ / path, ignored);
  }
  const std::string folder = std::string(path) + "/";
  const auto after = now_.lower_bound(folder);
  return now_.contains(path) || (after != now_.end() && after->first.starts_with(folder));
}

std::vector<std::string> Root::entries(std::string_view folder) const {
  std::vector<std::string> names;
  if (is_file_) {
    const std::string prefix = std::string(folder) + "/";
    for (auto it = now_.lower_bound(prefix); it != now_.end() && it->first.starts_with(prefix);
         ++it) {
      const std::string rest = it->first.substr(prefix.size());
      names.push_back(rest.substr(0, rest.find('/')));
    }
  } else {
    std::error_code failed;
    for (fs::directory_iterator it(place_ / folder, failed), end; !failed && it != end;
         it.increment(failed))
      names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end(), natural_less);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::optional<std::string> Root::link_name(std::string_view path) const {
  if (is_file_) return text(path);
  std::error_code failed;
  const fs::path target = fs::read_symlink(place_ / path, failed);
  return failed ? std::nullopt : std::optional(target.filename().string());
}

std::optional<NodeOwner> Root::owner(std::string_view path) const {
  if (!is_file_) return system_owner(place_ / path);
  const auto found = now_.find(path);
  return found == now_.end() ? std::nullopt : found->second.owner;
}

std::optional<bool> Root::may_use(std::string_view path) const {
  if (this_computer_) return system_may_use(place_ / path);
  const auto node = owner(path);
  const auto who = user_ids(*this);
  return node && who ? std::optional(mode_allows(*node, *who)) : std::nullopt;
}

double Root::seconds() const {
  if (is_file_) return file_.frames[moment_].seconds;
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void Root::next_moment() {
  if (!is_file_ || moment_ + 1 >= file_.frames.size()) return;
  for (const auto& [path, node] : file_.frames[++moment_].nodes) now_[path] = node;
}

std::optional<UserIds> user_ids(const Root& root) {
  const auto status = root.text("proc/self/status");
  if (!status) return std::nullopt;
  // "Uid:\t1000\t1000\t1000\t1000": real, effective, saved, file system's.
  const auto numbers = [&](const std::string& key) {
    std::vector<uint32_t> found;
    size_t at = status->find(key);
    if (at == std::string::npos) return found;
    const std::string line =
        status->substr(at + key.size(), status->find('\n', at) - at - key.size());
    const char* rest = line.c_str();
    for (char* end = nullptr;; rest = end) {
      const unsigned long value = std::strtoul(rest, &end, 10);
      if (end == rest) return found;
      found.push_back(static_cast<uint32_t>(value));
    }
  };
  const auto users = numbers("\nUid:"), groups = numbers("\nGid:");
  if (users.size() < 2 || groups.size() < 2) return std::nullopt;
  UserIds ids{users[1], numbers("\nGroups:")};
  ids.groups.push_back(groups[1]);
  return ids;
}

std::string group_name(const Root& root, uint32_t group) {
  return name_of_id(root.text("etc/group"), group);
}

std::string user_name(const Root& root, uint32_t user) {
  return name_of_id(root.text("etc/passwd"), user);
}

bool mode_allows(const NodeOwner& owner, const UserIds& who) {
  if (who.user == 0) return true;
  const bool member =
      std::find(who.groups.begin(), who.groups.end(), owner.group) != who.groups.end();
  const uint32_t shift = who.user == owner.user ? 6 : member ? 3 : 0;
  return (owner.mode >> shift & 6) == 6;  // read and write
}

}  // namespace phial
