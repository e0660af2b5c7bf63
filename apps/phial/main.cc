// SPDX-License-Identifier: Apache-2.0
// The program: its verbs in the order in which the help shows them.
#include "cli.h"
#include "terminal.h"

int main(int argc, char** argv) {
  const auto arguments = cli::prepare_program(argc, argv);
  cli::CommandLine line(
      "phial runs Microsoft's Phi-3 family on this computer.",
      "MODEL is a name ('phial list'), or a folder: a package that 'phial quantize' "
      "wrote, or a Hugging Face model as published.\n"
      "Many flags have a twin in the environment, named beside them. Help on a "
      "verb: phial VERB --help");
  cli::add_run(line);
  cli::add_chat(line);
  cli::add_batch(line);
  cli::add_pull(line);
  cli::add_list(line);
  cli::add_rm(line);
  cli::add_cp(line);
  cli::add_quantize(line);
  cli::add_export(line);
  cli::add_compile(line);
  cli::add_show(line);
  cli::add_bench(line);
  cli::add_devices(line);
  cli::add_doctor(line);
  cli::add_explain(line);
  cli::add_ps(line);
  cli::add_top(line);
  cli::add_cache(line);
  cli::add_tokenize(line);
  cli::add_detokenize(line);
  cli::add_logits(line);
  cli::add_make_random(line);
  return line.run(arguments);
}
