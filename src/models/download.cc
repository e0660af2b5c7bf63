// SPDX-License-Identifier: Apache-2.0
// The order of the parts: small files, the first part of each large one (its table of contents),
// then the rest from front to back. The state (which parts are there) is one small file, written
// anew after each part.
#include "models/download.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/write_beside.h"
#include "models/git_blob.h"
#include "package/sha256.h"

namespace phial {
namespace {

constexpr auto kGlance = std::chrono::milliseconds(50);

}  // namespace

struct Download::File {
  RepoFile about;
  fs::path path;
  std::unique_ptr<FileWriter> writer;
  std::string there;  // '1' for each part that is there
  bool verified = false;

  // Checksum so far, of the parts in order.
  std::mutex hashing;
  Sha256 hash;
  size_t hashed = 0;

  uint64_t begin(size_t part, uint64_t part_bytes) const { return part * part_bytes; }
  uint64_t end(size_t part, uint64_t part_bytes) const {
    return std::min(about.bytes, (part + 1) * part_bytes);
  }
  bool complete() const { return there.find('0') == std::string::npos; }
  std::string identity() const { return about.sha256.empty() ? about.blob : about.sha256; }
};

Download::Download(const Hub& hub, const Repository& repository, const std::vector<RepoFile>& files,
                   const fs::path& folder, const DownloadOptions& options)
    : hub_(hub), repository_(repository), folder_(folder), options_(options) {
  std::error_code failed;
  fs::create_directories(folder_, failed);
  if (failed) throw_error(Code::kIo, "{}: can't be made: {}", folder_.string(), failed.message());
  open_files(files);
  load_state();
  uint64_t missing = 0;
  for (size_t f = files_.size(); f-- > 0;)
    for (size_t i = files_[f]->there.size(); i-- > 0;) {
      const uint64_t bytes =
          files_[f]->end(i, options_.part_bytes) - files_[f]->begin(i, options_.part_bytes);
      if (files_[f]->there[i] == '1')
        kept_ += bytes;
      else
        queue_.push_back({f, i}), missing += bytes;
    }
  std::stable_partition(queue_.begin(), queue_.end(),
                        [](const Part& part) { return part.index != 0; });
  done_ = kept_;
  const fs::space_info space = fs::space(folder_, failed);
  const uint64_t needed = missing + options_.room_beyond;
  if (!failed && space.available < needed)
    throw_error(Code::kIo, "{}: the disk has {} MB free, {}{} needs {} MB more", folder_.string(),
                space.available / 1000000, repository_.name,
                options_.room_beyond ? " and the package made of it" : "",
                (needed + 999999) / 1000000);
  for (const auto& file : files_) {  // the size, without the bytes
    file->writer = std::make_unique<FileWriter>(file->path, FileWriter::Existing::kKeep);
    fs::resize_file(file->path, file->about.bytes, failed);
    if (failed)
      throw_error(Code::kIo, "{}: can't be written: {}", file->path.string(), failed.message());
  }
  unverified_ = files_.size();
  for (int i = 0; i < std::max(1, options_.connections); ++i)
    threads_.emplace_back([this] { work(); });
}

Download::~Download() {
  stop_ = true;
  changed_.notify_all();
  threads_.clear();  // joins
}

void Download::open_files(const std::vector<RepoFile>& files) {
  for (const RepoFile& about : files) {
    auto file = std::make_unique<File>();
    file->about = about;
    file->path = folder_ / about.path;
    std::error_code failed;
    fs::create_directories(file->path.parent_path(), failed);
    file->there.assign((about.bytes + options_.part_bytes - 1) / options_.part_bytes, '0');
    total_ += about.bytes;
    files_.push_back(std::move(file));
  }
  // The small ones first.
  std::stable_sort(files_.begin(), files_.end(), [this](const auto& a, const auto& b) {
    return (a->about.bytes > options_.part_bytes) < (b->about.bytes > options_.part_bytes);
  });
}

// What an earlier try has left counts if it was the same content in the same parts.
void Download::load_state() {
  std::string text;
  try {
    if (!read_file_if_there(folder_ / kDownloadState, text, 16u << 20)) return;
    const Json state = parse_json(text, kDownloadState);
    if (state.value("part_bytes", uint64_t{0}) != options_.part_bytes) return;
    for (const auto& file : files_) {
      if (!state["files"].contains(file->about.path)) continue;
      const Json& was = state["files"][file->about.path];
      std::error_code failed;
      const std::string there = was.value("there", "");
      if (file->identity().empty() || was.value("identity", "") != file->identity() ||
          there.size() != file->there.size() ||
          fs::file_size(file->path, failed) != file->about.bytes || failed)
        continue;
      for (size_t i = 0; i < there.size(); ++i) file->there[i] = there[i] == '1' ? '1' : '0';
    }
  } catch (const std::exception&) {  // damaged: everything anew
    for (const auto& file : files_) std::fill(file->there.begin(), file->there.end(), '0');
  }
}

void Download::save_state() {
  Json files = Json::object();
  for (const auto& file : files_)
    files[file->about.path] = {{"identity", file->identity()}, {"there", file->there}};
  write_file_atomically(
      folder_ / kDownloadState,
      Json{{"commit", repository_.commit}, {"part_bytes", options_.part_bytes}, {"files", files}}
          .dump(1));
}

bool Download::next(Part& part) {
  const std::lock_guard lock(mutex_);
  if (queue_.empty() || error_ || stop_) return false;
  part = queue_.back();
  queue_.pop_back();
  return true;
}

void Download::work() {
  try {
    Http http;
    for (Part part; next(part);) {
      fetch(http, part);
      if (stop_) return;
    }
    // Files that were complete from the start, and those whose last part another thread brought.
    for (const auto& file : files_) verify(*file, true);
  } catch (...) {
    fail(std::current_exception());
  }
}

void Download::fetch(Http& http, const Part& part) {
  File& file = *files_[part.file];
  const uint64_t begin = file.begin(part.index, options_.part_bytes),
                 end = file.end(part.index, options_.part_bytes);
  uint64_t at = begin;  // a part that breaks off goes on from here
  HttpRequest request;
  request.url = file_url(hub_, repository_, file.about.path);
  request.token = hub_.token;
  request.interrupt = [this] {
    return stop_.load() || (options_.interrupt && options_.interrupt());
  };
  uint64_t skip = 0;
  request.body = [&](int status, std::span<const std::byte> bytes) {
    if (status == 200 && skip > 0) {  // a server without ranges sends the file from its beginning
      const uint64_t n = std::min<uint64_t>(skip, bytes.size());
      skip -= n;
      bytes = bytes.subspan(n);
    }
    bytes = bytes.first(std::min<uint64_t>(bytes.size(), end - at));
    file.writer->write_at(at, bytes);
    at += bytes.size();
    done_ += bytes.size();
    return at < end;
  };
  for (int tries = 0; at < end;) {
    const uint64_t before = at;
    skip = at;
    request.range = std::pair(at, end - 1);
    HttpReply reply;
    std::exception_ptr thrown;  // a full disk; not through libcurl
    const auto body = request.body;
    HttpRequest guarded = request;
    guarded.body = [&](int status, std::span<const std::byte> bytes) {
      try {
        return body(status, bytes);
      } catch (...) {
        thrown = std::current_exception();
        return false;
      }
    };
    reply = http.get(guarded);
    if (thrown) std::rethrow_exception(thrown);
    if (at >= end) break;
    if (reply.interrupted) {
      if (stop_) return;
      throw_error(Code::kCancelled,
                  "pulling {} was cancelled; what has come is kept, the next pull goes on",
                  repository_.name);
    }
    if (at > before) tries = 0;
    const bool short_reply = reply.complete() && (reply.status == 200 || reply.status == 206);
    if ((short_reply || may_pass(reply)) && tries < kMostTries) {
      if (!pause(tries++, reply, request.interrupt)) continue;  // the next get says interrupted
      continue;
    }
    if (short_reply)
      throw_error(Code::kCorrupt, "{}: {} has {} bytes less than the hub says", hub_.endpoint,
                  file.about.path, end - at);
    throw Error(may_pass(reply)                              ? Code::kIo
                : reply.status == 401 || reply.status == 403 ? Code::kUnsupported
                                                             : Code::kNotFound,
                fmt::format("{} ({})", explain(hub_, repository_.name, reply), file.about.path));
  }
  part_done(part);
}

void Download::part_done(const Part& part) {
  File& file = *files_[part.file];
  {
    const std::lock_guard lock(mutex_);
    file.there[part.index] = '1';
    save_state();
  }
  changed_.notify_all();
  verify(file, false);
}

// Adds to the checksum what is there in order; at the end compares. While one thread does it for a
// file, others leave it alone, unless they must be sure (`wait`).
void Download::verify(File& file, bool wait) {
  std::unique_lock lock(file.hashing, std::defer_lock);
  if (wait)
    lock.lock();
  else if (!lock.try_lock())
    return;
  if (file.verified) return;
  for (;;) {
    {
      const std::lock_guard state(mutex_);
      if (file.hashed < file.there.size() && file.there[file.hashed] == '0') return;
    }
    if (file.hashed == file.there.size()) break;
    if (!file.about.sha256.empty()) {
      const MappedFile mapped(file.path);
      const uint64_t begin = file.begin(file.hashed, options_.part_bytes),
                     end = file.end(file.hashed, options_.part_bytes);
      file.hash.add(mapped.bytes().subspan(begin, end - begin));
    }
    ++file.hashed;
    if (stop_) return;
  }
  std::string expected = file.about.sha256, found;
  if (!expected.empty())
    found = file.hash.hex();
  else if (!(expected = file.about.blob).empty())
    found = git_blob_name(MappedFile(file.path).bytes());
  if (found != expected) {
    {
      const std::lock_guard state(mutex_);
      std::fill(file.there.begin(), file.there.end(), '0');
      save_state();
    }
    throw_error(Code::kCorrupt,
                "{}: its checksum is wrong: found {}, expected {}; it was thrown away, pull again "
                "(a proxy between may change files)",
                file.about.path, found, expected);
  }
  const std::lock_guard state(mutex_);
  file.verified = true;
  --unverified_;
  changed_.notify_all();
}

void Download::fail(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = error;
  stop_ = true;
  changed_.notify_all();
}

void Download::wait_for(const std::string& name, uint64_t offset, uint64_t bytes,
                        const std::function<void()>& meanwhile) {
  const auto it = std::find_if(files_.begin(), files_.end(),
                               [&](const auto& f) { return f->about.path == name; });
  PHIAL_ASSERT(it != files_.end());
  const File& file = **it;
  const size_t first = offset / options_.part_bytes,
               last = bytes ? (offset + bytes - 1) / options_.part_bytes : first;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (error_) std::rethrow_exception(error_);
    bool there = true;
    for (size_t i = first; i <= last && i < file.there.size(); ++i) there &= file.there[i] == '1';
    if (there) return;
    glance(lock, meanwhile);
  }
}

void Download::finish(const std::function<void()>& meanwhile) {
  std::unique_lock lock(mutex_);
  while (unverified_ > 0) {
    if (error_) std::rethrow_exception(error_);
    glance(lock, meanwhile);
  }
}

void Download::glance(std::unique_lock<std::mutex>& lock, const std::function<void()>& meanwhile) {
  changed_.wait_for(lock, kGlance);
  if (!meanwhile) return;
  lock.unlock();
  meanwhile();
  lock.lock();
}

}  // namespace phial
