// SPDX-License-Identifier: Apache-2.0
// Engines that live in shared libraries of their own (phial/backend_abi.h): finding them, loading
// them, and wrapping each as a Backend. A plug-in that can't be used becomes a Backend all the
// same, one whose devices and verdicts say why: nothing here fails because of what is installed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/file.h"

namespace phial {

// Where plug-ins are looked for, in this order: the entries of PHIAL_PLUGIN_PATH (folders or
// files), phial/plugins beside the code of phial itself, ../lib/phial/plugins of it; where neither
// of the last two is there, beside the code itself.
std::vector<fs::path> plugin_folders();

// The files phial_<name>.so in those folders, by name; of two with one name the first.
struct PluginFile {
  std::string name;
  fs::path path;
};
std::vector<PluginFile> find_plugins(const std::vector<fs::path>& folders);

// The full name of a device that has a short one: "onnxruntime:cpu" for "ort:cpu",
// "onnxruntime:dml:1" for "dml:1", "onnxruntime:cuda" for "cuda". Others are their own.
std::string full_device_name(std::string_view name);

// Loads one. `settings` are given to its devices() and accepts().
std::unique_ptr<Backend> open_plugin(const PluginFile& file, std::vector<std::string> settings);

// Those that a wish for `device` concerns: none for "cpu", the one before the colon of
// "openvino:GPU", else all. Throws kUnsupported if one is named that isn't there: most likely a
// slip of the pen.
std::vector<std::unique_ptr<Backend>> open_plugins_for(std::string_view device,
                                                       const std::vector<std::string>& settings);

}  // namespace phial
