// SPDX-License-Identifier: Apache-2.0
#include "machine/parse.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>

namespace phial {
namespace {

constexpr int kMostCpus = 4096;
constexpr uint64_t kMostBytes = uint64_t{1} << 56;  // more is a damaged figure

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<std::string> value_of_key(std::string_view text, std::string_view key) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    const size_t mark = line.find_first_of(":=");
    if (mark != std::string_view::npos && trimmed(line.substr(0, mark)) == key)
      return std::string(trimmed(line.substr(mark + 1)));
    begin = end + 1;
  }
  return std::nullopt;
}

std::optional<uint64_t> parse_bytes(const std::string& text, uint64_t unit) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  errno = 0;
  const uint64_t number = std::strtoull(text.c_str(), nullptr, 10);
  return errno || number > kMostBytes / unit ? std::nullopt : std::optional(number * unit);
}

std::vector<int> parse_cpu_list(const std::string& text) {
  std::vector<int> cpus;
  const char* rest = text.c_str();
  while (*rest >= '0' && *rest <= '9') {
    char* end = nullptr;
    const long first = std::strtol(rest, &end, 10);
    long last = first;
    if (*end == '-') last = std::strtol(end + 1, &end, 10);
    if (first > last || last >= kMostCpus) return {};
    for (long cpu = first; cpu <= last; ++cpu) cpus.push_back(static_cast<int>(cpu));
    rest = *end == ',' ? end + 1 : end;
  }
  return cpus;
}

}  // namespace phial
