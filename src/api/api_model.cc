// SPDX-License-Identifier: Apache-2.0
// The model handle: opening on a device, describing, cancelling; and what this computer offers.
#include "api/handles.h"
#include "backend/backend.h"
#include "base/cpu_info.h"
#include "kernels/dispatch.h"
#include "native/native_backend.h"

using phial::Code;
using phial::Json;
using phial::throw_error;
namespace api = phial::api;

namespace {

// Every engine of this build; the place where further ones are named.
std::vector<std::unique_ptr<phial::Backend>> make_backends() {
  std::vector<std::unique_ptr<phial::Backend>> backends;
  backends.push_back(phial::make_native_backend());
  return backends;
}

void check_range(const char* name, int32_t value, int32_t least) {
  if (value < least)
    throw_error(Code::kInvalidArgument, "{} is {}, expected at least {}", name, value, least);
}

phial::SessionOptions to_session_options(const phial_model_options& options) {
  check_range("context", options.context, 0);
  check_range("max_sequences", options.max_sequences, 1);
  check_range("threads", options.threads, 0);
  check_range("prefill_chunk", options.prefill_chunk, 0);
  phial::SessionOptions result;
  result.context = options.context;
  result.max_sequences = options.max_sequences;
  result.threads = options.threads;
  result.prefill_chunk = options.prefill_chunk;
  if (options.kv_cache) result.kv_cache = options.kv_cache;
  if (!result.kv_cache.empty() && result.kv_cache != "f16" && result.kv_cache != "f32") {
    throw_error(Code::kInvalidArgument, "KV cache precision '{}' is unknown, expected f16 or f32",
                result.kv_cache);
  }
  return result;
}

std::unique_ptr<phial_model> open_on_device(std::shared_ptr<const phial::Package> package,
                                            const phial_model_options& options) {
  const phial::SessionOptions session_options = to_session_options(options);
  const auto backends = make_backends();
  std::vector<phial::Verdict> verdicts;
  std::vector<const phial::Backend*> of_verdict;
  for (const auto& backend : backends) {
    for (const phial::Device& device : backend->devices()) {
      verdicts.push_back(backend->accepts(*package, device.id));
      of_verdict.push_back(backend.get());
    }
  }
  const phial::Verdict& chosen =
      phial::choose_device(verdicts, options.device ? options.device : "auto");
  const size_t index = static_cast<size_t>(&chosen - verdicts.data());

  auto model = std::make_unique<phial_model>();
  model->session = of_verdict[index]->open(package, chosen.device, session_options);
  model->package = std::move(package);
  model->threads = options.threads > 0 ? options.threads : phial::available_threads();
  return model;
}

Json weights_json(const phial::Package& package) {
  const phial::Phi3Weights& weights = package.weights();
  uint64_t decode_bytes = weights.lm_head.total_bytes();
  for (const phial::Phi3Layer& layer : weights.layers) {
    decode_bytes += layer.qkv.total_bytes() + layer.o.total_bytes() + layer.gate_up.total_bytes() +
                    layer.down.total_bytes();
  }
  return {{"weight_bytes", package.weight_bytes()}, {"decode_bytes", decode_bytes}};
}

}  // namespace

const phial_tokenizer& phial_model::need_tokenizer() const {
  if (!tokenizer) {
    throw_error(Code::kUnsupported,
                "{}: this model has no tokenizer.json, so it can't take or give text",
                package->folder().empty() ? "synthetic weights" : package->folder().string());
  }
  return *tokenizer;
}

extern "C" {

void phial_model_options_init(phial_model_options* options) {
  *options = {};
  options->size = sizeof *options;
  options->device = "auto";
  options->max_sequences = 1;
}

phial_error* phial_model_open(const char* folder, const phial_model_options* options,
                              phial_model** model) {
  return api::guarded([&] {
    api::need(folder, "folder");
    api::need(model, "model");
    const phial_model_options given = api::read_struct(options, &phial_model_options_init);
    auto package = phial::Package::open(folder);
    std::unique_ptr<phial_tokenizer> tokenizer;
    if (phial::fs::exists(package->folder() / "tokenizer.json")) {
      tokenizer = std::make_unique<phial_tokenizer>(phial::Tokenizer::open(package->folder()),
                                                    package->side_files());
    }
    auto opened = open_on_device(std::move(package), given);
    opened->tokenizer = std::move(tokenizer);
    *model = opened.release();
  });
}

phial_error* phial_model_synthetic(const char* shape, const phial_quantize_options* recipe,
                                   int32_t layers, uint64_t seed,
                                   const phial_model_options* options, phial_model** model) {
  return api::guarded([&] {
    api::need(shape, "shape");
    api::need(model, "model");
    check_range("layers", layers, 0);
    const phial_model_options given = api::read_struct(options, &phial_model_options_init);
    const auto asked = api::to_recipe(api::read_struct(recipe, &phial_quantize_options_init));
    *model = open_on_device(phial::Package::synthetic(shape, asked, layers, seed), given).release();
  });
}

void phial_model_close(phial_model* model) { delete model; }

phial_error* phial_model_describe(const phial_model* model, char** json) {
  return api::guarded([&] {
    api::need(model, "model");
    api::need(json, "json");
    const std::lock_guard lock(model->mutex);
    const phial::Limits limits = model->session->limits();
    Json description = model->package->describe();
    Json& session = description["session"];
    session = {{"device", model->session->device()},
               {"tier", model->session->tier()},
               {"threads", model->threads},
               {"context", limits.max_context},
               {"max_sequences", limits.max_sequences},
               {"prefill_chunk", limits.prefill_chunk},
               {"vocab", limits.vocab}};
    session.update(weights_json(*model->package));
    *json = api::copy_text(description.dump(-1, ' ', false, Json::error_handler_t::replace));
  });
}

const phial_tokenizer* phial_model_tokenizer(const phial_model* model) {
  return model ? model->tokenizer.get() : nullptr;
}

void phial_cancel(phial_model* model) {
  if (model) model->cancels.fetch_add(1, std::memory_order_relaxed);
}

phial_error* phial_package_describe(const char* folder, char** json) {
  return api::guarded([&] {
    api::need(folder, "folder");
    api::need(json, "json");
    *json = api::copy_text(phial::Package::open(folder)->describe().dump(
        -1, ' ', false, Json::error_handler_t::replace));
  });
}

phial_error* phial_devices(char** json) {
  return api::guarded([&] {
    api::need(json, "json");
    Json tiers = Json::array();
    for (const phial::kernels::Tier& tier : phial::kernels::tiers()) {
      tiers.push_back({{"name", tier.name},
                       {"built", tier.built},
                       {"runs_here", tier.runs_here},
                       {"why_not", tier.why_not}});
    }
    Json devices = Json::array();
    for (const auto& backend : make_backends()) {
      for (const phial::Device& device : backend->devices()) {
        devices.push_back({{"id", device.id}, {"description", device.description}});
      }
    }
    Json result = {{"version", PHIAL_VERSION},
                   {"cpu", phial::cpu_name()},
                   {"threads", phial::available_threads()},
                   {"memory_bytes", phial::physical_memory_bytes()}};
    try {
      result["tier"] = phial::kernels::best().name;
    } catch (const phial::Error&
                 e) {  // PHIAL_ISA asks for one that can't run: the list is the more welcome
      result["tier"] = nullptr;
      result["tier_error"] = e.what();
    }
    result["tiers"] = std::move(tiers);
    result["devices"] = std::move(devices);
    *json = api::copy_text(result.dump(-1, ' ', false, Json::error_handler_t::replace));
  });
}

}  // extern "C"
