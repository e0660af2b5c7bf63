// SPDX-License-Identifier: Apache-2.0
// phial logits MODEL: one forward pass over given ids, every position's logits into a NumPy file.
#include <fmt/format.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>

#include "cli.h"
#include "ids.h"
#include "terminal.h"

namespace cli {

namespace {

static_assert(std::endian::native == std::endian::little, "'<f4' below says little endian");

// Format version 1.0: magic, version, header length, a Python dict padded so that the data begins
// at a multiple of 64.
std::string npy_header(size_t rows, size_t cols) {
  std::string dict =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, cols);
  constexpr size_t kFixed = 10;
  dict.append(63 - (kFixed + dict.size()) % 64, ' ');
  dict += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dict.size() & 0xFF);
  header += static_cast<char>(dict.size() >> 8);
  return header + dict;
}

// Beside its place under another name, then renamed: a full disk leaves nothing.
void write_npy(const std::string& path, size_t rows, size_t cols,
               const std::vector<float>& values) {
  const std::filesystem::path temporary =
      fmt::format("{}.partial-{:08x}", path, std::random_device()());
  const auto fail = [&](const char* what, const std::string& why) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw Failure(fmt::format("{}: {}: {}", path, what, why));
  };
  std::ofstream file(temporary, std::ios::binary);
  if (!file) fail("can't create the file", std::strerror(errno));
  const std::string header = npy_header(rows, cols);
  file.write(header.data(), static_cast<std::streamsize>(header.size()));
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(float)));
  file.close();
  if (!file) fail("can't write", std::strerror(errno));
  std::error_code failed;
  std::filesystem::rename(temporary, path, failed);
  if (failed) fail("can't rename the finished file", failed.message());
}

std::vector<int32_t> ids_of(const std::string& given) {
  if (given.empty() || given.front() != '@') return parse_ids(given, "--ids");
  const std::string path = given.substr(1);
  std::ifstream file(std::filesystem::path(path), std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) throw Failure(fmt::format("--ids: can't read '{}'", path));
  return parse_ids(text.str(), path);
}

struct LogitsOptions {
  std::string model, ids, out;
  phial::ModelOptions model_options;
};

int logits(const LogitsOptions& options) {
  const std::vector<int32_t> ids = ids_of(options.ids);
  if (ids.empty()) throw Failure("--ids: there is no token id");
  phial::Model model(phial::find_model(options.model), options.model_options);
  phial::Session session(model);
  const CatchInterrupt interrupt(true);
  const std::vector<float> values = session.step_all(ids, &CatchInterrupt::seen);
  write_npy(options.out, ids.size(), static_cast<size_t>(session.vocab()), values);
  return 0;
}

}  // namespace

void add_logits(CommandLine& line) {
  auto options = std::make_shared<LogitsOptions>();
  Verb verb = line.add("logits", "Logits of all positions, float32 [tokens, vocabulary] as .npy");
  verb.argument("MODEL", options->model, "Name or folder of the model");
  verb.required("--ids", options->ids, "Token ids: 1,2,3 or @FILE");
  verb.required("--out", options->out, "File to write");
  add_model_flags(verb, options->model_options);
  verb.action([options] { return logits(*options); });
}

}  // namespace cli
