// SPDX-License-Identifier: Apache-2.0
// Devices: what this computer offers, and opening a model on the one that was asked for. The place
// where engines are named.
#include "api/handles.h"
#include "backend/backend.h"
#include "backend/plugin_host.h"
#include "base/cpu_info.h"
#include "kernels/dispatch.h"
#include "native/native_backend.h"

using phial::Code;
using phial::Json;
using phial::throw_error;
namespace api = phial::api;

namespace {

using Backends = std::vector<std::unique_ptr<phial::Backend>>;

// Our own engine, which is always there, and the plug-ins that a wish for `device` concerns.
Backends make_backends(std::string_view device, const std::vector<std::string>& settings) {
  Backends backends;
  backends.push_back(phial::make_native_backend());
  for (auto& plugin : phial::open_plugins_for(device, settings))
    backends.push_back(std::move(plugin));
  return backends;
}

void check_range(const char* name, int32_t value, int32_t least) {
  if (value < least)
    throw_error(Code::kInvalidArgument, "{} is {}, expected at least {}", name, value, least);
}

// What was said to a runtime that doesn't run now. Lower-case keys may come from the environment,
// for the case that the plug-in runs.
void warn_of_settings(const phial::SessionOptions& options) {
  if (!options.notice) return;
  for (const std::string& setting : options.settings) {
    if (setting[0] >= 'a' && setting[0] <= 'z' && !setting.starts_with("static-models=")) continue;
    options.notice(phial::NoticeKind::kWarning,
                   fmt::format("'{}' has no effect: phial's own engine runs the model, which takes "
                               "no settings of a plug-in",
                               setting));
    return;
  }
}

struct Candidates {
  std::vector<phial::Verdict> verdicts;
  std::vector<const phial::Backend*> of_verdict;

  void add(const phial::Backend& backend, phial::Verdict verdict, const std::string& kind) {
    verdict.kind = kind;
    verdicts.push_back(std::move(verdict));
    of_verdict.push_back(&backend);
  }
};

Candidates judge(const Backends& backends, const phial::Package& package,
                 const std::string& wanted) {
  Candidates candidates;
  for (const auto& backend : backends) {
    if (wanted.starts_with(backend->name() + ":")) {  // by name: it need not be in the list
      candidates.add(*backend, backend->accepts(package, wanted), {});
      continue;
    }
    for (const phial::Device& device :
         wanted == "auto" ? backend->quick_devices() : backend->devices()) {
      const phial::Verdict verdict = device.why_not.empty()
                                         ? backend->accepts(package, device.id)
                                         : phial::Verdict{device.id, 0, device.why_not, {}};
      candidates.add(*backend, verdict, device.kind);
    }
  }
  return candidates;
}

// Settings for the runtime itself. If it doesn't like them, the user wants to know that, not
// another device.
bool sets_the_runtime(const phial::SessionOptions& options) {
  for (const std::string& setting : options.settings)
    if (setting[0] < 'a' || setting[0] > 'z' || setting.starts_with("static-models=") ||
        setting.starts_with("onnxruntime.provider.") || setting.starts_with("onnxruntime.session."))
      return true;
  return false;
}

// Some things about a device show only when it is used: its driver lacks the compiler, its memory
// is full, it is gone.
bool may_try_another(const phial::Error& error, const phial::SessionOptions& options) {
  return (error.code() == Code::kUnsupported || error.code() == Code::kOutOfMemory) &&
         !sets_the_runtime(options);
}

}  // namespace

phial::SessionOptions api::to_session_options(const phial_model_options& options) {
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
  if (options.activations) result.activations = options.activations;
  if (!result.activations.empty() && result.activations != "int8" && result.activations != "int16")
    throw_error(Code::kInvalidArgument,
                "activation precision '{}' is unknown, expected int8 or int16", result.activations);
  if (options.n_settings) api::need(options.settings, "settings");
  for (size_t i = 0; i < options.n_settings; ++i) {
    api::need(options.settings[i], "settings[]");
    const std::string setting = options.settings[i];
    const size_t equals = setting.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw_error(Code::kInvalidArgument, "setting '{}' isn't of the form KEY=VALUE", setting);
    result.settings.push_back(setting);
  }
  if (options.notice) {
    result.notice = [notice = options.notice, user = options.notice_user](phial::NoticeKind kind,
                                                                          const std::string& text) {
      notice(user, static_cast<int32_t>(kind), text.c_str());
    };
  }
  return result;
}

std::unique_ptr<phial_model> api::open_on_device(std::shared_ptr<const Package> package,
                                                 const phial_model_options& options) {
  const SessionOptions session_options = to_session_options(options);
  const std::string wanted = full_device_name(options.device ? options.device : "auto");
  const Backends backends = make_backends(wanted, session_options.settings);
  Candidates candidates = judge(backends, *package, wanted);
  const Notice& notice = session_options.notice;
  for (;;) {
    const Choice choice = options.require_device
                              ? Choice{&choose_device(candidates.verdicts, wanted), {}}
                              : choose_device_or_another(candidates.verdicts, wanted);
    const auto index = static_cast<size_t>(choice.verdict - candidates.verdicts.data());
    const Backend& backend = *candidates.of_verdict[index];
    const std::string device = choice.verdict->device;
    if (!choice.fallback.empty() && notice)
      notice(NoticeKind::kWarning,
             fmt::format("'{}' can't be used, {} runs it instead: {}", wanted, device,
                         choice.fallback.substr(0, choice.fallback.find('\n'))));
    if (&backend == backends.front().get()) warn_of_settings(session_options);

    auto model = std::make_unique<phial_model>();
    try {
      model->session = backend.open(package, device, session_options);
    } catch (const Error& error) {
      Verdict& verdict = candidates.verdicts[index];
      if (options.require_device || &backend == backends.front().get() ||
          !may_try_another(error, session_options))
        throw;
      verdict.rank = 0;
      verdict.reason = error.what();
      if (wanted == "auto" && notice)
        notice(NoticeKind::kWarning, fmt::format("{} can't be used: {}", device, verdict.reason));
      continue;
    }
    model->package = std::move(package);
    model->threads = options.threads > 0 ? options.threads : available_threads();
    model->fallback = choice.fallback;
    return model;
  }
}

extern "C" {

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
    for (const auto& backend : make_backends("auto", {})) {
      for (const phial::Device& device : backend->devices()) {
        devices.push_back({{"id", device.id},
                           {"kind", device.kind},
                           {"description", device.description},
                           {"usable", device.why_not.empty()},
                           {"why_not", device.why_not}});
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
