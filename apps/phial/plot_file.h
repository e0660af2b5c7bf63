// SPDX-License-Identifier: Apache-2.0
// Where --plot's pictures go: an SVG as it was drawn, or made into a PNG. Draws nothing itself.
#pragma once

#include <string>
#include <vector>

namespace cli {

// To be called before anything is measured. Throws Failure if one of them isn't named .svg or .png,
// or is a PNG and nothing here makes one.
void check_plot_names(const std::vector<std::string>& paths);

// The same picture into each of them, written beside it and renamed. Throws Failure at the first
// that can't be written.
void write_plots(const std::vector<std::string>& paths, const std::string& svg);

// A PNG of twice the SVG's size; what makes it (librsvg) is loaded when it is asked for, so that
// phial itself needs neither it nor fonts. Throws Failure if it isn't here, with what to do.
// An empty `svg` only looks whether it is there.
std::string png_of_svg(const std::string& path, const std::string& svg);

}  // namespace cli
