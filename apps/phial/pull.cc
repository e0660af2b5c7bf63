// SPDX-License-Identifier: Apache-2.0
// phial pull NAME, and what other verbs do with a model that isn't there yet.
#include <fmt/format.h>

#include <memory>
#include <mutex>

#include "cli.h"
#include "progress_bar.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

struct PullCommand {
  std::string name;
  phial::PullOptions options;
  bool json = false;
  bool quiet = false;
};

Json pull(const std::string& name, const phial::PullOptions& options) {
  const CatchInterrupt interrupt(false);
  ProgressBar bar;
  std::string phase;
  return Json::parse(phial::pull_json(
      name, options,
      [&](uint64_t done, uint64_t total, std::string_view current) {
        if (const std::string_view now = current.substr(0, current.find(' ')); now != phase) {
          phase = now;
          bar.restart();
        }
        bar.show(done, total, phase);
      },
      &CatchInterrupt::seen));
}

int run(const PullCommand& command) {
  const Json model = pull(command.name, command.options);
  if (command.json) {
    write_out(dump(model));
  } else if (!command.quiet) {
    write_err(fmt::format("{}: {}, {}\n", model.value("name", ""),
                          model.value("was_there", false) ? "is there already" : "is ready",
                          human_bytes(model.value("bytes", 0.0))));
  }
  return 0;
}

}  // namespace

std::string find_or_pull(const std::string& name, bool offline) {
  try {
    return phial::find_model(name);
  } catch (const phial::Exception& e) {
    if (e.code() != PHIAL_NOT_FOUND) throw;
    // A name of the family, or one with its owner: not any word that isn't a folder.
    const Json models = Json::parse(phial::models_json());
    const std::string base = name.substr(0, name.find_first_of(":@"));
    bool known = name.find('/') != std::string::npos && name.front() != '/' && name.front() != '.';
    for (const Json& model : models["known"]) known |= model.value("name", "") == base;
    if (!known) throw;
    if (!offline) write_err(fmt::format("phial: {} isn't here yet: pulling it\n", name));
    phial::PullOptions options;
    options.offline = offline;
    return pull(name, options).value("folder", "");
  }
}

void add_pull(CommandLine& line) {
  auto command = std::make_shared<PullCommand>();
  Verb verb = line.add("pull", "Get a model from the hub and quantize it while it comes");
  verb.argument("NAME", command->name,
                "phi-4-mini, phi-3-mini:int8, OWNER/NAME[@REVISION][:TAG]; 'phial list' names all");
  add_recipe_flags(verb, command->options.recipe);
  verb.option("-t,--threads", command->options.recipe.threads, "Threads; 0: all that there are",
              "PHIAL_THREADS");
  verb.option("--connections", command->options.connections, "Parts that are fetched at once");
  verb.flag("--keep", command->options.keep, "Keep the original files too");
  verb.flag("--offline", command->options.offline, "Open no connection");
  verb.flag("--json", command->json, "The result as one JSON object");
  verb.flag("-q,--quiet", command->quiet, "No closing line");
  verb.action([command] { return run(*command); });
}

}  // namespace cli
