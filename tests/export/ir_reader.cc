// SPDX-License-Identifier: Apache-2.0
#include "export/ir_reader.h"

#include <stdexcept>

namespace phial {
namespace {

using Attributes = std::map<std::string, std::string>;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("IR: " + what); }

struct Reader {
  const std::string& text;
  size_t at = 0;
  IrFile file;
  std::vector<std::string> open;  // elements around the current place
  IrLayer* layer = nullptr;
  IrPort* port = nullptr;
  struct Edge {
    int from, from_port, to, to_port;
  };
  std::vector<Edge> edges;

  Attributes attributes(const std::string& tag, size_t i) {
    Attributes result;
    while (i < tag.size()) {
      if (tag[i] == ' ' || tag[i] == '/') {
        ++i;
        continue;
      }
      const size_t equal = tag.find("=\"", i), end = tag.find('"', equal + 2);
      if (equal == std::string::npos || end == std::string::npos) fail("attribute in <" + tag);
      if (!result.emplace(tag.substr(i, equal - i), tag.substr(equal + 2, end - equal - 2)).second)
        fail("attribute twice in <" + tag);
      i = end + 1;
    }
    return result;
  }

  static int number(const Attributes& a, const char* key) {
    const auto it = a.find(key);
    if (it == a.end()) fail(std::string("no ") + key);
    return std::stoi(it->second);
  }

  void begin(const std::string& name, const Attributes& a) {
    const std::string parent = open.empty() ? "" : open.back();
    if (name == "layer") {
      const int id = number(a, "id");
      auto [it, is_new] = file.layers.try_emplace(id);
      if (!is_new) fail("two layers " + std::to_string(id));
      layer = &it->second;
      layer->id = id;
      layer->name = a.at("name");
      layer->type = a.at("type");
      layer->version = a.at("version");
    } else if (name == "data") {
      layer->data = a;
    } else if (name == "port") {
      port = &(parent == "input" ? layer->inputs : layer->outputs)[number(a, "id")];
      port->precision = a.at("precision");
      if (a.count("names")) port->names = a.at("names");
    } else if (name == "edge") {
      edges.push_back({number(a, "from-layer"), number(a, "from-port"), number(a, "to-layer"),
                       number(a, "to-port")});
    } else if (name == "attribute" && a.count("name") && a.at("name") == "decompression") {
      layer->decompression = true;
    } else if (a.count("value") && open.size() > 1 && open[1] == "rt_info") {
      std::string path;
      for (size_t i = 2; i < open.size(); ++i) path += open[i] + "/";
      file.runtime_info[path + name] = a.at("value");
    }
  }

  void run() {
    bool seen_root = false;
    while (true) {
      const size_t open_at = text.find('<', at);
      const std::string between = text.substr(at, open_at - at);
      if (!open.empty() && open.back() == "dim") port->dims.push_back(std::stoll(between));
      if (open_at == std::string::npos) break;
      const size_t close_at = text.find('>', open_at);
      if (close_at == std::string::npos) fail("'<' without '>'");
      const std::string tag = text.substr(open_at + 1, close_at - open_at - 1);
      at = close_at + 1;
      if (tag[0] == '?') continue;
      if (tag[0] == '/') {
        if (open.empty() || open.back() != tag.substr(1)) fail("<" + tag + "> closes nothing");
        open.pop_back();
        continue;
      }
      const std::string name = tag.substr(0, tag.find_first_of(" /"));
      if (open.empty() && seen_root) fail("a second root");
      seen_root = true;
      begin(name, attributes(tag, name.size()));
      if (tag.back() != '/') open.push_back(name);
    }
    if (!open.empty()) fail("<" + open.back() + "> isn't closed");
    for (const Edge& e : edges) {
      const auto from = file.layers.find(e.from), to = file.layers.find(e.to);
      if (from == file.layers.end() || to == file.layers.end()) fail("an edge from or to nowhere");
      if (!from->second.outputs.count(e.from_port) || !to->second.inputs.count(e.to_port))
        fail("an edge without ports at layer " + to->second.name);
      if (!to->second.sources.emplace(e.to_port, std::pair(e.from, e.from_port)).second)
        fail("two edges into one port of " + to->second.name);
    }
    for (const auto& [id, l] : file.layers)
      if (l.sources.size() != l.inputs.size()) fail("an input of " + l.name + " has no edge");
  }
};

}  // namespace

std::vector<const IrLayer*> IrFile::of_type(const std::string& type) const {
  std::vector<const IrLayer*> found;
  for (const auto& [id, layer] : layers)
    if (layer.type == type) found.push_back(&layer);
  return found;
}

const IrLayer& IrFile::named(const std::string& name) const {
  const IrLayer* found = nullptr;
  for (const auto& [id, layer] : layers)
    if (layer.name == name) {
      if (found) fail("two layers '" + name + "'");
      found = &layer;
    }
  if (!found) fail("no layer '" + name + "'");
  return *found;
}

IrFile read_ir(const std::string& xml) {
  Reader reader{xml};
  reader.run();
  return std::move(reader.file);
}

}  // namespace phial
