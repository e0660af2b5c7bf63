// SPDX-License-Identifier: Apache-2.0
// All offsets are known before the first weight is read, so blocks of rows are quantized and
// written by whichever thread is free, in any order: reading, computing and writing overlap without
// queues.
#include "package/writer.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "base/write_beside.h"
#include "checkpoint/checkpoint.h"
#include "model/checkpoint_weights.h"
#include "package/layout.h"
#include "package/manifest.h"
#include "package/package.h"
#include "package/source_identity.h"
#include "quant/assign.h"

namespace phial {
namespace {

constexpr uint64_t kBlockBytes =
    4u << 20;  // of source a step: long enough to write well, short enough to share evenly

// True if `path` is `folder` or lies inside it.
bool is_within(const fs::path& path, const fs::path& folder) {
  auto plain = [](const fs::path& x) {  // without links, dots and a last slash
    std::error_code ignored;
    fs::path p = fs::weakly_canonical(fs::absolute(x, ignored), ignored);
    if (p.empty()) p = x.lexically_normal();
    return p.has_filename() ? p : p.parent_path();
  };
  const fs::path a = plain(path), b = plain(folder);
  return std::mismatch(b.begin(), b.end(), a.begin(), a.end()).first == b.end();
}

void check_places(const fs::path& source, const fs::path& destination, bool overwrite) {
  std::error_code ignored;
  if (fs::exists(source / kManifestFile, ignored))
    throw_error(Code::kInvalidArgument,
                "{}: is a package already; its weights can't be quantized again, start from the "
                "original checkpoint",
                source.string());
  if (is_within(destination, source))
    throw_error(Code::kInvalidArgument, "{}: lies inside the source {}; choose a folder elsewhere",
                destination.string(), source.string());
  if (is_within(source, destination))
    throw_error(Code::kInvalidArgument, "{}: contains the source {}; choose a folder elsewhere",
                destination.string(), source.string());
  const bool occupied =
      fs::exists(destination, ignored) &&
      !(fs::is_directory(destination, ignored) && fs::is_empty(destination, ignored));
  if (overwrite && occupied && !fs::exists(destination / kManifestFile, ignored))
    throw_error(
        Code::kInvalidArgument,
        "{}: exists and isn't a package, so it isn't overwritten; choose another name or remove it",
        destination.string());
}

// The source matrices with what is needed to walk over them: the thread pool, the caller's
// callbacks, and the files whose pages are given back behind us.
class Pass {
 public:
  Pass(const Checkpoint& checkpoint, const QuantizeOptions& options, uint64_t total)
      : checkpoint_(checkpoint), options_(options), pool_(options.threads), total_(total) {}

  int threads() const { return pool_.size(); }

  // body(first row, end row, thread) over blocks of `source`, in parallel.
  template <class Body>
  void rows(const WeightMatrix& source, const std::string& what, Body&& body) {
    const int64_t block =
        std::clamp<int64_t>(static_cast<int64_t>(kBlockBytes / source.row_bytes()), 1, source.rows);
    check_interrupt();  // the calling thread may be late for every block of a small matrix
    pool_.parallel_for((source.rows + block - 1) / block, [&](int64_t chunk, int thread) {
      if (thread == 0) check_interrupt();
      const int64_t begin = chunk * block, end = std::min(source.rows, begin + block);
      const std::byte* data = source.data + static_cast<uint64_t>(begin) * source.row_bytes();
      const uint64_t bytes = static_cast<uint64_t>(end - begin) * source.row_bytes();
      const MappedFile& file = file_of(data);
      const uint64_t at = static_cast<uint64_t>(data - file.data());
      if (options_.need) options_.need(file.path(), at, bytes);
      file.will_need(at + bytes, static_cast<uint64_t>(threads()) *
                                     kBlockBytes);  // what the next steps will read
      body(begin, end, thread);
      file.drop(at, bytes);
      done_ += bytes;
      if (thread == 0) report(what);
    });
    report(what);
  }

  void check_interrupt() const {
    if (options_.interrupt && options_.interrupt())
      throw_error(Code::kCancelled, "quantizing was cancelled; nothing was kept");
  }

