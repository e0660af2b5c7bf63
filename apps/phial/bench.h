// SPDX-License-Identifier: Apache-2.0
// What `phial bench` measures; shared by its one-device and all-devices forms.
#pragma once

#include <cstdint>
#include <optional>
#include <phial/phial.hpp>
#include <string>
#include <vector>

#include "statistics.h"

namespace cli {

struct BenchOptions {
  std::optional<std::string> model;
  std::string synthetic;
  phial::QuantizeOptions recipe;
  phial::ModelOptions model_options;
  std::vector<int32_t> prompts = {512}, generations = {128}, depths = {0}, batches = {1};
  int32_t repetitions = 3, layers = 0;
  bool json = false, csv = false;
  std::string devices;  // "all", or ids with commas between; empty: the one of model_options
  std::vector<std::string> plots;  // SVG or PNG files

  int32_t longest() const;  // tokens of the longest test
  int32_t most_sequences() const;
  std::string name() const;  // of what is measured
};

struct Measurement {
  const char* test;  // "prefill" or "decode"
  int32_t n, depth;
  int32_t batch = 1;                      // sequences at once
  std::vector<double> samples;            // tokens/s, of all sequences together; one a repetition
  std::vector<double> step_seconds = {};  // decode: each step of each repetition

  bool is_prefill() const { return test[0] == 'p'; }
  double median() const;
  // Of step_seconds, 0..1; 0 if there are none.
  double step_percentile(double share) const;
};

struct BenchResult {
  std::vector<Measurement> measurements;
  // The processor's limits, the best of what was measured between the tests; 0 threads: they say
  // nothing about this device.
  phial::Roofline roofline;
  std::string logits_hash;  // of the logits after 32 fixed tokens: the same engine gives the same
  double load_seconds = 0;
  Json facts;  // what the model says of itself
};

// Opens nothing: the model is there.
BenchResult measure(phial::Model& model, const BenchOptions& options);

// One device's result.
std::string bench_table(const BenchResult& result, const BenchOptions& options);
std::string bench_csv(const BenchResult& result, const BenchOptions& options);
Json bench_json(const BenchResult& result, const BenchOptions& options);
std::string bench_svg(const BenchResult& result, const BenchOptions& options);

// "0.92 ms", "137 ms"
std::string milliseconds(double seconds);

// The same package on several devices, side by side. Returns the exit code.
int compare_devices(const BenchOptions& options);

}  // namespace cli
