// SPDX-License-Identifier: Apache-2.0
// phial run MODEL [PROMPT]: one answer, streamed.
#include <chrono>
#include <memory>
#include <optional>

#include "cli.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

struct RunOptions {
  ChatOptions chat;
  std::optional<std::string> argument;
  std::string prompt;
  bool raw = false;
  bool json = false;
  bool quiet = false;
};

std::string piped_prompt() {
  std::string prompt = read_all_stdin();
  // The end of a line, not of the text.
  if (prompt.ends_with('\n')) prompt.pop_back();
  if (prompt.ends_with('\r')) prompt.pop_back();
  return prompt;
}

Json messages_of(const RunOptions& options) {
  Json messages = Json::array();
  if (!options.chat.system.empty())
    messages.push_back({{"role", "system"}, {"content", options.chat.system}});
  messages.push_back({{"role", "user"}, {"content", options.prompt}});
  return messages;
}

// About how long the prompt is, for the choice of a device: short ones needn't be known exactly.
int32_t prompt_tokens(const RunOptions& options, const std::string& folder) {
  const size_t bytes = options.prompt.size() + options.chat.system.size();
  constexpr size_t kShort = 900, kBytesPerToken = 4, kTemplate = 16;
  try {
    if (bytes > kShort)
      return static_cast<int32_t>(phial::Tokenizer(folder).encode(options.prompt).size() +
                                  options.chat.system.size() / kBytesPerToken + kTemplate);
  } catch (const phial::Exception&) {  // opening the model will say it
  }
  return static_cast<int32_t>(bytes / kBytesPerToken + kTemplate);
}

int run(RunOptions options) {
  if (!options.argument && stdin_is_terminal()) {
    if (options.raw || options.json) {
      throw Failure(
          "--raw and --json need a PROMPT: a chat on the terminal has neither (see phial run "
          "--help)",
          kExitUsage);
    }
    return chat(options.chat);
  }
  if (options.raw && !options.chat.system.empty()) {
    throw Failure(
        "--raw continues the prompt as it is, so --system has no place (see phial run --help)",
        kExitUsage);
  }
  options.prompt =
      options.argument && *options.argument != "-" ? *options.argument : piped_prompt();
  if (options.prompt.empty()) throw Failure("the prompt is empty");

  const auto start = std::chrono::steady_clock::now();
  const std::string folder = find_or_pull(options.chat.model, options.chat.offline);
  options.chat.model_options.prompt_tokens = prompt_tokens(options, folder);
  phial::Model model(folder, options.chat.model_options);
  const double load_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  const CatchInterrupt interrupt(true);
  bool at_line_start = true;
  const phial::TextCallback show = [&](std::string_view piece) {
    write_out(piece);
    at_line_start = piece.back() == '\n';
    return true;
  };
  const phial::TextCallback on_text = options.json ? phial::TextCallback() : show;
  phial::Result result;
  std::vector<int32_t> prompt_ids;
  if (options.raw) {
    if (options.json) prompt_ids = model.tokenizer().encode(options.prompt);
    result = model.generate(options.prompt, options.chat.params, on_text, &CatchInterrupt::seen);
  } else {
    const std::string messages =
        messages_of(options).dump(-1, ' ', false, Json::error_handler_t::replace);
    phial::Chat conversation(model);
    conversation.set_messages_json(messages);
    if (options.json) prompt_ids = model.tokenizer().encode_chat(messages);
    result = conversation.reply(options.chat.params, on_text, &CatchInterrupt::seen);
  }
  if (options.json) {
    Json json = {{"model", options.chat.model}};
    json.update(result_json(result, prompt_ids, load_seconds));
    json["placement"] = Json::parse(model.describe_json())["session"]["placement"];
    write_out(dump(json));
  } else if (!at_line_start) {
    write_out("\n");
  }
  if (!options.quiet) write_err(dim_err(statistics_line(result)) + "\n");
  return CatchInterrupt::seen() ? kExitInterrupted : 0;
}

}  // namespace

void add_run(CommandLine& line) {
  auto options = std::make_shared<RunOptions>();
  Verb verb = line.add("run", "Answer a prompt");
  verb.argument("MODEL", options->chat.model, "Name or folder of the model");
  verb.argument("PROMPT", options->argument,
                "The prompt; '-' or nothing reads standard input; nothing on a terminal: chat");
  verb.flag("--raw", options->raw, "Continue the prompt as it is, without the chat template");
  verb.flag("--json", options->json, "One JSON object instead of streamed text");
  verb.flag("-q,--quiet", options->quiet, "No statistics");
  add_chat_flags(verb, options->chat);
  verb.action([options] { return run(*options); });
}

}  // namespace cli
