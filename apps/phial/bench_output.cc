// SPDX-License-Identifier: Apache-2.0
// One device's result of `phial bench`, as a table, JSON and CSV.
#include <fmt/format.h>

#include <algorithm>

#include "bench.h"
#include "cli.h"
#include "terminal.h"

namespace cli {

namespace {

// What a step of answers reads: the weights once, and of each sequence the keys and values that a
// token sees, on average over the steps.
double step_bytes(const Measurement& m, const Json& facts) {
  const Json& session = facts["session"];
  const int64_t window = facts.value("sliding_window", int64_t{0});
  double seen = 0;
  for (int64_t length = m.depth + 1; length <= m.depth + m.n; ++length)
    seen += static_cast<double>(window > 0 ? std::min(window, length) : length) / m.n;
  return session.value("decode_bytes", 0.0) + m.batch * session.value("cache_bytes", 0.0) * seen;
}

// Of the processor's limits: bytes read for answers, operations for prompts; 0: not known.
struct Share {
  double of_bandwidth = 0, of_int8_peak = 0;
};

Share share_of(const Measurement& m, const BenchResult& result) {
  const Json& session = result.facts["session"];
  const phial::Roofline& roofline = result.roofline;
  Share share;
  if (m.is_prefill() && roofline.int8_ops_per_second > 0)
    share.of_int8_peak =
        session.value("prompt_operations", 0.0) * m.median() / roofline.int8_ops_per_second;
  if (!m.is_prefill() && roofline.read_bytes_per_second > 0)
    share.of_bandwidth =
        step_bytes(m, result.facts) * m.median() / m.batch / roofline.read_bytes_per_second;
  return share;
}

std::string percent(double share) {
  return share > 0 ? fmt::format("{:.0f} %", 100 * share) : std::string();
}

}  // namespace

std::string milliseconds(double seconds) {
  const double ms = seconds * 1000;
  return ms >= 100 ? fmt::format("{:.0f} ms", ms) : fmt::format("{:.2f} ms", ms);
}

Json bench_json(const BenchResult& result, const BenchOptions& options) {
  Json list = Json::array();
  for (const Measurement& m : result.measurements) {
    const Share share = share_of(m, result);
    Json one = {{"test", m.test},
                {"n", m.n},
                {"depth", m.depth},
                {"batch", m.batch},
                {"tokens_per_second", m.median()},
                {"samples", m.samples}};
    if (m.is_prefill()) {
      one["first_token_seconds"] = m.n / m.median();
      if (share.of_int8_peak > 0) one["share_of_int8_peak"] = share.of_int8_peak;
    } else {
      one["step_seconds"] = {{"p50", m.step_percentile(0.5)},
                             {"p90", m.step_percentile(0.9)},
                             {"p99", m.step_percentile(0.99)}};
      if (share.of_bandwidth > 0) one["share_of_bandwidth"] = share.of_bandwidth;
    }
    list.push_back(std::move(one));
  }
  const Json& facts = result.facts;
  const Json& session = facts["session"];
  Json json = {{"model", options.name()}, {"synthetic", !options.synthetic.empty()}};
  if (facts.contains("recipe")) json["recipe"] = facts["recipe"];
  if (!options.synthetic.empty()) {
    const phial::QuantizeOptions& recipe = options.recipe;
    json["recipe"] = {{"weight_format", recipe.weight_format}};
    if (recipe.weight_format == "int4") {
      json["recipe"].update({{"group_size", recipe.group_size}, {"ratio", recipe.ratio}});
    }
    json["layers"] = facts["layers"];
  }
  json["device"] = session["device"];
  json["tier"] = session["tier"];
  json["threads"] = session["threads"];
  json["results"] = std::move(list);
  if (result.roofline.threads > 0)
    json["roofline"] = {{"threads", result.roofline.threads},
                        {"read_bytes_per_second", result.roofline.read_bytes_per_second},
                        {"int8_ops_per_second", result.roofline.int8_ops_per_second}};
  json["logits_hash"] = result.logits_hash;
  json["load_seconds"] = result.load_seconds;
  json["peak_rss_bytes"] = phial::peak_rss_bytes();
  json["package_bytes"] = session["weight_bytes"];
  json["decode_bytes_per_token"] = session["decode_bytes"];
  json["cache_bytes_per_token"] = session["cache_bytes"];
  json["prompt_operations_per_token"] = session["prompt_operations"];
  return json;
}

std::string bench_csv(const BenchResult& result, const BenchOptions& options) {
  std::string text =
      "model,device,tier,threads,test,tokens,depth,batch,tokens_per_second,lowest,highest,"
      "step_p50_seconds,step_p90_seconds,step_p99_seconds,share_of_bandwidth,share_of_int8_peak\n";
  const Json& session = result.facts["session"];
  std::string name;
  for (const char c : options.name()) name.append(c == '"' ? 2 : 1, c);
  for (const Measurement& m : result.measurements) {
    const Share share = share_of(m, result);
    const auto [low, high] = std::minmax_element(m.samples.begin(), m.samples.end());
    const auto known = [](double value) {
      return value > 0 ? fmt::format("{:.6g}", value) : std::string();
    };
    text += fmt::format("\"{}\",{},{},{},{},{},{},{},{:.6g},{:.6g},{:.6g},{},{},{},{},{}\n", name,
                        session.value("device", ""), session.value("tier", ""),
                        session.value("threads", 0), m.test, m.n, m.depth, m.batch, m.median(),
                        *low, *high, known(m.step_percentile(0.5)), known(m.step_percentile(0.9)),
                        known(m.step_percentile(0.99)), known(share.of_bandwidth),
                        known(share.of_int8_peak));
  }
  return text;
}

std::string bench_table(const BenchResult& result, const BenchOptions& options) {
  const Json& session = result.facts["session"];
  std::string text = fmt::format(
      "{}: {} of weights, {} {}, threads {}, loaded in {}, peak memory {}\n\n", options.name(),
      human_bytes(session.value("weight_bytes", 0.0)), session.value("device", ""),
      session.value("tier", ""), session.value("threads", 0), human_seconds(result.load_seconds),
      human_bytes(static_cast<double>(phial::peak_rss_bytes())));
  const bool batches = options.most_sequences() > 1;
  text += fmt::format("{:<8}  {:>7}  {:>7}{}  {:>10}  {:>17}  {:>11}  {:>9}  {:>6}  {:>9}  {:>9}\n",
                      "test", "tokens", "depth", batches ? "  batch" : "", "tokens/s",
                      "lowest - highest", "first/step", "p90", "GB/s", "bandwidth", "int8 peak");
  for (const Measurement& m : result.measurements) {
    const auto [low, high] = std::minmax_element(m.samples.begin(), m.samples.end());
    const Share share = share_of(m, result);
    text += fmt::format(
        "{:<8}  {:>7}  {:>7}{}  {:>10.2f}  {:>17}  {:>11}  {:>9}  {:>6}  {:>9}  {:>9}\n", m.test,
        m.n, m.depth, batches ? fmt::format("  {:>5}", m.batch) : "", m.median(),
        fmt::format("{:.2f} - {:.2f}", *low, *high),
        milliseconds(m.is_prefill() ? m.n / m.median() : m.step_percentile(0.5)),
        m.is_prefill() ? std::string() : milliseconds(m.step_percentile(0.9)),
        m.is_prefill()
            ? std::string()
            : fmt::format("{:.1f}", step_bytes(m, result.facts) * m.median() / m.batch / 1e9),
        percent(share.of_bandwidth), percent(share.of_int8_peak));
  }
  if (result.roofline.threads > 0)
    text += fmt::format(
        "\nbest of the processor meanwhile, threads {}: reads {:.1f} GB/s, int8 {:.2f} TOPS\n",
        result.roofline.threads, result.roofline.read_bytes_per_second / 1e9,
        result.roofline.int8_ops_per_second / 1e12);
  text += fmt::format("logits {}\n", result.logits_hash);
  return text;
}

}  // namespace cli
