// SPDX-License-Identifier: Apache-2.0
// phial compile MODEL --device npu -o FOLDER: ahead of time, for a device that needn't be here.
#include <memory>

#include "cli.h"
#include "terminal.h"

namespace cli {

void add_compile(CommandLine& line) {
  struct Options {
    std::string model, out;
    phial::ModelOptions model_options;
    bool ir_only = false;
  };
  auto options = std::make_shared<Options>();
  options->model_options.device = "npu";
  options->model_options.notice = show_notice;
  Verb verb =
      line.add("compile", "Compile a package ahead of time, to be run with --static-models");
  verb.argument("MODEL", options->model, "Name or folder of the package");
  verb.required("-o,--output", options->out, "The new folder");
  verb.option("--device", options->model_options.device, "npu, or a device such as openvino:CPU");
  verb.call("--npu-platform", "N",
            "The NPU to compile for: 3720, 4000, 5010, ...; by default the one here",
            [options](const std::string& text) {
              options->model_options.settings.push_back("npu-platform=" + text);
            });
  verb.flag("--ir-only", options->ir_only,
            "Write the two static graphs (prefill.xml, generate.xml) and compile nothing");
  add_openvino_flags(verb, options->model_options);
  verb.action([options] {
    phial::compile(phial::find_model(options->model), options->out, options->model_options,
                   options->ir_only);
    write_err("phial: " + options->out + " is ready" +
              (options->ir_only
                   ? ""
                   : ": phial run " + options->model + " --device " +
                         options->model_options.device + " --static-models " + options->out) +
              "\n");
    return 0;
  });
}

}  // namespace cli
