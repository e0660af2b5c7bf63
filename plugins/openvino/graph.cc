// SPDX-License-Identifier: Apache-2.0
#include "graph.h"

#include <algorithm>

#include "cache.h"
#include "export/openvino_ir/openvino_ir.h"
#include "npu.h"
#include "work.h"

namespace phial::ov {
namespace {

void put(Properties& properties, const std::string& key, const std::string& value) {
  for (auto& [name, old] : properties)
    if (name == key) {
      old = value;
      return;
    }
  properties.emplace_back(key, value);
}

// Of the properties of npuw-on-cpu, those that are the CPU plugin's.
bool is_of_npu(const std::string& key) {
  return key.starts_with("NPU") || key.starts_with("CACHE_") || key == "LOG_LEVEL";
}

OpenVinoIrOptions ir_options(const Target& target) {
  OpenVinoIrOptions options;
  // NPUW cuts the model before the lm_head by itself.
  options.last_logits_only = !target.npuw();
  options.rope_factors = target.npuw() ? RopeFactors::kShort : RopeFactors::kByInput;
  return options;
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

}  // namespace

Graph::Graph(const Api& api, std::shared_ptr<const Package> package, const GraphOptions& options)
    : api_(api),
      package_(std::move(package)),
      core_(api),
      weights_(api, Element::kU8, {static_cast<int64_t>(package_->stored()->file.size())},
               package_->stored()->file.data()) {
  const OpenVinoIrOptions ir = ir_options(options.target);
  const std::string xml = openvino_ir_xml(openvino_parts(*package_), ir);
  takes_sequence_length_ =
      package_->config().longrope.has_value() && ir.rope_factors == RopeFactors::kByInput;
  compiled_ = compile(xml, options);

  const auto available = core_.available_devices();
  const std::string says = compiled_->property("EXECUTION_DEVICES");
  if (options.target.kind == Target::Kind::kNpuwOnCpu)
    executes_on_ = "CPU through NPUW";
  else if (std::find(available.begin(), available.end(), says) != available.end() ||
           says.find(' ') != std::string::npos)
    executes_on_ = says;
  else  // the NPU plugin names the NPU even where there is none
    executes_on_ = fmt::format("an unknown device (it says {}, which isn't there)",
                               says.empty() ? "nothing" : says);
}

std::unique_ptr<Compiled> Graph::compile(const std::string& xml, const GraphOptions& options) {
  const Target& target = options.target;
  Properties properties = {{"PERFORMANCE_HINT", "LATENCY"}};
  if (target.npuw())
    for (const auto& [key, value] : npu_properties(target, options.settings, options.room))
      put(properties, key, value);
  else
    put(properties, "NUM_STREAMS", "1");
  Properties cpu;  // for the plugin behind NPUW
  const auto put_cpu = [&](const std::string& key, const std::string& value) {
    if (target.kind == Target::Kind::kCpu) put(properties, key, value);
    if (target.kind == Target::Kind::kNpuwOnCpu) put(cpu, key, value);
  };
  if (options.threads) put_cpu("INFERENCE_NUM_THREADS", std::to_string(options.threads));
  if (options.kv_cache == "i16")
    throw_error(Code::kUnsupported,
                "a KV cache in i16 was asked for, which phial's own engine has; OpenVINO keeps it "
                "in u8, f16 or f32");
  if (!options.kv_cache.empty() && !target.npuw())
    put(properties, "KV_CACHE_PRECISION", options.kv_cache);
  if (options.activations == "int16")  // none are quantized at run time then
    put_cpu("DYNAMIC_QUANTIZATION_GROUP_SIZE", "0");
  for (const auto& [key, value] : options.settings.properties)
    if (target.kind == Target::Kind::kNpuwOnCpu && !is_of_npu(upper(key)))
      put(cpu, key, value);
    else
      put(properties, key, value);
  for (const auto& [key, value] : cpu) core_.set("CPU", key, value);

  const auto model = core_.read(xml, weights_);
  const auto run = [&](const std::string& cache_folder) {
    Properties all = properties;
    if (!cache_folder.empty()) put(all, "CACHE_DIR", cache_folder);
    return with_progress<std::unique_ptr<Compiled>>(
        options.notice, fmt::format("compiling for {}", target.id), [&] {
          try {
            return core_.compile(model.get(), target.device, all);
          } catch (const Error& error) {
            if (!target.npuw()) throw;
            throw Error(error.code(), explain_npu_failure(error.what()));
          }
        });
  };
  const bool kept_by_user = options.settings.property("CACHE_DIR") != nullptr;
  if (kept_by_user || !options.settings.cache.value_or(target.compiles_long())) return run({});
  Properties concerned = properties;
  concerned.insert(concerned.end(), cpu.begin(), cpu.end());
  return cached_compile({cache_key(core_, *package_, xml, target, concerned),
                         fmt::format("{} for {}", package_->name(), target.id)},
                        options.notice, run);
}

}  // namespace phial::ov
