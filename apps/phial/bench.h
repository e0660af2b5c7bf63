// SPDX-License-Identifier: Apache-2.0
// What `phial bench` measures; shared by its one-device and all-devices forms.
#pragma once

#include <cstdint>
#include <optional>
#include <phial/phial.hpp>
#include <string>
#include <vector>

namespace cli {

struct BenchOptions {
  std::optional<std::string> model;
  std::string synthetic;
  phial::QuantizeOptions recipe;
  phial::ModelOptions model_options;
  std::vector<int32_t> prompts = {512}, generations = {128}, depths = {0};
  int32_t repetitions = 3, layers = 0;
  bool json = false;
  std::string devices;  // "all", or ids with commas between; empty: the one of model_options
  std::string plot;     // SVG file of the comparison
};

struct Measurement {
  const char* test;  // "prefill" or "decode"
  int32_t n, depth;
  std::vector<double> samples;  // tokens/s

  double median() const;
};

// Opens nothing: the model is there.
std::vector<Measurement> measure(phial::Model& model, const BenchOptions& options);

// The same package on several devices, side by side. Returns the exit code.
int compare_devices(const BenchOptions& options);

}  // namespace cli
