// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/openvino_ir.h"

#include "base/error.h"
#include "base/write_beside.h"
#include "export/openvino_ir/model.h"
#include "export/openvino_ir/runtime_info.h"
#include "export/openvino_ir/tokenizer_ir.h"

namespace phial {
namespace {

constexpr const char* kModelFile = "openvino_model.xml";

void check(const OpenVinoIrOptions& options, const Phi3Config& config) {
  auto refuse = [](const std::string& why) { throw Error(Code::kInvalidArgument, why); };
  if (options.n_layers < 0 || options.n_layers > config.n_layers)
    refuse(fmt::format("{} layers asked for, the model has {}", options.n_layers, config.n_layers));
  if (!options.stateless && (options.kv_f16 || options.whole_present || options.past >= 0))
    refuse("kv_f16, whole_present and a static past need a stateless graph");
  if (options.batch == 0 || options.sequence == 0)
    refuse("batch and sequence are at least 1, or -1 for any");
}

std::vector<std::string> write_model(const PackageParts& parts) {
  write_file_atomically(parts.folder / kModelFile, openvino_ir_xml(parts));
  return {kModelFile};
}

}  // namespace

std::string openvino_ir_xml(const PackageParts& parts, const OpenVinoIrOptions& options) {
  check(options, parts.config);
  const Extent& block = parts.graph_constants;
  IrConstants constants(parts.weights.subspan(block.offset, block.bytes), block.offset);
  IrGraph graph(constants);
  build_model(graph, parts, options);
  graph.finish();
  return graph.xml(ir_runtime_info(parts.recipe));
}

std::vector<std::byte> openvino_graph_constants(const PackageParts& parts) {
  IrConstants constants;
  auto collect = [&](const OpenVinoIrOptions& options) {
    IrGraph graph(constants);
    build_model(graph, parts, options);
    graph.finish();
  };
  collect({});
  OpenVinoIrOptions options;
  options.n_layers = 1;
  options.last_logits_only = true;
  for (bool stateless : {false, true})
    for (RopeFactors factors : {RopeFactors::kByPositions, RopeFactors::kByInput,
                                RopeFactors::kShort, RopeFactors::kLong}) {
      options.stateless = stateless;
      options.rope_factors = factors;
      collect(options);
    }
  options.rope_factors = RopeFactors::kShort;  // static models
  options.batch = 1;
  options.sequence = 2;
  options.past = 2;
  collect(options);
  return constants.collected();
}

PackageParts openvino_parts(const Package& package) {
  const StoredWeights* stored = package.stored();
  if (!stored)
    throw_error(Code::kUnsupported,
                "{}: OpenVINO needs a package; make one with 'phial quantize' (an unquantized one "
                "with --weight-format fp16)",
                package.folder().empty() ? "synthetic weights" : package.folder().string());
  if (stored->graph_constants.bytes == 0)
    throw_error(Code::kUnsupported,
                "{}: the package has no graph constants for OpenVINO; add them with 'phial export "
                "{} --to openvino'",
                package.folder().string(), package.folder().string());
  return {package.folder(), package.config(), stored->recipe,
          stored->tensors,  stored->file,     stored->graph_constants};
}

std::vector<ArtefactMaker> openvino_artefacts() {
  return {{"openvino-ir", &openvino_graph_constants, &write_model}, tokenizer_artefact()};
}

}  // namespace phial
