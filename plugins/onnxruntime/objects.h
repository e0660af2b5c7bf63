// SPDX-License-Identifier: Apache-2.0
// GenAI's objects with an owner, and its failures as phial::Error. Thin: which tokens go in when is
// session.cc's business.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend/session.h"
#include "base/error.h"
#include "graph.h"
#include "oga_api.h"
#include "settings.h"
#include "target.h"

namespace phial::ort {

// What the runtime says, as a sentence with a remedy where one is known, and the code that fits.
struct Explained {
  Code code;
  std::string text;
};
Explained explain(const std::string& message);

// Throws what explain() makes of a failure; frees the result.
void check(const OgaApi& api, OgaResult* result, const std::string& what);

template <class T>
using Owner = std::unique_ptr<T, void (*)(T*)>;

// Logits on the CPU. Rows of one run, f32 whatever the graph has.
class LogitRows {
 public:
  LogitRows(const OgaApi& api, OgaTensor* owned, int32_t vocab);
  size_t rows() const { return rows_; }
  void copy(size_t row, float* to) const;

 private:
  Owner<OgaTensor> handle_;
  size_t rows_ = 0, vocab_;
  const void* data_ = nullptr;
  bool half_ = false;
};

// A graph in memory on its device.
class Model {
 public:
  Model(const OgaApi& api, const Graph& graph, const Target& target, const Settings& settings,
        int32_t threads);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const OgaApi& api() const { return api_; }
  OgaModel* get() const { return handle_.get(); }
  // What executes, as GenAI says: "CPU", "DML", "CUDA".
  const std::string& executes_on() const { return executes_on_; }

 private:
  const OgaApi& api_;
  Owner<OgaModel> handle_;
  std::string executes_on_;
};

// One sequence with its cache, which is made for `room` tokens here.
class Generator {
 public:
  Generator(const Model& model, int32_t room);

  int32_t length() const { return length_; }
  void rewind(int32_t length);
  // Computes the tokens, which follow what is there.
  void append(std::span<const TokenId> tokens);
  // The same for one token, for providers that don't append to a cache: the token is made the
  // likeliest, so that GenAI itself chooses it.
  void choose(TokenId token, int32_t vocab);
  // Of all positions of the last append() or choose().
  LogitRows logits(int32_t vocab) const;
  // Of the last one only, as f32: less to copy, but wrong where it is the padding token.
  LogitRows last_logits(int32_t vocab);

 private:
  const OgaApi& api_;
  Owner<OgaGenerator> handle_;
  std::vector<float> one_hot_;  // [vocab]
  int32_t length_ = 0;
};

}  // namespace phial::ort
