// SPDX-License-Identifier: Apache-2.0
// The host's side of the plug-in interface. Whatever a plug-in answers is checked before it is
// used: it may be older, newer or somebody else's.
#include "backend/plugin_host.h"

#include <phial/backend_abi.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/shared_library.h"

namespace phial {
namespace {

std::string text_of(const char* text) { return text ? text : ""; }

// A failure of a plug-in as phial's own error.
[[noreturn]] void fail(const std::string& plugin, phial_code code, const char* message) {
  const bool known = code >= PHIAL_INVALID_ARGUMENT && code <= PHIAL_INTERNAL;
  if (known && message && *message) throw Error(static_cast<Code>(code), message);
  throw_error(known ? static_cast<Code>(code) : Code::kInternal,
              "the plug-in '{}' failed with code {}{}{}", plugin, static_cast<int>(code),
              message && *message ? ": " : " and doesn't say why", text_of(message));
}

// The plug-in that a setting "onnxruntime.library=..." is for; empty: for all. Names are in lower
// case, and keys of vendors' runtimes that have a point in them aren't.
std::string_view addressee(std::string_view setting) {
  const size_t point = setting.substr(0, setting.find('=')).find('.');
  if (point == std::string_view::npos) return {};
  const std::string_view name = setting.substr(0, point);
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; })
             ? name
             : std::string_view();
}

class Settings {
 public:
  Settings(std::string_view plugin, const std::vector<std::string>& settings) {
    for (const std::string& setting : settings)
      if (addressee(setting).empty() || addressee(setting) == plugin)
        texts_.push_back(setting.c_str());
    c_ = {texts_.data(), texts_.size()};
  }
  const phial_plugin_settings& c() const { return c_; }

 private:
  std::vector<const char*> texts_;
  phial_plugin_settings c_;
};

int ask(void* user) {
  try {
    return (*static_cast<const Interrupt*>(user))() ? 1 : 0;
  } catch (...) {  // must not fly through the plug-in; to stop is the nearest to what it meant
    return 1;
  }
}

void pass_notice(void* user, int32_t kind, const char* text) {
  try {
    if (kind >= 0 && kind <= 2)
      (*static_cast<const Notice*>(user))(static_cast<NoticeKind>(kind), text_of(text));
  } catch (...) {  // a line for the user is lost, no more
  }
}

// `notice` must outlive what is done with the result, and so must the strings.
phial_plugin_open_options to_c(const SessionOptions& options, const Settings& settings,
                               const Notice& notice) {
  phial_plugin_open_options c = {};
  c.size = sizeof c;
  c.context = options.context;
  c.max_sequences = options.max_sequences;
  c.threads = options.threads;
  c.prefill_chunk = options.prefill_chunk;
  c.kv_cache = options.kv_cache.c_str();
  c.activations = options.activations.c_str();
  c.settings = settings.c();
  if (notice) {
    c.notice = &pass_notice;
    c.notice_user = const_cast<Notice*>(&notice);
  }
  return c;
}

class PluginSession : public Session {
 public:
  PluginSession(const phial_plugin& table, const std::string& folder, const std::string& device,
                const SessionOptions& options)
      : table_(table), notice_(options.notice) {
    const Settings settings(table_.name, options.settings);
    const phial_plugin_open_options c = to_c(options, settings, notice_);
    const char* message = nullptr;
    const phial_code code = table_.open(folder.c_str(), device.c_str(), &c, &handle_, &message);
    if (code != PHIAL_OK) fail(table_.name, code, message);
    if (!handle_) throw_error(Code::kInternal, "the plug-in '{}' opened nothing", table_.name);
  }
  ~PluginSession() override { table_.close(handle_); }
  PluginSession(const PluginSession&) = delete;
  PluginSession& operator=(const PluginSession&) = delete;

  Limits limits() const override {
    phial_plugin_limits c = {};
    c.size = sizeof c;
    c.max_sequences = 1;
    table_.limits(handle_, &c);
    return {c.vocab, c.max_context, c.max_sequences, c.prefill_chunk, c.cheap_truncate != 0};
  }

