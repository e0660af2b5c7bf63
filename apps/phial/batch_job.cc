// SPDX-License-Identifier: Apache-2.0
#include "batch_job.h"

#include <fmt/format.h>

#include <filesystem>

#include "cli.h"

namespace cli {

namespace {

std::filesystem::path path_of(const std::string& text) {
  return std::u8string(text.begin(), text.end());
}

// FNV-1a: enough to see that a line is another one; nobody attacks his own job.
uint64_t hash(std::string_view text, uint64_t state = 0xcbf29ce484222325) {
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return state;
}

// Part of an answer, and not somebody's text.
bool begins_as_ours(std::string_view text) {
  constexpr std::string_view kBeginning = "{\"index\":";
  return text.substr(0, kBeginning.size()) == kBeginning.substr(0, text.size());
}

// Before the output is made.
std::ifstream open_input(const std::string& path) {
  std::error_code failed;
  std::ifstream input(path_of(path), std::ios::binary);
  if (!input || std::filesystem::is_directory(path_of(path), failed))
    throw Failure(path + ": there is no such file, or it can't be read");
  return input;
}

}  // namespace

BatchJob::BatchJob(const std::string& input, const std::string& output, const std::string& settings,
                   bool overwrite)
    : input_path_(input),
      output_path_(output),
      settings_(settings),
      input_(open_input(input)),
      output_(output) {
  std::error_code failed;
  input_bytes_ = std::filesystem::file_size(path_of(input), failed);
  if (std::filesystem::equivalent(path_of(input), path_of(output), failed))
    throw Failure(input + ": input and output are one file");
  if (overwrite) output_.cut(0);
  take_answers();
}

void BatchJob::take_answers() {
  std::ifstream answers(path_of(output_path_), std::ios::binary);
  uint64_t good_bytes = 0;
  for (std::string answer; std::getline(answers, answer);) {
    const bool is_last = answers.peek() == std::ifstream::traits_type::eof();
    const Json record = Json::parse(answer, nullptr, false);
    const bool whole = record.is_object() && record.contains("index") && record.contains("input");
    if (!whole && is_last && begins_as_ours(answer))
      break;  // the process was killed, or the power cut, while it wrote
    const auto line = whole ? next() : std::nullopt;
    if (!line || record["index"] != line->index || record["input"] != line->key) {
      throw Failure(fmt::format(
          "{}: line {} isn't the answer to this input with these settings: finish that job as it "
          "was begun, name another output, or begin anew with --overwrite",
          output_path_, were_there_ + 1));
    }
    good_bytes += answer.size() + 1;
    ++were_there_;
  }
  answers.close();
  std::error_code failed;
  const uint64_t size = std::filesystem::file_size(path_of(output_path_), failed);
  if (!failed && size < good_bytes) {  // the last answer is whole but for its line's end
    output_.append("\n");
  } else if (!failed && size > good_bytes) {
    output_.cut(good_bytes);
  }
}

std::optional<BatchLine> BatchJob::next() {
  BatchLine line;
  while (std::getline(input_, line.text)) {
    ++lines_;
    bytes_read_ += line.text.size() + 1;
    if (line.text.ends_with('\r')) line.text.pop_back();
    if (line.text.find_first_not_of(" \t") == std::string::npos) continue;
    line.index = next_index_++;
    line.number = lines_;
    line.end = bytes_read_;
    line.key = fmt::format("{:016x}", hash(line.text, hash(settings_)));
    return line;
  }
  if (input_.bad()) throw Failure(input_path_ + ": can't read it");
  return std::nullopt;
}

void BatchJob::write(const BatchLine& line, Json answer) {
  Json record = {{"index", line.index}, {"input", line.key}};
  record.update(answer);
  output_.append(dump(record, -1));  // with a newline at its end
}

}  // namespace cli
