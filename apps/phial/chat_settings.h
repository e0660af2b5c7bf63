// SPDX-License-Identifier: Apache-2.0
// What /set changes in a chat, as a table: names, how they are read, how they are shown.
#pragma once

#include <phial/phial.hpp>
#include <string>

namespace cli {

struct ChatSettings {
  phial::GenerateParams params;
  std::string system;
  bool verbose = false;
};

// Throws Failure: an unknown name (with the list), or a value that can't be read.
void change_setting(ChatSettings& settings, const std::string& name, const std::string& value);

std::string show_settings(const ChatSettings& settings);  // a line each

}  // namespace cli
