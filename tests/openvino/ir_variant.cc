// SPDX-License-Identifier: Apache-2.0
// Not a test by itself: writes a variant of a package's graph that no command makes, for
// ir_test.py.
//
// usage: ir_variant PACKAGE XML [last] [input|short|long] [stateless] [f16] [whole] [layers=N]
// [sequence=N] [past=N]
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/write_beside.h"
#include "export/openvino_ir/openvino_ir.h"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  phial::OpenVinoIrOptions options;
  for (int i = 3; i < argc; ++i) {
    const std::string word = argv[i], key = word.substr(0, word.find('='));
    const int value = key.size() < word.size() ? std::atoi(word.c_str() + key.size() + 1) : 0;
    if (key == "last") options.last_logits_only = true;
    if (key == "input") options.rope_factors = phial::RopeFactors::kByInput;
    if (key == "short") options.rope_factors = phial::RopeFactors::kShort;
    if (key == "long") options.rope_factors = phial::RopeFactors::kLong;
    if (key == "stateless") options.stateless = true;
    if (key == "f16") options.kv_f16 = true;
    if (key == "whole") options.whole_present = true;
    if (key == "layers") options.n_layers = value;
    if (key == "sequence") options.sequence = value;
    if (key == "past") options.past = value;
  }
  if (options.stateless) options.batch = 1;
  try {
    const auto package = phial::Package::open(argv[1]);
    phial::write_file_atomically(argv[2],
                                 phial::openvino_ir_xml(phial::openvino_parts(*package), options));
  } catch (const phial::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
