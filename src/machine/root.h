// SPDX-License-Identifier: Apache-2.0
// Where facts about a machine are read from: the files of Linux's /sys, /proc and /dev as they are,
// the same under another folder, or a machine file, which is a text that says what those files of
// some machine contain (format: machine_file.cc). What can't be read is nullopt, whatever the
// reason.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace phial {

// Who may use a device node.
struct NodeOwner {
  uint32_t mode = 0;  // permission bits
  uint32_t user = 0, group = 0;
};

struct MachineFile {
  struct Node {
    std::optional<std::string> text;
    std::optional<NodeOwner> owner;
  };
  using Nodes = std::map<std::string, Node, std::less<>>;
  // What is true from a time on; each has only what differs from the one before.
  struct Frame {
    double seconds = 0;
    Nodes nodes;
  };
  std::vector<Frame> frames;  // at least one
};

// Throws kCorrupt, naming `where` and the line.
MachineFile parse_machine_file(std::string_view text, const std::string& where);

class Root {
 public:
  // A folder, or a machine file. Throws kNotFound, kCorrupt.
  explicit Root(const fs::path& place = "/");
  // PHIAL_MACHINE_ROOT, else this computer.
  static Root of_user();

  bool is_this_computer() const { return this_computer_; }

  // Paths are relative: "proc/meminfo". Texts come without white space at their end, numbers in any
  // base that C writes.
  std::optional<std::string> text(std::string_view path) const;
  std::optional<int64_t> integer(std::string_view path) const;
  bool exists(std::string_view path) const;
  // What is in a folder, by name with numbers in it by value: card2 before card10.
  std::vector<std::string> entries(std::string_view folder) const;
  // The last part of what a link points to; a machine file says it as the link's text.
  std::optional<std::string> link_name(std::string_view path) const;
  std::optional<NodeOwner> owner(std::string_view path) const;
  // Whether this user may read and write it; the system is asked if it is this computer's.
  std::optional<bool> may_use(std::string_view path) const;

  // Seconds since some moment, for differences; of a machine file its own time.
  double seconds() const;
  // The next moment of a machine file (the last one stays); nothing to do elsewhere.
  void next_moment();

 private:
  fs::path place_;
  bool this_computer_ = false;
  bool is_file_ = false;
  MachineFile file_;
  size_t moment_ = 0;
  MachineFile::Nodes now_;  // of the machine file
};

// Groups and user of "/proc/self/status".
struct UserIds {
  uint32_t user = 0;
  std::vector<uint32_t> groups;
};
std::optional<UserIds> user_ids(const Root& root);
std::string group_name(const Root& root, uint32_t group);  // its number if it has none
std::string user_name(const Root& root, uint32_t user);

// As the permission bits have it; access lists aren't known here.
bool mode_allows(const NodeOwner& owner, const UserIds& who);

// The system's own answers; root_posix.cc, root_windows.cc.
std::optional<NodeOwner> system_owner(const fs::path& path);
std::optional<bool> system_may_use(const fs::path& path);

}  // namespace phial
