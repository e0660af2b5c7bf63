// SPDX-License-Identifier: Apache-2.0
// Where OpenVINO is on this computer. It is loaded once a process, at first use.
#pragma once

#include <string>
#include <vector>

#include "ov_api.h"

namespace phial::ov {

// A place to look: a folder, or (from an option) a file.
struct Place {
  fs::path path;
  std::string why;  // "PHIAL_OPENVINO_LIB", "Python's site-packages", ...
};

// In the order of the search. `option` is the setting `library`, may be empty. Nothing is loaded or
// run: Python's folders are found by looking at files.
std::vector<Place> places_to_look(const std::string& option);

// OpenVINO's C library in a folder, newest name first; or `place` itself if it is a file.
std::vector<fs::path> libraries_in(const fs::path& place);

// The loaded library. A second call with another `option` gets the same one: two OpenVINOs in a
// process don't agree. Throws kNotFound with every place that was tried, kUnsupported for one that
// won't do.
const Api& openvino(const std::string& option);

}  // namespace phial::ov
