// SPDX-License-Identifier: Apache-2.0
// One pass over the text: digits make numbers, everything else must be a separator.
#include "ids.h"

#include <fmt/format.h>

#include <charconv>

#include "cli.h"

namespace cli {

std::vector<int32_t> parse_ids(std::string_view text, const std::string& where) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto trim = [&] {
    text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
    while (!text.empty() && kBlank.find(text.back()) != std::string_view::npos)
      text.remove_suffix(1);
  };
  trim();
  if (!text.empty() && text.front() == '[') {
    if (text.back() != ']')
      throw Failure(where + ": the list of token ids begins with '[' but doesn't end with ']'");
    text = text.substr(1, text.size() - 2);
    trim();
  }
  std::vector<int32_t> ids;
  size_t at = 0;
  while (at < text.size()) {
    int32_t id = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), id);
    if (error != std::errc()) {
      throw Failure(fmt::format("{}: token ids are whole numbers with commas between, found '{}'",
                                where, text.substr(at, 12)));
    }
    ids.push_back(id);
    const size_t after = static_cast<size_t>(end - text.data());
    at = std::min(text.find_first_not_of(kBlank, after), text.size());
    const bool comma = at < text.size() && text[at] == ',';
    if (comma) at = std::min(text.find_first_not_of(kBlank, at + 1), text.size());
    if ((comma && at == text.size()) || (!comma && at == after && at < text.size())) {
      throw Failure(fmt::format("{}: token ids are whole numbers with commas between, found '{}'",
                                where, text.substr(after, 12)));
    }
  }
  return ids;
}

}  // namespace cli
