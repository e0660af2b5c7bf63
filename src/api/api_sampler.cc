// SPDX-License-Identifier: Apache-2.0
// How busy this computer is, and phial on it.
#include <map>

#include "api/activity.h"
#include "api/handles.h"
#include "machine/usage_meter.h"

using phial::Json;
namespace api = phial::api;

struct phial_sampler {
  phial::UsageMeter sampler{phial::Root::of_user()};
  const std::string cpu = phial::read_machine(phial::Root::of_user()).cpu.name;
  std::map<std::string, int64_t> answer_tokens;  // by process and its beginning, at the last sample
  bool first = true;
};

namespace {

// Of answers, by all of this user's phial programs, since the last sample. A program that is new
// counts from its beginning.
int64_t new_tokens(phial_sampler& sampler, const Json& processes) {
  std::map<std::string, int64_t> now;
  int64_t sum = 0;
  for (const Json& process : processes) {
    const std::string key =
        process.value("pid", Json()).dump() + process.value("started", Json()).dump();
    const int64_t tokens = process.value("answer_tokens", int64_t{0});
    now[key] += tokens;
  }
  for (const auto& [key, tokens] : now) {
    const auto before = sampler.answer_tokens.find(key);
    sum +=
        std::max<int64_t>(0, tokens - (before == sampler.answer_tokens.end() ? 0 : before->second));
  }
  sampler.answer_tokens = std::move(now);
  return sum;
}

// The processor with all that is in it, and cards; on battery what that gives, if no more is told.
std::optional<double> watts(const phial::Usage& sample) {
  if (!sample.package_watts) return sample.battery_watts;
  double sum = *sample.package_watts;
  for (const phial::DeviceUsage& device : sample.devices) sum += device.watts.value_or(0);
  return sum;
}

}  // namespace

extern "C" {

phial_error* phial_sampler_new(phial_sampler** sampler) {
  return api::guarded([&] {
    api::need(sampler, "sampler");
    *sampler = new phial_sampler;
  });
}

phial_error* phial_sampler_take(phial_sampler* sampler, char** json) {
  return api::guarded([&] {
    api::need(sampler, "sampler");
    api::need(json, "json");
    const phial::Usage sample = sampler->sampler.take();
    Json processes = api::list_activity(api::activity_folder());
    const auto tokens = static_cast<double>(new_tokens(*sampler, processes));
    Json result = {{"cpu", sampler->cpu}};
    result.update(phial::to_json(sample));
    result["processes"] = std::move(processes);
    const bool has_rates = !sampler->first && sample.seconds > 0;
    result["tokens_per_second"] = has_rates ? Json(tokens / sample.seconds) : Json();
    const auto power = watts(sample);
    result["tokens_per_joule"] = has_rates && power && *power > 0 && tokens > 0
                                     ? Json(tokens / (*power * sample.seconds))
                                     : Json();
    sampler->first = false;
    *json = api::copy_text(result.dump(-1, ' ', false, Json::error_handler_t::replace));
  });
}

void phial_sampler_free(phial_sampler* sampler) { delete sampler; }

phial_error* phial_processes(char** json) {
  return api::guarded([&] {
    api::need(json, "json");
    *json = api::copy_text(api::list_activity(api::activity_folder())
                               .dump(-1, ' ', false, Json::error_handler_t::replace));
  });
}

}  // extern "C"
