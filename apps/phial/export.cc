// SPDX-License-Identifier: Apache-2.0
// phial export MODEL --to RUNTIME: the files with which another runtime opens a package.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli.h"
#include "terminal.h"

namespace cli {

void add_export(CommandLine& line) {
  struct Options {
    std::string model, to = "openvino", provider;
    bool quiet = false;
  };
  auto options = std::make_shared<Options>();
  Verb verb = line.add("export",
                       "Let another runtime open a package; 'phial quantize' does this by itself");
  verb.argument("MODEL", options->model, "Name or folder of the package");
  verb.choice("--to", options->to, {"openvino", "ort-genai"}, "The runtime");
  verb.choice("--ep", options->provider, {"cpu", "cuda", "dml"},
              "ort-genai: the execution provider that genai_config.json names; else cpu");
  verb.flag("-q,--quiet", options->quiet, "Don't list the files");
  verb.action([options] {
    std::string to = options->to;
    if (!options->provider.empty()) {
      if (to != "ort-genai")
        throw Failure("--ep belongs to --to ort-genai (see phial export --help)", kExitUsage);
      to += ":" + options->provider;
    }
    const auto files =
        nlohmann::json::parse(phial::export_json(phial::find_model(options->model), to));
    if (options->quiet) return 0;
    for (const auto& file : files)
      write_err(fmt::format("{}/{}: {}\n", options->model, file["file"].get<std::string>(),
                            human_bytes(file["bytes"].get<double>())));
    return 0;
  });
}

}  // namespace cli
