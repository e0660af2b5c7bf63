// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/tokenizer_ir.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/write_beside.h"
#include "export/openvino_ir/tokenizer_graph.h"
#include "text/byte_alphabet.h"

namespace phial {
namespace {

// openvino_genai takes a tokenizer without this key for one from before 2024.5 and then leaves its
// switches alone. The value says whose operations these are.
constexpr const char* kOperationsOf = "2026.4";

std::string attribute(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
      case '\r':
      case '\t':
        out += fmt::format("&#{};", static_cast<int>(c));
        break;
      default:
        out += c;
    }
  }
  return out;
}

// XML 1.0 has no way to write other control characters.
bool fits_xml(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<uint8_t>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t';
  });
}

std::string runtime_info(const Tokenizer& tokenizer, const SideFiles& files,
                         const EncodeRules& rules) {
  std::string info;
  auto add = [&](const char* key, std::string_view value) {
    info += fmt::format("\t\t<{} value=\"{}\" />\n", key, attribute(value));
  };
  auto add_id = [&](const char* key, const std::string& token) {
    if (const auto id = tokenizer.token_to_id(token)) add(key, std::to_string(*id));
  };
  add_id("bos_token_id", files.bos_token);
  // The template is in its own file too, which openvino_genai reads first.
  if (!files.chat_template.empty() && fits_xml(files.chat_template))
    add("chat_template", files.chat_template);
  add_id("eos_token_id", files.eos_token);
  add("openvino_tokenizers_version", kOperationsOf);
  add("pad_token_id", std::to_string(rules.pad));
  add("phial_version", PHIAL_VERSION);
  return info;
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TokenizerIr make_tokenizer_ir(std::string_view tokenizer_json, const SideFiles& files,
                              const std::string& where) {
  const auto tokenizer = Tokenizer::parse(tokenizer_json, where);  // refuses what nobody can read
  TokenizerSpec spec = read_tokenizer_json(tokenizer_json, where);
  const EncodeRules encode = read_encode_rules(spec, *tokenizer, files, where);
  const DecodeRules decode = read_decode_rules(spec, where);
  if (encode.byte_level != decode.byte_level)
    throw_error(Code::kUnsupported, "{}: only one of pre_tokenizer and decoder is ByteLevel",
                where);
  const BpeTables tables = make_bpe_tables(spec, encode.byte_level, encode.added, where);
  const std::string info = runtime_info(*tokenizer, files, encode);

  TokenizerIr ir;
  IrConstants constants;
  IrGraph graph(constants);
  build_tokenizer(graph, encode, tables);
  graph.finish();
  ir.tokenizer_xml = graph.xml(info, "tokenizer");
  ir.tokenizer_bin = text_of(constants.collected());

  std::vector<std::string> tokens;
  std::vector<int32_t> skipped;
  for (TokenId id = 0; id < tokenizer->vocab_size(); ++id) {
    const std::string_view token = tokenizer->id_to_token(id);
    tokens.push_back(decode.byte_level ? from_byte_alphabet(token) : std::string(token));
    if (tokenizer->is_special(id)) skipped.push_back(id);
  }
  IrConstants text_constants;
  IrGraph text_graph(text_constants);
  build_detokenizer(text_graph, decode, tokens, skipped, where);
  text_graph.finish();
  ir.detokenizer_xml = text_graph.xml(info, "detokenizer");
  ir.detokenizer_bin = text_of(text_constants.collected());
  return ir;
}

TokenizerIr make_tokenizer_ir(const fs::path& folder) {
  const fs::path path = folder / "tokenizer.json";
  return make_tokenizer_ir(read_file(path), read_side_files(folder), path.string());
}

std::string why_no_tokenizer_ir(const fs::path& folder) {
  try {
    make_tokenizer_ir(folder);
    return "";
  } catch (const Error& error) {
    if (error.code() != Code::kUnsupported && error.code() != Code::kNotFound) throw;
    return error.what();
  }
}

ArtefactMaker tokenizer_artefact() {
  auto write = [](const PackageParts& parts) -> std::vector<std::string> {
    TokenizerIr ir;
    try {
      ir = make_tokenizer_ir(parts.folder);
    } catch (const Error& error) {
      if (error.code() != Code::kUnsupported && error.code() != Code::kNotFound) throw;
      return {};
    }
    const std::pair<const char*, const std::string*> files[] = {
        {"openvino_tokenizer.bin", &ir.tokenizer_bin},
        {"openvino_tokenizer.xml", &ir.tokenizer_xml},
        {"openvino_detokenizer.bin", &ir.detokenizer_bin},
        {"openvino_detokenizer.xml", &ir.detokenizer_xml}};
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files) {
      write_file_atomically(parts.folder / name, *bytes);
      names.emplace_back(name);
    }
    return names;
  };
  return {"openvino-tokenizer", nullptr, write};
}

}  // namespace phial
