// SPDX-License-Identifier: Apache-2.0
// Where a model would run, why, and how fast; and remembering how fast it was.
#include <algorithm>
#include <ctime>

#include "api/choose.h"
#include "api/handles.h"
#include "api/roofline.h"
#include "api/units.h"
#include "backend/plugin_host.h"

using phial::Code;
using phial::Json;
using phial::throw_error;
namespace api = phial::api;

namespace {

constexpr int32_t kUsualPrompt = 512;

template <class Value>
Json maybe(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

double decode_bytes(const phial::Package& package) {
  const phial::Phi3Weights& weights = package.weights();
  uint64_t bytes = weights.lm_head.total_bytes();
  for (const phial::Phi3Layer& layer : weights.layers)
    bytes += layer.qkv.total_bytes() + layer.o.total_bytes() + layer.gate_up.total_bytes() +
             layer.down.total_bytes();
  return static_cast<double>(bytes);
}

// Multiplications and additions of all layers for a token of a prompt; attention left out, which is
// a few percent up to thousands of tokens.
double prompt_operations(const phial::Phi3Config& config) {
  const double hidden = config.hidden_size;
  return 2.0 * config.n_layers *
         (hidden * (2 * config.q_rows() + 2 * config.kv_rows()) +
          3 * hidden * config.intermediate_size);
}

std::string unit_name(const phial::Machine& machine, const std::string& id) {
  if (id == "cpu") return machine.cpu.name;
  for (const phial::Gpu& gpu : machine.gpus)
    if (gpu.id == id) return gpu.vendor + " " + gpu.name;
  for (const phial::Npu& npu : machine.npus)
    if (npu.id == id) return npu.vendor + " " + npu.name;
  return {};
}

Json devices_json(const api::Choosing& choosing, const phial::Placement& placement,
                  const phial::Machine& machine) {
  std::vector<size_t> order = placement.order;
  for (size_t i = 0; i < choosing.candidates().size(); ++i)
    if (std::find(order.begin(), order.end(), i) == order.end()) order.push_back(i);
  Json list = Json::array();
  for (const size_t i : order) {
    const phial::Candidate& candidate = choosing.candidates()[i];
    const phial::Verdict& verdict = candidate.verdict;
    const std::string unit = api::unit_of(machine, verdict.device, verdict.kind);
    const bool can = placement.refusals[i].empty();
    Json one = {{"device", verdict.device},
                {"kind", verdict.kind},
                {"unit", unit.empty() ? Json() : Json(unit)},
                {"name", unit.empty() ? Json() : Json(unit_name(machine, unit))},
                {"can", can},
                {"reason", can ? verdict.reason : placement.refusals[i]},
                {"measured", nullptr}};
    if (candidate.measured)
      one["measured"] = {{"prompt_rate", candidate.measured->prompt_rate},
                         {"answer_rate", candidate.measured->answer_rate}};
    list.push_back(std::move(one));
  }
  return list;
}

// Each token reads all weights and the cache so far, half of which is there on average.
Json expected_json(const phial::Package& package, const api::Choosing& choosing,
                   const phial::Placement& placement, const phial::Machine& machine,
                   const std::optional<api::Roofline>& roofline) {
  const phial::Candidate& chosen = choosing.candidates()[placement.chosen];
  Json expected = {{"from", nullptr},
                   {"prompt_rate", nullptr},
                   {"answer_rate", nullptr},
                   {"first_token_seconds", nullptr},
                   {"at_most", nullptr}};
  const double bytes = decode_bytes(package) + static_cast<double>(choosing.need().cache) / 2;
  double prompt_rate = 0, answer_rate = 0;
  if (chosen.measured) {
    expected["from"] = "measurement";
    prompt_rate = chosen.measured->prompt_rate;
    answer_rate = chosen.measured->answer_rate;
  } else if (roofline && chosen.verdict.device == "cpu") {
    expected["from"] = "roofline";
    prompt_rate = roofline->prompt_rate / prompt_operations(package.config());
    answer_rate = roofline->decode_rate / bytes;
  } else if (roofline) {
    // What shares the computer's memory is no faster than that.
    const std::string unit = api::unit_of(machine, chosen.verdict.device, chosen.verdict.kind);
    const bool card = std::any_of(machine.gpus.begin(), machine.gpus.end(), [&](const auto& gpu) {
      return gpu.id == unit && gpu.integrated != true;
    });
    if (!card) expected["at_most"] = roofline->read_rate / bytes;
  }
  if (prompt_rate > 0) {
    expected["prompt_rate"] = prompt_rate;
    expected["first_token_seconds"] = std::max(1, choosing.facts().prompt_tokens) / prompt_rate;
  }
  if (answer_rate > 0) expected["answer_rate"] = answer_rate;
  return expected;
}

std::optional<api::Roofline> get_roofline(bool measure) {
  std::optional<api::Roofline> known = api::known_roofline();
  if (known || !measure) return known;
  try {
    return api::measure_roofline();
  } catch (const phial::Error&) {  // no kernels can run, no memory: that is said elsewhere
    return std::nullopt;
  }
}

}  // namespace

extern "C" {

phial_error* phial_explain(const char* folder, const phial_model_options* options, int32_t measure,
                           char** json) {
  return api::guarded([&] {
    api::need(folder, "folder");
    api::need(json, "json");
    phial_model_options given = api::read_struct(options, &phial_model_options_init);
    if (given.prompt_tokens == 0) given.prompt_tokens = kUsualPrompt;
    const phial::SessionOptions session_options = api::to_session_options(given);
    const auto package = phial::Package::open(folder);
    const api::Backends backends = api::make_backends(
        phial::full_device_name(given.device ? given.device : "auto"), session_options.settings);
    const api::Choosing choosing(backends, *package, given, session_options, true);
    const phial::Placement placement = choosing.place();
    const phial::Machine machine = phial::read_machine(phial::Root::of_user());
    const auto roofline = get_roofline(measure != 0);
    const api::MemoryNeed& need = choosing.need();
    const Json result = {
        {"model", package->name()},
        {"folder", package->folder().string()},
        {"placement", api::to_json(choosing, placement)},
        {"devices", devices_json(choosing, placement, machine)},
        {"memory",
         {{"weights", need.weights},
          {"cache", need.cache},
          {"cache_per_token", need.cache_per_token},
          {"workspace", need.workspace},
          {"tokens", need.tokens},
          {"needed", need.total()},
          {"available", maybe(machine.memory.available)},
          {"total", maybe(machine.memory.total)}}},
        {"expected", expected_json(*package, choosing, placement, machine, roofline)},
        {"roofline", api::to_json(roofline)}};
    *json = api::copy_text(result.dump(-1, ' ', false, Json::error_handler_t::replace));
  });
}

phial_error* phial_remember_speed(const char* folder, const char* json) {
  return api::guarded([&] {
    api::need(folder, "folder");
    api::need(json, "json");
    const auto package = phial::Package::open(folder);
    const std::string key = api::package_key(*package);
    if (key.empty())
      throw_error(Code::kUnsupported,
                  "{}: only packages are remembered, make one with 'phial "
                  "quantize'",
                  folder);
    const Json list = phial::parse_json(json, "measurements");
    if (!list.is_array()) throw_error(Code::kInvalidArgument, "measurements: expected an array");
    std::vector<phial::Device> devices;
    for (const auto& backend : api::make_backends("auto", {}))
      for (phial::Device& device : backend->devices()) devices.push_back(std::move(device));
    std::vector<api::Measurement> measurements;
    for (const Json& one : list) {
      const phial::JsonView view(one, "measurements");
      api::Measurement m;
      m.device = view.string("device");
      const auto device = std::find_if(devices.begin(), devices.end(),
                                       [&](const auto& d) { return d.id == m.device; });
      if (device == devices.end()) continue;  // one that auto never takes
      m.package = key;
      m.name = package->name();
      m.engine = device->description;
      m.prompt_tokens = static_cast<int32_t>(view.integer("prompt_tokens", 0, INT32_MAX));
      m.rates = {view.number("prompt_rate"), view.number("answer_rate")};
      m.when = static_cast<int64_t>(std::time(nullptr));
      measurements.push_back(std::move(m));
    }
    api::MeasuredStore::of_user().remember(measurements);
  });
}

}  // extern "C"