  void step(std::span<const Step> batch, const Interrupt& interrupt) override {
    steps_.clear();
    for (const Step& step : batch)
      steps_.push_back(
          {step.seq, step.all_logits, step.tokens.data(), step.tokens.size(), step.logits});
    const char* message = nullptr;
    const phial_code code =
        table_.step(handle_, steps_.data(), steps_.size(), interrupt ? &ask : nullptr,
                    const_cast<Interrupt*>(&interrupt), &message);
    if (code != PHIAL_OK) fail(table_.name, code, message);
  }

  void truncate(SequenceId seq, int32_t length) override { table_.truncate(handle_, seq, length); }
  void release(SequenceId seq) override { table_.release(handle_, seq); }
  int32_t length(SequenceId seq) const override { return table_.length(handle_, seq); }
  std::string device() const override { return text_of(table_.device(handle_)); }
  std::string tier() const override { return text_of(table_.tier(handle_)); }

 private:
  const phial_plugin& table_;  // lives as long as the process
  Notice notice_;              // what the plug-in calls, until it is closed
  phial_plugin_session* handle_ = nullptr;
  std::vector<phial_plugin_step> steps_;
};

class PluginBackend : public Backend {
 public:
  PluginBackend(const phial_plugin& table, std::vector<std::string> settings)
      : table_(table), settings_(std::move(settings)) {}

  std::string name() const override { return table_.name; }
  std::vector<Device> devices() const override { return ask_devices(false); }
  std::vector<Device> quick_devices() const override { return ask_devices(true); }

  Verdict accepts(const Package& package, std::string_view device) const override {
    Verdict verdict{std::string(device), 0, {}, {}};
    if (!package.quantized_by_phial()) {
      verdict.reason =
          package.folder().empty()
              ? fmt::format("{} runs packages on disk, not synthetic weights", table_.name)
              : fmt::format(
                    "{} runs packages, and {} is a Hugging Face folder: make one with "
                    "'phial quantize'",
                    table_.name, package.folder().string());
      return verdict;
    }
    const Settings settings(table_.name, settings_);
    const char *reason = nullptr, *message = nullptr;
    int32_t rank = 0;
    const phial_code code = table_.accepts(&settings.c(), package.folder().string().c_str(),
                                           verdict.device.c_str(), &rank, &reason, &message);
    if (code != PHIAL_OK) {
      verdict.reason = message && *message ? message
                                           : fmt::format("the plug-in '{}' failed with code {}",
                                                         table_.name, static_cast<int>(code));
      return verdict;
    }
    verdict.rank = std::max(rank, 0);
    verdict.reason = text_of(reason);
    return verdict;
  }

  std::unique_ptr<Session> open(std::shared_ptr<const Package> package, std::string_view device,
                                const SessionOptions& options) const override {
    return std::make_unique<PluginSession>(table_, package->folder().string(), std::string(device),
                                           options);
  }

  void compile(const Package& package, std::string_view device, const fs::path& destination,
               const SessionOptions& options) const override {
    if (!table_.compile) return Backend::compile(package, device, destination, options);
    const Settings settings(table_.name, options.settings);
    const phial_plugin_open_options c = to_c(options, settings, options.notice);
    const char* message = nullptr;
    const phial_code code =
        table_.compile(package.folder().string().c_str(), std::string(device).c_str(),
                       destination.string().c_str(), &c, &message);
    if (code != PHIAL_OK) fail(table_.name, code, message);
  }

 private:
  std::vector<Device> ask_devices(bool quick) const {
    const Settings settings(table_.name, settings_);
    const phial_plugin_device* list = nullptr;
    size_t count = 0;
    const char* message = nullptr;
    const phial_code code = table_.devices(&settings.c(), quick, &list, &count, &message);
    if (code != PHIAL_OK) return {{table_.name, "", "", text_of(message)}};
    std::vector<Device> devices;
    for (size_t i = 0; i < count; ++i)
      devices.push_back({text_of(list[i].id), text_of(list[i].description), text_of(list[i].kind),
                         text_of(list[i].why_not)});
    return devices;
  }

