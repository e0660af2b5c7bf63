// SPDX-License-Identifier: Apache-2.0
// phial list | rm | cp: the models of this user.
#include <fmt/format.h>

#include <ctime>
#include <memory>

#include "cli.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

std::string day(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  char text[32] = "";
  if (const std::tm* local = std::localtime(&time))
    std::strftime(text, sizeof text, "%Y-%m-%d", local);
  return text;
}

std::string for_people(const Json& all) {
  size_t width = 4;
  for (const Json& model : all["models"]) width = std::max(width, model.value("name", "").size());
  std::string text;
  for (const Json& model : all["models"])
    text += fmt::format("{:<{}}  {:>9}  {}\n", model.value("name", ""), width,
                        human_bytes(model.value("bytes", 0.0)),
                        day(model.value("changed", int64_t{0})));
  if (text.empty()) {
    std::string names;
    for (const Json& model : all["known"])
      names += (names.empty() ? "" : ", ") + model.value("name", "");
    text = fmt::format(
        "no models in {}; get one with 'phial pull NAME': {}, or OWNER/NAME of the hub\n",
        all.value("folder", ""), names);
  }
  return text;
}

}  // namespace

void add_list(CommandLine& line) {
  auto json = std::make_shared<bool>(false);
  Verb verb = line.add("list", "The models that are here");
  verb.alias("ls");
  verb.flag("--json", *json, "As one JSON object, with the names that phial knows");
  verb.action([json] {
    const Json all = Json::parse(phial::models_json());
    write_out(*json ? dump(all) : for_people(all));
    return 0;
  });
}

void add_rm(CommandLine& line) {
  auto name = std::make_shared<std::string>();
  Verb verb = line.add("rm", "Remove a model");
  verb.argument("NAME", *name, "As 'phial list' names it");
  verb.action([name] {
    const Json gone = Json::parse(phial::remove_model_json(*name));
    write_out(fmt::format("removed {}, {}\n", gone.value("name", ""),
                          human_bytes(gone.value("bytes", 0.0))));
    return 0;
  });
}

void add_cp(CommandLine& line) {
  struct Options {
    std::string from, to;
  };
  auto options = std::make_shared<Options>();
  Verb verb = line.add("cp", "Give a model, or a package elsewhere, a name");
  verb.argument("FROM", options->from, "A name, or the folder of a package");
  verb.argument("TO", options->to, "The new name");
  verb.action([options] {
    const Json made = Json::parse(phial::copy_model_json(options->from, options->to));
    write_out(fmt::format("{} is {}\n", made.value("name", ""), made.value("folder", "")));
    return 0;
  });
}

}  // namespace cli
