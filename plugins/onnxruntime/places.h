// SPDX-License-Identifier: Apache-2.0
// What differs between systems in the search for ONNX Runtime: names, and where it may be
// installed. One implementation a system, places_posix.cc and places_windows.cc.
#pragma once

#include <string>
#include <vector>

#include "library.h"

namespace phial::ort {

// The libraries' files; on Linux a version may follow.
#if defined(_WIN32)
inline constexpr const char *kOrtName = "onnxruntime.dll", *kGenaiName = "onnxruntime-genai.dll";
#else
inline constexpr const char *kOrtName = "libonnxruntime.so",
                            *kGenaiName = "libonnxruntime-genai.so";
#endif

// In the order of the search; `package` is the library's folder in site-packages.
std::vector<Place> installed_places(const char* package);

// What is in a folder, sorted; nothing if it isn't there.
std::vector<fs::path> entries(const fs::path& folder);

// A variable of the environment; empty: not set.
std::string variable(const char* name);
// For the libraries that are loaded after this, one implementation a system.
void set_variable(const char* name, const std::string& value);

// Loads what GenAI finds only if it is loaded already: pip puts it beside ONNX Runtime.
void load_companions(const fs::path& ort_folder);

// Why no NVIDIA GPU can be used; empty: its driver is there.
std::string nvidia_missing();
// Whether a GPU might be found that GenAI can use, without looking closer.
bool gpu_may_be_there();

}  // namespace phial::ort
