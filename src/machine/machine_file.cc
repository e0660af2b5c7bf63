// SPDX-License-Identifier: Apache-2.0
// Machine files: what some files of a machine contain, as one text.
//
//   # a comment
//   proc/uptime = 12.5                    a file of one line
//   proc/meminfo <<                       one of several, up to a line with a point alone
//   MemTotal:       32594540 kB
//   .
//   dev/accel/accel0 (0660 0 992)         a device node: mode, user and group
//   @ 1.0                                 what follows is so one second after the beginning
#include <cstdlib>

#include "base/error.h"
#include "machine/root.h"

namespace phial {
namespace {

class Lines {
 public:
  Lines(std::string_view text, const std::string& where) : rest_(text), where_(where) {}

  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const size_t end = rest_.find('\n');
    line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number_;
    return true;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw_error(Code::kCorrupt, "{}:{}: {}", where_, number_, what);
  }

 private:
  std::string_view rest_;
  const std::string& where_;
  int number_ = 0;
};

NodeOwner parse_owner(std::string_view text, const Lines& lines) {
  const std::string copy(text);
  char *after_mode = nullptr, *after_user = nullptr, *after_group = nullptr;
  NodeOwner owner;
  owner.mode = static_cast<uint32_t>(std::strtoul(copy.c_str(), &after_mode, 8));
  owner.user = static_cast<uint32_t>(std::strtoul(after_mode, &after_user, 10));
  owner.group = static_cast<uint32_t>(std::strtoul(after_user, &after_group, 10));
  if (after_group == after_user || after_user == after_mode || std::string(after_group) != ")")
    lines.fail("expected (mode user group) in numbers");
  return owner;
}

}  // namespace

MachineFile parse_machine_file(std::string_view text, const std::string& where) {
  MachineFile file;
  file.frames.emplace_back();
  Lines lines(text, where);
  for (std::string_view line; lines.next(line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '@') {
      char* end = nullptr;
      const std::string time(line.substr(1));
      const double seconds = std::strtod(time.c_str(), &end);
      if (end == time.c_str() || *end || !(seconds > file.frames.back().seconds))
        lines.fail("expected a time later than the one before");
      file.frames.push_back({seconds, {}});
      continue;
    }
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || space == 0) lines.fail("expected PATH = TEXT");
    MachineFile::Node& node = file.frames.back().nodes[std::string(line.substr(0, space))];
    const std::string_view rest = line.substr(space + 1);
    if (rest.starts_with("= ") || rest == "=") {
      node.text = std::string(rest.substr(std::min<size_t>(rest.size(), 2)));
    } else if (rest == "<<") {
      node.text.emplace();
      for (;;) {
        if (!lines.next(line)) lines.fail("the file ends within a text: expected a line '.'");
        if (line == ".") break;
        if (!node.text->empty()) *node.text += '\n';
        node.text->append(line);
      }
    } else if (rest.starts_with('(')) {
      node.owner = parse_owner(rest.substr(1), lines);
    } else {
      lines.fail("expected '=', '<<' or '(' after the path");
    }
  }
  return file;
}

}  // namespace phial
