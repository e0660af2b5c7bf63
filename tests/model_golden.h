// SPDX-License-Identifier: Apache-2.0
// The golden logits of tests/golden/model (see its README.md), for the reference and for every
// engine.
//   for (const GoldenCase& c : golden_cases()) {
//     Checkpoint checkpoint(c.folder);
//     ... EXPECT_LT(relative_l2(logits, c.logits), 1e-5);
//   }
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/json.h"
#include "npy.h"

namespace phial {

// Logits of one sequence, as transformers computes them in float32 without a cache.
struct GoldenCase {
  std::string name;
  std::filesystem::path folder;  // the checkpoint
  std::vector<int32_t> ids;
  int64_t first = 0;  // position of the first stored row; rows up to the last position follow
  int64_t vocab = 0;
  std::vector<float> logits;  // [ids.size() - first, vocab]
};

// Greedy generation with transformers' generate, no end of sequence; the best logit leads by at
// least 0.005 everywhere.
struct GoldenGeneration {
  std::string name;
  std::filesystem::path folder;
  std::vector<int32_t> prompt, tokens;
};

inline std::filesystem::path golden_model_folder() {
  return std::filesystem::path(PHIAL_SOURCE_DIR) / "tests" / "golden" / "model";
}

// The ids of the oracle: the upper half of a linear congruential generator. A shorter list is a
// prefix of a longer one.
inline std::vector<int32_t> golden_ids(uint32_t seed, int64_t length, int64_t vocab) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < length; ++i) {
    seed = seed * 1664525u + 1013904223u;
    ids.push_back(static_cast<int32_t>((seed >> 16) % static_cast<uint32_t>(vocab)));
  }
  return ids;
}

inline int64_t golden_vocab(const std::filesystem::path& folder) {
  return read_json(folder / "config.json").at("vocab_size").get<int64_t>();
}

// `longest`: leave out cases with more ids (those of long4096 take a second each in the reference).
inline std::vector<GoldenCase> golden_cases(int64_t longest = INT64_MAX) {
  std::vector<GoldenCase> cases;
  const Json list = read_json(golden_model_folder() / "cases.json");
  for (const Json& entry : list.at("cases")) {
    if (entry.at("length").get<int64_t>() > longest) continue;
    GoldenCase c;
    c.name = entry.at("name").get<std::string>();
    c.folder = golden_model_folder() / entry.at("checkpoint").get<std::string>();
    c.vocab = golden_vocab(c.folder);
    c.ids =
        golden_ids(entry.at("seed").get<uint32_t>(), entry.at("length").get<int64_t>(), c.vocab);
    c.first = entry.at("first").get<int64_t>();
    c.logits = read_npy<float>(golden_model_folder() / entry.at("logits").get<std::string>()).data;
    if (static_cast<int64_t>(c.logits.size()) !=
        (static_cast<int64_t>(c.ids.size()) - c.first) * c.vocab)
      throw std::runtime_error(c.name + ": the stored logits don't have the stated shape");
    cases.push_back(std::move(c));
  }
  return cases;
}

inline GoldenCase golden_case(const std::string& name) {
  for (GoldenCase& c : golden_cases())
    if (c.name == name) return std::move(c);
  throw std::runtime_error("there is no golden case " + name);
}

inline std::vector<GoldenGeneration> golden_generations() {
  std::vector<GoldenGeneration> generations;
  const Json list = read_json(golden_model_folder() / "cases.json");
  for (const Json& entry : list.at("generations")) {
    GoldenGeneration g;
    g.name = entry.at("name").get<std::string>();
    g.folder = golden_model_folder() / entry.at("checkpoint").get<std::string>();
    g.prompt = golden_ids(entry.at("seed").get<uint32_t>(), entry.at("length").get<int64_t>(),
                          golden_vocab(g.folder));
    g.tokens = entry.at("tokens").get<std::vector<int32_t>>();
    generations.push_back(std::move(g));
  }
  return generations;
}

// ||a - b|| / ||b||; infinity for different sizes or if anything isn't finite.
inline double relative_l2(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    norm += static_cast<double>(b[i]) * b[i];
  }
  const double result = std::sqrt(difference / norm);
  return std::isfinite(result) ? result : INFINITY;
}

// The largest |a - b| over the largest |b|; infinity as above.
inline double relative_max(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  double difference = 0, largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i])) return INFINITY;
    difference = std::fmax(difference, std::fabs(static_cast<double>(a[i]) - b[i]));
    largest = std::fmax(largest, std::fabs(static_cast<double>(b[i])));
  }
  return difference / largest;
}

}  // namespace phial
