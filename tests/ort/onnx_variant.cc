// SPDX-License-Identifier: Apache-2.0
// Not a test by itself: writes a variant of a package's ONNX graph that no command makes, for
// onnx_test.py.
//
// usage: onnx_variant PACKAGE FILE [cpu|cuda|dml] [accuracy=N]
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/write_beside.h"
#include "export/ort_genai/ort_genai.h"
#include "package/package.h"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  try {
    phial::OnnxModelOptions options;
    for (int i = 3; i < argc; ++i) {
      const std::string word = argv[i];
      if (word.starts_with("accuracy="))
        options.accuracy_level = std::atoi(word.c_str() + 9);
      else
        options.provider = phial::onnx_provider_from_name(word);
    }
    const auto package = phial::Package::open(argv[1]);
    const phial::StoredWeights& stored = *package->stored();
    const phial::PackageParts parts{package->folder(), package->config(), stored.recipe,
                                    stored.tensors,    stored.file,       stored.graph_constants};
    phial::write_file_atomically(argv[2], phial::onnx_model(parts, options));
  } catch (const phial::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
