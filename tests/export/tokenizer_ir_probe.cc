// SPDX-License-Identifier: Apache-2.0
// Writes the tokenizer IRs of a folder, for tests/openvino/tokenizer_ir_test.py:
// `tokenizer_ir_probe FOLDER OUT`.
#include <fstream>
#include <iostream>

#include "export/openvino_ir/tokenizer_ir.h"

namespace phial {
namespace {

void write(const fs::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out << bytes;
  if (!out.flush()) throw std::runtime_error(path.string() + ": can't be written");
}

void run(const fs::path& folder, const fs::path& out) {
  const TokenizerIr ir = make_tokenizer_ir(folder);
  fs::create_directories(out);
  write(out / "openvino_tokenizer.xml", ir.tokenizer_xml);
  write(out / "openvino_tokenizer.bin", ir.tokenizer_bin);
  write(out / "openvino_detokenizer.xml", ir.detokenizer_xml);
  write(out / "openvino_detokenizer.bin", ir.detokenizer_bin);
}

}  // namespace
}  // namespace phial

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    phial::run(argv[1], argv[2]);
  } catch (const std::exception& e) {
    std::cerr << "tokenizer_ir_probe: " << e.what() << "\n";
    return 1;
  }
}
