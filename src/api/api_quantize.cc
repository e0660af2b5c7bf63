// SPDX-License-Identifier: Apache-2.0
// Making packages and random checkpoints.
#include "api/handles.h"
#include "package/writer.h"

using phial::Code;
using phial::throw_error;
namespace api = phial::api;

phial::QuantRecipe phial::api::to_recipe(const phial_quantize_options& options) {
  QuantRecipe recipe;
  recipe.precision = precision_from_name(options.weight_format ? options.weight_format : "int4");
  recipe.group_size = options.group_size;
  recipe.ratio = options.ratio;
  recipe.symmetric =
      options.symmetric < 0 ? recipe.precision != WeightPrecision::kInt8 : options.symmetric != 0;
  recipe.all_layers = options.all_layers != 0;
  recipe.check();
  return recipe;
}

extern "C" {

void phial_quantize_options_init(phial_quantize_options* options, size_t size) {
  phial_quantize_options defaults = {};
  defaults.weight_format = "int4";
  defaults.ratio = 1.0;
  defaults.group_size = 128;
  defaults.symmetric = -1;
  phial::api::give_struct(options, size, defaults);
}

phial_error* phial_quantize(const char* source, const char* destination,
                            const phial_quantize_options* options, phial_progress progress,
                            phial_interrupt interrupt, void* user) {
  return api::guarded([&] {
    api::need(source, "source");
    api::need(destination, "destination");
    const phial_quantize_options given = api::read_struct(options, &phial_quantize_options_init);
    if (given.threads < 0)
      throw_error(Code::kInvalidArgument, "threads is {}, expected at least 0", given.threads);
    phial::QuantizeOptions asked;
    asked.recipe = api::to_recipe(given);
    asked.threads = given.threads;
    asked.overwrite = given.overwrite != 0;
    asked.artefacts = api::quantize_artefacts();
    if (progress) {
      asked.progress = [=](const phial::Progress& p) {
        progress(user, p.done_bytes, p.total_bytes, p.current.c_str());
      };
    }
    if (interrupt) asked.interrupt = [=] { return interrupt(user) != 0; };
    phial::quantize(source, destination, asked);
  });
}

phial_error* phial_make_random(const char* shape, int32_t layers, uint64_t seed, const char* dtype,
                               const char* tokenizer_from, const char* destination) {
  return api::guarded([&] {
    api::need(shape, "shape");
    api::need(destination, "destination");
    if (layers < 0)
      throw_error(Code::kInvalidArgument, "layers is {}, expected at least 0", layers);
    phial::Json config =
        *shape == '{' ? phial::parse_json(shape, "shape") : phial::known_shape_config(shape);
    if (layers > 0) config["num_hidden_layers"] = layers;
    phial::make_random_checkpoint(config, destination, seed, tokenizer_from ? tokenizer_from : "",
                                  dtype ? dtype : "bf16");
  });
}

}  // extern "C"
