// SPDX-License-Identifier: Apache-2.0
// The measuring of `phial bench`: prompts and answers of random tokens, and between them what the
// processor could do at most, since that changes with what else a computer does.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>

#include "bench.h"
#include "terminal.h"

namespace cli {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Some text-like spread over the vocabulary; the values don't matter to the speed.
std::vector<int32_t> some_ids(int32_t n, int32_t vocab) {
  std::vector<int32_t> ids(static_cast<size_t>(n));
  uint32_t state = 12345;
  for (int32_t& id : ids) {
    state = state * 1664525u + 1013904223u;
    id = static_cast<int32_t>((state >> 8) % static_cast<uint32_t>(vocab));
  }
  return ids;
}

// FNV-1a over the bits.
std::string hash_of(const std::vector<float>& values) {
  uint64_t hash = 14695981039346656037u;
  for (const float value : values) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    for (int shift = 0; shift < 32; shift += 8)
      hash = (hash ^ (bits >> shift & 0xFF)) * 1099511628211u;
  }
  return fmt::format("{:016x}", hash);
}

class Bench {
 public:
  Bench(phial::Model& model, const BenchOptions& options) : model_(model), options_(options) {
    for (int32_t i = 0; i < options.most_sequences(); ++i)
      sessions_.push_back(std::make_unique<phial::Session>(model));
    vocab_ = sessions_[0]->vocab();
    logits_.resize(static_cast<size_t>(vocab_));
    result_.facts = Json::parse(model.describe_json());
    const Json& session = result_.facts["session"];
    // A tier is named by phial's own engine alone; the roofline is the processor's.
    has_roofline_ = session.value("device", "") == "cpu";
    threads_ = session.value("threads", 0);
  }

  BenchResult run() {
    const auto warm_up = some_ids(std::min(32, options_.longest()), vocab_);
    sessions_[0]->step_into(warm_up, logits_, stop_);  // every weight is in memory after this
    result_.logits_hash = hash_of(logits_);
    for (const int32_t depth : options_.depths) {
      for (const int32_t n : options_.prompts)
        if (n > 0) measure({"prefill", n, depth});
      for (const int32_t n : options_.generations)
        for (const int32_t batch : options_.batches)
          if (n > 0) measure({"decode", n, depth, batch});
    }
    return std::move(result_);
  }

 private:
  void measure(Measurement m) {
    const std::vector<int32_t> ids = some_ids(m.depth + m.n, vocab_);
    const std::span<const int32_t> before(ids.data(), static_cast<size_t>(m.depth));
    const std::span<const int32_t> timed(ids.data() + m.depth, static_cast<size_t>(m.n));
    std::vector<phial::Session*> batch;
    for (int32_t i = 0; i < m.batch; ++i) {
      batch.push_back(sessions_[static_cast<size_t>(i)].get());
      batch.back()->truncate(0);
      if (m.depth > 0) batch.back()->feed(before, stop_);
    }
    logits_.resize(static_cast<size_t>(m.batch) * static_cast<size_t>(vocab_));
    for (int32_t i = 0; i < options_.repetitions; ++i) {
      for (phial::Session* session : batch) session->truncate(m.depth);
      probe();
      const auto start = Clock::now();
      if (m.is_prefill())
        batch[0]->step_into(timed, logits_, stop_);
      else
        decode(batch, timed, m);
      m.samples.push_back(m.n * m.batch / seconds_since(start));
    }
    probe();
    result_.measurements.push_back(std::move(m));
  }

  void decode(const std::vector<phial::Session*>& batch, std::span<const int32_t> ids,
              Measurement& m) {
    std::vector<int32_t> each(batch.size());
    for (const int32_t& id : ids) {
      const auto start = Clock::now();
      if (batch.size() == 1) {
        batch[0]->step_into({&id, 1}, logits_, stop_);
      } else {
        std::fill(each.begin(), each.end(), id);
        phial::step_batch(batch, each, logits_, stop_);
      }
      m.step_seconds.push_back(seconds_since(start));
    }
  }

  void probe() {
    if (!has_roofline_) return;
    const phial::Roofline now = model_.measure_roofline(threads_);
    phial::Roofline& best = result_.roofline;
    best.threads = now.threads;
    best.read_bytes_per_second = std::max(best.read_bytes_per_second, now.read_bytes_per_second);
    best.int8_ops_per_second = std::max(best.int8_ops_per_second, now.int8_ops_per_second);
  }

  phial::Model& model_;
  const BenchOptions& options_;
  std::vector<std::unique_ptr<phial::Session>> sessions_;
  int32_t vocab_ = 0, threads_ = 0;
  bool has_roofline_ = false;
  std::vector<float> logits_;
  BenchResult result_;
  phial::Interrupt stop_ = &CatchInterrupt::seen;
};

int32_t most(const std::vector<int32_t>& list) {
  return list.empty() ? 0 : *std::max_element(list.begin(), list.end());
}

}  // namespace

int32_t BenchOptions::longest() const {
  return most(depths) + std::max(most(prompts), most(generations));
}

int32_t BenchOptions::most_sequences() const { return std::max(1, most(batches)); }

std::string BenchOptions::name() const {
  if (model) return *model;
  return layers > 0 ? fmt::format("{} ({} layers)", synthetic, layers) : synthetic;
}

double Measurement::median() const {
  std::vector<double> sorted = samples;
  std::sort(sorted.begin(), sorted.end());
  const size_t half = sorted.size() / 2;
  return sorted.size() % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

double Measurement::step_percentile(double share) const {
  if (step_seconds.empty()) return 0;
  std::vector<double> sorted = step_seconds;
  std::sort(sorted.begin(), sorted.end());
  const double at = std::ceil(share * static_cast<double>(sorted.size())) - 1;
  return sorted[static_cast<size_t>(std::max(0.0, at))];
}

BenchResult measure(phial::Model& model, const BenchOptions& options) {
  return Bench(model, options).run();
}

}  // namespace cli
