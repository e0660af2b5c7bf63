// SPDX-License-Identifier: Apache-2.0
// Where ONNX Runtime and ONNX Runtime GenAI are on this computer. They are loaded once a process,
// at first use.
#pragma once

#include <string>
#include <vector>

#include "oga_api.h"

namespace phial::ort {

// A place to look: a folder, or (if the user names it) a file.
struct Place {
  fs::path path;
  std::string why;  // "PHIAL_ORT_GENAI_LIB", "the packages of a python3 on PATH", ...
};

enum class Library { kOrt, kGenai };

// In the order of the search. `named` are the settings `library`. Nothing is loaded or run:
// Python's folders are found by looking at files.
std::vector<Place> places_to_look(Library library, const std::vector<std::string>& named);

// The library in a place, newest name first; or `place` itself if it is a file of that name.
std::vector<fs::path> libraries_in(Library library, const fs::path& place);

// The loaded libraries. A second call with other names gets the same ones: two ONNX Runtimes in a
// process don't agree. Throws kNotFound with every place that was tried, kUnsupported for one that
// won't do.
const OgaApi& onnxruntime(const std::vector<std::string>& named);

}  // namespace phial::ort
