// SPDX-License-Identifier: Apache-2.0
// The model handle: opening, describing, cancelling. On which device is api_devices.cc's business.
#include "api/handles.h"

using phial::Code;
using phial::Json;
using phial::throw_error;
namespace api = phial::api;

namespace {

void check_range(const char* name, int32_t value, int32_t least) {
  if (value < least)
    throw_error(Code::kInvalidArgument, "{} is {}, expected at least {}", name, value, least);
}

Json weights_json(const phial::Package& package) {
  const phial::Phi3Weights& weights = package.weights();
  uint64_t decode_bytes = weights.lm_head.total_bytes(), layer_weights = 0;
  for (const phial::Phi3Layer& layer : weights.layers) {
    decode_bytes += layer.qkv.total_bytes() + layer.o.total_bytes() + layer.gate_up.total_bytes() +
                    layer.down.total_bytes();
    for (const phial::WeightMatrix* matrix : {&layer.qkv, &layer.o, &layer.gate_up, &layer.down})
      layer_weights += static_cast<uint64_t>(matrix->rows * matrix->cols);
  }
  return {{"weight_bytes", package.weight_bytes()},
          {"decode_bytes", decode_bytes},
          {"prompt_operations", 2 * layer_weights}};
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

void phial_model_options_init(phial_model_options* options, size_t size) {
  phial_model_options defaults = {};
  defaults.device = "auto";
  defaults.max_sequences = 1;
  phial::api::give_struct(options, size, defaults);
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
    auto opened = api::open_on_device(std::move(package), given);
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
    *model =
        api::open_on_device(phial::Package::synthetic(shape, asked, layers, seed), given).release();
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
               {"fallback", model->fallback.empty() ? Json() : Json(model->fallback)},
               {"placement", model->placement},
               {"threads", model->threads},
               {"context", limits.max_context},
               {"max_sequences", limits.max_sequences},
               {"prefill_chunk", limits.prefill_chunk},
               {"cache_bytes", model->session->cache_bytes_per_token()},
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

}  // extern "C"
