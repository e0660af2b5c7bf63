// SPDX-License-Identifier: Apache-2.0
#include "models/pull.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/json.h"
#include "base/write_beside.h"
#include "models/download.h"
#include "package/package.h"
#include "package/writer.h"

namespace phial {
namespace {

constexpr const char* kDownloads = ".downloads";
constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr const char* kOriginal = "original";
constexpr const char* kSideFiles[] = {
    "config.json",           "generation_config.json",  "tokenizer.json",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "chat_template.jinja",   "chat_template.json"};

// Held while a repository is downloaded; waits for another process that does so.
class FolderLock {
 public:
  FolderLock(const fs::path& file, const std::function<bool()>& interrupt) {
    std::error_code failed;
    fs::create_directories(file.parent_path(), failed);
    if (failed)
      throw_error(Code::kIo, "{}: can't be made: {}", file.parent_path().string(),
                  failed.message());
    fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0)
      throw_error(Code::kIo, "{}: can't be opened: {}", file.string(), std::strerror(errno));
    while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) break;  // a file system without locks
      if (interrupt && interrupt()) {
        ::close(fd_);
        throw_error(Code::kCancelled, "waiting for another download of the same was cancelled");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  ~FolderLock() { ::close(fd_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

bool is_weights(const std::string& name, bool in_shards) {
  return in_shards ? name.starts_with("model-") && name.ends_with(".safetensors")
                   : name == "model.safetensors";
}

std::vector<RepoFile> files_to_get(const Repository& repository) {
  const auto has = [&](const std::string& name) {
    return std::any_of(repository.files.begin(), repository.files.end(),
                       [&](const RepoFile& f) { return f.path == name; });
  };
  const bool package = has(kManifestFile), in_shards = has(kIndexFile);
  std::vector<RepoFile> files;
  bool weights = false;
  for (const RepoFile& file : repository.files) {
    const bool top = file.path.find('/') == std::string::npos && !file.path.starts_with('.');
    const bool side =
        std::find(std::begin(kSideFiles), std::end(kSideFiles), file.path) != std::end(kSideFiles);
    const bool of_weights = is_weights(file.path, in_shards);
    weights |= of_weights || (package && file.path == kWeightsFile);
    if (top && (package || side || of_weights || file.path == kIndexFile)) files.push_back(file);
  }
  if (!has("config.json"))
    throw_error(Code::kUnsupported,
                "{}: has no config.json, so it isn't a model that phial can run", repository.name);
  if (!weights)
    throw_error(Code::kUnsupported,
                "{}: has no weights as safetensors, which phial reads (model.safetensors, or {} "
                "with its files)",
                repository.name, kIndexFile);
  return files;
}

// Of weights of 16 bits, which all published ones are. The embedding's 8 bits are some more: up to
// 4 % of the checkpoint, Phi-4-mini's 200,064 rows of 3,072.
double share_kept(const QuantRecipe& recipe) {
  switch (recipe.precision) {
    case WeightPrecision::kInt4:
      return recipe.ratio * (0.25 + (recipe.group_size > 0 ? 1.5 / recipe.group_size : 0)) +
             (1 - recipe.ratio) * 0.5 + 0.04;
    case WeightPrecision::kInt8:
      return 0.51;
    default:
      return 1;
  }
}

class Pull {
 public:
  Pull(const ModelStore& store, const Hub& hub, const ModelName& name, const PullOptions& options)
      : store_(store), hub_(hub), name_(name), options_(options) {}

  void run() {
    repository_ = look_up(hub_, repository_of(name_), name_.revision, options_.interrupt);
    const std::vector<RepoFile> files = files_to_get(repository_);
    const bool package = std::any_of(files.begin(), files.end(),
                                     [](const RepoFile& f) { return f.path == kManifestFile; });
    folder_ = store_.folder() / kDownloads / name_.folder();
    sweep();
    download_ = std::make_unique<Download>(
        hub_, repository_, files, folder_,
        DownloadOptions{options_.connections, 16u << 20, options_.interrupt,
                        package ? 0 : package_bytes(files)});
    check_config(files);
    if (package)
      take_package();
    else
      quantize_while_it_comes(files);
  }

 private:
  // About: what is made needs its room while the originals are still there.
  uint64_t package_bytes(const std::vector<RepoFile>& files) const {
    uint64_t weights = 0;
    for (const RepoFile& file : files)
      if (file.path.ends_with(".safetensors")) weights += file.bytes;
    return static_cast<uint64_t>(static_cast<double>(weights) * share_kept(options_.recipe));
  }
  void report(bool downloading, uint64_t done, uint64_t total) {
    const std::lock_guard lock(mutex_);
    if (options_.progress)
      options_.progress({downloading, done, total, download_->kept_bytes(), repository_.name});
  }
  // Bytes of the download; false once it is over.
  bool report_download() {
    const uint64_t done = download_->done_bytes(), total = download_->total_bytes();
    if (done >= total) return false;
    report(true, done, total);
    return true;
  }
  void wait_for(const std::string& file, uint64_t offset, uint64_t bytes) {
    download_->wait_for(file, offset, bytes, [this] { report_download(); });
  }

  // What isn't Phi-3 is refused before gigabytes have come.
  void check_config(const std::vector<RepoFile>& files) {
    for (const RepoFile& file : files)
      if (file.path.ends_with(".json") || file.path.ends_with(".jinja"))
        wait_for(file.path, 0, file.bytes);
    const fs::path config = folder_ / "config.json";
    try {
      parse_phi3_config(read_json(config), config.string());
    } catch (...) {
      download_.reset();
      std::error_code ignored;
      fs::remove_all(folder_, ignored);
      throw;
    }
  }

  // The table of contents at the begin of a safetensors file.
  void wait_for_header(const RepoFile& file) {
    wait_for(file.path, 0, std::min<uint64_t>(8, file.bytes));
    if (file.bytes < 8) return;
    const MappedFile mapped(folder_ / file.path);
    uint64_t length = 0;
    for (size_t i = 8; i-- > 0;) length = length << 8 | static_cast<uint64_t>(mapped.bytes()[i]);
    wait_for(file.path, 0, std::min(file.bytes, length > file.bytes ? file.bytes : 8 + length));
  }

  void quantize_while_it_comes(const std::vector<RepoFile>& files) {
    for (const RepoFile& file : files)
      if (file.path.ends_with(".safetensors")) wait_for_header(file);
    QuantizeOptions options;
    options.recipe = options_.recipe;
    options.threads = options_.threads;
    options.artefacts = options_.artefacts;
    options.repository = repository_.name;
    options.commit = repository_.commit;
    options.interrupt = options_.interrupt;
    options.need = [&](const fs::path& file, uint64_t offset, uint64_t bytes) {
      wait_for(file.lexically_relative(folder_).generic_string(), offset, bytes);
    };
    options.before_commit = [&] { download_->finish([this] { report_download(); }); };
    options.progress = [&](const Progress& p) {
      if (!report_download()) report(false, p.done_bytes, p.total_bytes);
    };
    quantize(folder_, store_.place(name_), options);
    download_.reset();
    std::error_code failed;
    if (options_.keep) {
      const fs::path original = store_.place(name_).parent_path() / kOriginal;
      fs::remove(folder_ / kDownloadState, failed);
      fs::remove_all(original, failed);
      fs::rename(folder_, original, failed);
      if (failed)
        throw_error(Code::kIo, "{}: can't be put in place: {}", original.string(),
                    failed.message());
    } else {
      fs::remove_all(folder_, failed);
    }
  }

  void take_package() {
    download_->finish([this] { report_download(); });
    download_.reset();
    const auto package = Package::open(folder_);
    const std::string tag = precision_name(package->stored()->recipe.precision);
    if (tag != name_.tag)
      throw_error(Code::kUnsupported, "{}: is a package of {}, it can't be made {}: pull '{}:{}'",
                  repository_.name, tag, name_.tag, name_.base, tag);
    std::error_code failed;
    fs::remove(folder_ / kDownloadState, failed);  // not before: what has come will do for the tag
    fs::create_directories(store_.place(name_).parent_path(), failed);
    fs::rename(folder_, store_.place(name_), failed);
    if (failed)
      throw_error(Code::kIo, "{}: can't be put in place: {}", store_.place(name_).string(),
                  failed.message());
  }

  // Half packages of processes that were killed: the lock says that nobody else is at it.
  void sweep() {
    const fs::path place = store_.place(name_);
    std::error_code failed;
    fs::create_directories(place.parent_path(), failed);
    for (fs::directory_iterator it(place.parent_path(), failed), end; !failed && it != end;
         it.increment(failed))
      if (it->path().filename().string().starts_with(place.filename().string() + ".partial-"))
        fs::remove_all(it->path(), failed);
  }

  const ModelStore& store_;
  const Hub& hub_;
  const ModelName& name_;
  const PullOptions& options_;
  Repository repository_;
  fs::path folder_;
  std::unique_ptr<Download> download_;
  std::mutex mutex_;
};

}  // namespace

Pulled pull(const ModelStore& store, const Hub& hub, const ModelName& name,
            const PullOptions& options) {
  ModelName whole = name;
  PullOptions asked = options;
  if (whole.tag.empty())
    whole.tag = precision_name(asked.recipe.precision);
  else
    asked.recipe.precision = precision_from_name(whole.tag);
  if (asked.recipe.precision == WeightPrecision::kInt8 &&
      options.recipe.precision != WeightPrecision::kInt8)
    asked.recipe.symmetric = false;  // int8's own default
  asked.recipe.check();
  repository_of(whole);  // an unknown name is said before anything is locked
  const FolderLock lock(store.folder() / kDownloads / (whole.folder() + ".lock"),
                        options.interrupt);
  if (auto found = store.find(whole)) return {*found, true};
  Pull(store, hub, whole, asked).run();
  return {*store.find(whole), false};
}

}  // namespace phial
