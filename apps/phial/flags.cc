// SPDX-License-Identifier: Apache-2.0
// Flags that several verbs share. Long names as transformers and optimum-cli have them, short ones
// as llama.cpp. Ranges are checked by the library.
#include "cli.h"

namespace cli {

void add_model_flags(Verb& verb, phial::ModelOptions& options) {
  options.notice = show_notice;
  verb.option(
      "--device", options.device,
      "Where to run: auto, cpu, gpu, npu, openvino:CPU, openvino:GPU.0, ort:cpu, dml, dml:1, "
      "cuda, ... (see phial devices)",
      "PHIAL_DEVICE");
  verb.call("--require", "DEVICE", "The same, but nothing else will do: no fallback",
            [&options](const std::string& device) {
              options.device = device;
              options.require_device = true;
            });
  verb.choice("--policy", options.policy, {"auto", "fast", "efficient"},
              "How 'auto' chooses the device (see phial explain)", "PHIAL_POLICY");
  verb.option("-t,--threads", options.threads, "Threads; 0: all that there are", "PHIAL_THREADS");
  verb.option("-c,--context", options.context,
              "Tokens that fit, prompt and answer; 0: the model's maximum", "PHIAL_CONTEXT");
  verb.choice("--kv-cache-precision", options.kv_cache, {"u8", "i16", "f16", "f32"},
              "By default the engine chooses", "PHIAL_KV_CACHE_PRECISION");
  verb.choice("--activation-precision", options.activations, {"int8", "int16"},
              "Where activations meet quantized weights; by default the engine chooses",
              "PHIAL_ACTIVATION_PRECISION");
  verb.option("--prefill-chunk", options.prefill_chunk,
              "Prompt tokens taken in one go; 0: the engine chooses", "PHIAL_PREFILL_CHUNK");
  add_openvino_flags(verb, options);
  add_onnxruntime_flags(verb, options);
  verb.call(
      "--static-models", "FOLDER", "What 'phial compile' made for the device",
      [&options](const std::string& text) { options.settings.push_back("static-models=" + text); });
}

void add_openvino_flags(Verb& verb, phial::ModelOptions& options) {
  const auto setting = [&](const char* name, const char* value, const char* help,
                           const char* environment) {
    verb.call((std::string("--") + name).c_str(), value, help,
              [&options, name](const std::string& text) {
                options.settings.push_back(std::string(name) + "=" + text);
              },
              environment);
  };
  verb.call("--ov-config", "KEY=VALUE", "A property of OpenVINO's (may be given several times)",
            [&options](const std::string& text) { options.settings.push_back(text); });
  verb.call(
      "--openvino-lib", "PATH", "OpenVINO's library, or a folder that holds it",
      [&options](const std::string& text) { options.settings.push_back("library=" + text); },
      nullptr);
  verb.call(
      "--compile-cache", "yes|no", "Keep compiled models; by default for GPU and NPU",
      [&options](const std::string& text) { options.settings.push_back("cache=" + text); },
      "PHIAL_COMPILE_CACHE");
  setting("npu-prompt", "N", "NPU: tokens of the longest prompt", "PHIAL_NPU_PROMPT");
  setting("npu-response", "N", "NPU: tokens that an answer to it gets at least",
          "PHIAL_NPU_RESPONSE");
  setting("npu-prefill-hint", "HINT", "NPU: dynamic or static", "PHIAL_NPU_PREFILL_HINT");
  setting("npu-generate-hint", "HINT", "NPU: fast-compile or best-perf", "PHIAL_NPU_GENERATE_HINT");
  verb.call("--npu-turbo", nullptr, "NPU: highest clock",
            [&options](const std::string&) { options.settings.push_back("npu-turbo=yes"); });
}

void add_onnxruntime_flags(Verb& verb, phial::ModelOptions& options) {
  verb.call(
      "--ort-config", "KEY=VALUE",
      "An option of ONNX Runtime's provider, or session.KEY=VALUE (may be given several times)",
      [&options](const std::string& text) {
        const bool of_session = text.rfind("session.", 0) == 0;
        options.settings.push_back((of_session ? "onnxruntime." : "onnxruntime.provider.") + text);
      });
  verb.call("--onnxruntime-lib", "PATH",
            "A library of ONNX Runtime or ONNX Runtime GenAI, or a folder that holds one",
            [&options](const std::string& text) {
              options.settings.push_back("onnxruntime.library=" + text);
            });
}

void add_generate_flags(Verb& verb, phial::GenerateParams& params) {
  verb.option("-n,--max-new-tokens", params.max_new_tokens,
              "Longest answer in tokens; -1: until the model stops or the context is full",
              "PHIAL_MAX_NEW_TOKENS");
  verb.option("--temperature,--temp", params.temperature, "0: always the likeliest token (greedy)",
              "PHIAL_TEMPERATURE");
  verb.option("--top-k", params.top_k, "Choose among the k likeliest; 0: off", "PHIAL_TOP_K");
  verb.option("--top-p", params.top_p, "Choose among the likeliest that make up this share; 1: off",
              "PHIAL_TOP_P");
  verb.option("--min-p", params.min_p,
              "Leave out what is less likely than this times the likeliest; 0: off", "PHIAL_MIN_P");
  verb.option("--repetition-penalty,--repeat-penalty", params.repetition_penalty,
              "Above 1: tokens of prompt and answer become less likely; 1: off",
              "PHIAL_REPETITION_PENALTY");
  verb.option("--presence-penalty", params.presence_penalty,
              "Subtracted for tokens that the answer has; 0: off", "PHIAL_PRESENCE_PENALTY");
  verb.option("--frequency-penalty", params.frequency_penalty,
              "The same, for each time it has them; 0: off", "PHIAL_FREQUENCY_PENALTY");
  verb.option("-s,--seed", params.seed, "The same seed gives the same answer", "PHIAL_SEED");
  verb.texts("--stop", params.stop, "End the answer before this text (may be given several times)");
  verb.choice("--speculate", params.speculate, {"ngram", "off"},
              "ngram: the same answer, sooner where it quotes or repeats", "PHIAL_SPECULATE");
  verb.flag("--ignore-eos", params.ignore_eos, "Go on after the model's end-of-text token");
  verb.flag("--keep-special", params.keep_special, "Show special tokens");
}

void add_recipe_flags(Verb& verb, phial::QuantizeOptions& options) {
  verb.choice("--weight-format", options.weight_format, {"fp16", "int8", "int4"},
              "How weights are stored", "PHIAL_WEIGHT_FORMAT");
  verb.option("--group-size", options.group_size,
              "int4: weights that share a scale: 32, 64, 128, or -1: a whole row",
              "PHIAL_GROUP_SIZE");
  verb.option("--ratio", options.ratio,
              "int4: share of the parameters that get 4 bits; the others get 8", "PHIAL_RATIO");
  verb.either("--sym", "Symmetric: scales only (default of int4)", "--asym",
              "Asymmetric: zero points too (default of int8)", options.symmetric);
  verb.flag("--all-layers", options.all_layers,
            "int4: embedding and lm_head get 4 bits too (else 8)");
}

void add_chat_flags(Verb& verb, ChatOptions& options) {
  verb.option("--system", options.system, "What the model is told first");
  add_generate_flags(verb, options.params);
  add_model_flags(verb, options.model_options);
  verb.flag("--offline", options.offline,
            "Open no connection: a model that isn't here is an error");
  verb.flag("--no-history", options.no_history, "Chat: don't keep what is typed");
  verb.flag("--verbose", options.verbose, "Chat: statistics after every answer");
}

}  // namespace cli