  const phial_plugin& table_;
  const std::vector<std::string> settings_;
};

// Stands for a plug-in that can't be used.
class NoBackend : public Backend {
 public:
  NoBackend(std::string name, std::string reason)
      : name_(std::move(name)), reason_(std::move(reason)) {}

  std::string name() const override { return name_; }
  std::vector<Device> devices() const override { return {{name_, "", "", reason_}}; }
  std::vector<Device> quick_devices() const override { return {}; }
  Verdict accepts(const Package&, std::string_view device) const override {
    return {std::string(device), 0, reason_, {}};
  }
  std::unique_ptr<Session> open(std::shared_ptr<const Package>, std::string_view device,
                                const SessionOptions&) const override {
    throw_error(Code::kUnsupported, "{}: {}", device, reason_);
  }

 private:
  const std::string name_, reason_;
};

std::string complaint(const PluginFile& file, const phial_plugin* table) {
  if (!table) return fmt::format("{}: offers nothing", file.path.string());
  if (table->abi != PHIAL_PLUGIN_ABI)
    return fmt::format(
        "{}: speaks version {} of the plug-in interface, this phial ({}) version {}; install the "
        "plug-in that came with it",
        file.path.string(), table->abi, PHIAL_VERSION, PHIAL_PLUGIN_ABI);
  if (table->size < sizeof(phial_plugin))
    return fmt::format(
        "{}: its table has {} bytes, expected at least {}; install the plug-in that "
        "came with this phial ({})",
        file.path.string(), table->size, sizeof(phial_plugin), PHIAL_VERSION);
  const bool whole = table->name && table->devices && table->accepts && table->open &&
                     table->close && table->limits && table->step && table->truncate &&
                     table->release && table->length && table->device && table->tier;
  if (!whole) return fmt::format("{}: functions are missing in its table", file.path.string());
  if (table->name != file.name)
    return fmt::format("{}: calls itself '{}', expected '{}'", file.path.string(), table->name,
                       file.name);
  return {};
}

}  // namespace

std::unique_ptr<Backend> open_plugin(const PluginFile& file, std::vector<std::string> settings) {
  try {
    const SharedLibrary library(file.path);
    const auto entry =
        reinterpret_cast<phial_backend_plugin_function>(library.symbol(PHIAL_PLUGIN_SYMBOL));
    if (!entry)
      return std::make_unique<NoBackend>(
          file.name,
          fmt::format("{}: isn't a plug-in of phial (no function " PHIAL_PLUGIN_SYMBOL " in it)",
                      file.path.string()));
    const phial_plugin* table = entry(PHIAL_PLUGIN_ABI);
    if (const std::string why = complaint(file, table); !why.empty())
      return std::make_unique<NoBackend>(file.name, why);
    return std::make_unique<PluginBackend>(*table, std::move(settings));
  } catch (const Error& error) {
    return std::make_unique<NoBackend>(
        file.name, fmt::format("the plug-in can't be loaded: {}", error.what()));
  }
}

std::vector<std::unique_ptr<Backend>> open_plugins_for(std::string_view device,
                                                       const std::vector<std::string>& settings) {
  std::vector<std::unique_ptr<Backend>> backends;
  if (device == "cpu") return backends;
  const std::vector<fs::path> folders = plugin_folders();
  const std::string_view named = device.substr(0, std::min(device.find(':'), device.size()));
  const bool one = named.size() < device.size();
  for (const PluginFile& file : find_plugins(folders))
    if (!one || file.name == named) backends.push_back(open_plugin(file, settings));
  if (one && backends.empty()) {
    std::string places;
    for (const fs::path& folder : folders)
      places += fmt::format("{}{}", places.empty() ? "" : ", ", folder.string());
    throw_error(
        Code::kUnsupported,
        "device '{}': there is no plug-in phial_{}{}; looked in {} (PHIAL_PLUGIN_PATH names "
        "further folders)",
        device, named, kSharedLibrarySuffix, places);
  }
  return backends;
}

}  // namespace phial
