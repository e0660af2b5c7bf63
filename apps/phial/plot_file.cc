// SPDX-License-Identifier: Apache-2.0
#include "plot_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "cli.h"

namespace cli {

namespace {

bool is_png(const std::string& path) { return path.size() > 4 && path.ends_with(".png"); }

std::filesystem::path place(const std::string& path) {
  return std::u8string(path.begin(), path.end());
}

void check_plot_name(const std::string& path) {
  if (is_png(path)) {
    png_of_svg(path, "");
  } else if (path.size() <= 4 || !path.ends_with(".svg")) {
    throw Failure(
        fmt::format("{}: plots are SVG or PNG files; call it something.svg or something.png", path),
        kExitUsage);
  }
}

void write_plot(const std::string& path, const std::string& svg) {
  const std::string picture = is_png(path) ? png_of_svg(path, svg) : svg;
  const std::filesystem::path to = place(path), beside = place(path + ".partial");
  std::ofstream file(beside, std::ios::binary);
  file << picture;
  file.close();
  std::error_code failed;
  if (file) std::filesystem::rename(beside, to, failed);
  if (!file || failed) {
    std::filesystem::remove(beside, failed);
    throw Failure(fmt::format("{}: can't be written", path));
  }
}

}  // namespace

void check_plot_names(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) check_plot_name(path);
}

void write_plots(const std::vector<std::string>& paths, const std::string& svg) {
  for (const std::string& path : paths) write_plot(path, svg);
}

}  // namespace cli