  void report(const std::string& what) const {
    if (options_.progress) options_.progress({done_.load(), total_, what});
  }

 private:
  const MappedFile& file_of(const std::byte* data) const {
    for (const auto& file : checkpoint_.files()) {
      const MappedFile& mapped = file->file();
      if (data >= mapped.data() && data < mapped.data() + mapped.size()) return mapped;
    }
    throw_error(Code::kInternal, "internal error: a matrix of {} lies in none of its files",
                checkpoint_.folder().string());
  }

  const Checkpoint& checkpoint_;
  const QuantizeOptions& options_;
  ThreadPool pool_;
  std::atomic<uint64_t> done_{0};
  uint64_t total_;
};

uint64_t source_bytes(Phi3Weights& weights, const std::vector<TensorSpec>& specs) {
  uint64_t n = 0;
  for (const TensorSpec& spec : specs)
    if (!is_norm(spec.role)) n += weights.matrix(spec.role, spec.layer).data_bytes();
  return n;
}

// The first pass of a recipe with a ratio: what int8 would cost each matrix that the ratio counts.
std::vector<float> measure_errors(Pass& pass, Phi3Weights& weights,
                                  const std::vector<TensorSpec>& specs,
                                  const std::vector<size_t>& counted) {
  std::vector<float> errors;
  for (size_t i : counted) {
    const TensorSpec& spec = specs[i];
    const WeightMatrix& source = weights.matrix(spec.role, spec.layer);
    std::vector<float> worst(static_cast<size_t>(pass.threads()), 0.0f);
    pass.rows(source, "choosing 4-bit layers: " + spec.name,
              [&](int64_t begin, int64_t end, int thread) {
                float& w = worst[static_cast<size_t>(thread)];
                w = std::max(w, int8_row_error(source, begin, end));
              });
    errors.push_back(*std::max_element(worst.begin(), worst.end()));
  }
  return errors;
}

struct Buffers {
  std::vector<std::byte> data;
  std::vector<uint16_t> scales;
  std::vector<uint8_t> zero_points;
};

void write_matrix(Pass& pass, const WeightMatrix& source, const QuantAssignment& assignment,
                  const StoredTensor& stored, std::vector<Buffers>& buffers, FileWriter& file) {
  const uint64_t rows = static_cast<uint64_t>(source.rows);
  const uint64_t data_row = stored.data.bytes / rows, scale_row = stored.scales.bytes / rows,
                 zero_row = stored.zero_points.bytes / rows;
  pass.rows(source, stored.name, [&](int64_t begin, int64_t end, int thread) {
    Buffers& b = buffers[static_cast<size_t>(thread)];
    const uint64_t n = static_cast<uint64_t>(end - begin), first = static_cast<uint64_t>(begin);
    b.data.resize(n * data_row);
    b.scales.resize(n * scale_row / 2);
    b.zero_points.resize(n * zero_row);
    quant_rows(source, begin, end, assignment.scheme, stored.shape,
               {b.data.data(), b.scales.data(), b.zero_points.data()}, stored.name);
    file.write_at(stored.data.offset + first * data_row, b.data);
    file.write_at(stored.scales.offset + first * scale_row, std::as_bytes(std::span(b.scales)));
    file.write_at(stored.zero_points.offset + first * zero_row,
                  std::as_bytes(std::span(b.zero_points)));
  });
}

void check_space(const fs::path& folder, uint64_t bytes) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (!error && space.available < bytes)
    throw_error(Code::kIo, "{}: the disk has {} MB free, {} needs {} MB", folder.string(),
                space.available / 1000000, kWeightsFile, bytes / 1000000);
}

// Behind the weights in `file`, which ends at `end`; moves the end, which stays on a page.
Extent write_graph_constants(FileWriter& file, PackageParts parts,
                             const std::vector<ArtefactMaker>& makers, uint64_t& end) {
  const MappedFile written(parts.folder / kWeightsFile);
  parts.weights = written.bytes();
  std::vector<std::byte> block = collect_graph_constants(makers, parts);
  if (block.empty()) return {};
  const Extent extent{end, block.size()};
  block.resize((block.size() + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment);
  file.write_at(end, block);
  end += block.size();
  return extent;
}

void copy_side_files(const fs::path& source, const fs::path& folder) {
  for (const std::string& name : side_file_names(source)) {
    FileWriter file(folder / name);
    file.write(read_file(source / name));
    file.finish();
  }
}

}  // namespace

void quantize(const fs::path& source, const fs::path& destination, const QuantizeOptions& options) {
  options.recipe.check();
  check_places(source, destination, options.overwrite);
  const Checkpoint checkpoint(source);
  const Phi3Config config =
      parse_phi3_config(checkpoint.config(), (source / "config.json").string());
  Phi3Weights weights = weights_from_checkpoint(checkpoint, config);
  const std::vector<TensorSpec> specs = tensor_specs(config);
  const std::vector<size_t> counted =
      needs_errors(options.recipe) ? ratio_defining(specs, options.recipe) : std::vector<size_t>();

  uint64_t total = source_bytes(weights, specs);
  for (size_t i : counted) total += weights.matrix(specs[i].role, specs[i].layer).data_bytes();
  Pass pass(checkpoint, options, total);
  // Group sizes are checked, and the folder made, before the long first pass: what can fail fails
  // early.
  assign_schemes(specs, options.recipe, std::vector<float>(counted.size(), 0.0f));
  FolderBeside folder(destination, options.overwrite);
  const std::vector<QuantAssignment> assignments =
      assign_schemes(specs, options.recipe, measure_errors(pass, weights, specs, counted));

  uint64_t weights_bytes = 0;
  const std::vector<StoredTensor> stored = plan_layout(assignments, weights_bytes);
  check_space(folder.path(), weights_bytes);
  FileWriter file(folder.path() / kWeightsFile);
  std::vector<Buffers> buffers(static_cast<size_t>(pass.threads()));
  for (size_t i = 0; i < stored.size(); ++i)
    if (const StoredTensor& t = stored[i]; !is_norm(t.role))
      write_matrix(pass, weights.matrix(t.role, t.layer), assignments[i], t, buffers, file);
  if (options.need) {  // norms were copied when the source had only begun to arrive
    for (const auto& part : checkpoint.files())
      options.need(part->file().path(), 0, part->file().size());
    weights = weights_from_checkpoint(checkpoint, config);
  }
  for (const StoredTensor& t : stored)
    if (is_norm(t.role))
      file.write_at(t.data.offset, std::as_bytes(std::span(weights.norm(t.role, t.layer))));
  const uint64_t last = stored.back().zero_points.bytes
                            ? stored.back().zero_points.offset + stored.back().zero_points.bytes
                        : stored.back().scales.bytes
                            ? stored.back().scales.offset + stored.back().scales.bytes
                            : stored.back().data.offset + stored.back().data.bytes;
  file.write_at(
      last, std::vector<std::byte>(weights_bytes -
                                   last));  // the file ends on a page as its tensors begin on one
  pass.check_interrupt();
  const Extent constants =
      write_graph_constants(file, {folder.path(), config, options.recipe, stored, {}, {}},
                            options.artefacts, weights_bytes);
  pass.report("flushing to disk");
  file.finish();

  copy_side_files(source, folder.path());
  Json origin = describe_source(checkpoint);
  if (!options.repository.empty()) {
    origin["repository"] = options.repository;
    origin["commit"] = options.commit;
  }
  Json facts = make_manifest(origin, options.recipe, stored, weights_bytes);
  if (constants.bytes) set_graph_constants(facts, constants, weights_bytes);
  {  // a folder with a mapped file in it can't be renamed everywhere
    const MappedFile written(folder.path() / kWeightsFile);
    write_artefacts(options.artefacts,
                    {folder.path(), config, options.recipe, stored, written.bytes(), constants},
                    facts);
  }
  FileWriter manifest(folder.path() / kManifestFile);  // last: a folder without it is no package
  manifest.write(facts.dump(1) + "\n");
  manifest.finish();
  pass.check_interrupt();
  if (options.before_commit) options.before_commit();
  folder.commit();
}

}  // namespace phial
