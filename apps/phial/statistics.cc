// SPDX-License-Identifier: Apache-2.0
// Rates: the prompt's over what had to be computed, the answer's over the steps after the first
// token.
#include "statistics.h"

#include <fmt/format.h>

#include "terminal.h"

namespace cli {

namespace {

double rate(int64_t tokens, double seconds) {
  return tokens > 0 && seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
}

double prompt_rate(const phial::Stats& s) {
  return rate(s.prompt_tokens - s.cached_tokens, s.prefill_seconds);
}
double generation_rate(const phial::Stats& s) {
  return rate(s.generated_tokens - 1, s.decode_seconds);
}

std::string rate_text(double tokens_per_second) {
  return tokens_per_second > 0 ? fmt::format(", {:.1f} tokens/s", tokens_per_second)
                               : std::string();
}

}  // namespace

std::string statistics_line(const phial::Result& result) {
  const phial::Stats& s = result.stats;
  const std::string cached =
      s.cached_tokens > 0 ? fmt::format(" ({} cached)", s.cached_tokens) : std::string();
  const std::string guessed =
      s.drafted_tokens > 0
          ? fmt::format(" ({} of {} guesses right)", s.accepted_tokens, s.drafted_tokens)
          : std::string();
  return fmt::format(
      "prompt {} tokens{}{} | generation {} tokens{}{} | first token {} | {} {}, {} thread{}{} | "
      "peak memory {} | {}",
      s.prompt_tokens, cached, rate_text(prompt_rate(s)), s.generated_tokens,
      rate_text(generation_rate(s)), guessed, human_seconds(s.first_token_seconds), s.device,
      s.tier, s.threads, s.threads == 1 ? "" : "s",
      s.placement.empty() ? std::string() : " (auto: " + s.placement + ")",
      human_bytes(static_cast<double>(s.peak_rss_bytes)), result.finish_reason);
}

Json result_json(const phial::Result& result, const std::vector<int32_t>& prompt_ids,
                 double load_seconds) {
  const phial::Stats& s = result.stats;
  Json json = {{"text", result.text},
               {"ids", result.ids},
               {"prompt_ids", prompt_ids},
               {"finish_reason", result.finish_reason}};
  if (result.stop_id >= 0) json["stop_id"] = result.stop_id;
  if (!result.stop_string.empty()) json["stop_string"] = result.stop_string;
  json["timings"] = {{"load_seconds", load_seconds},
                     {"prefill_seconds", s.prefill_seconds},
                     {"decode_seconds", s.decode_seconds},
                     {"first_token_seconds", s.first_token_seconds},
                     {"prompt_tokens_per_second", prompt_rate(s)},
                     {"generation_tokens_per_second", generation_rate(s)}};
  json["stats"] = {{"prompt_tokens", s.prompt_tokens},       {"cached_tokens", s.cached_tokens},
                   {"generated_tokens", s.generated_tokens}, {"drafted_tokens", s.drafted_tokens},
                   {"accepted_tokens", s.accepted_tokens},   {"threads", s.threads},
                   {"peak_rss_bytes", s.peak_rss_bytes}};
  json["device"] = s.device;
  json["tier"] = s.tier;
  return json;
}

std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace cli
