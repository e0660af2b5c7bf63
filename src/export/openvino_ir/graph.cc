// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/graph.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "base/error.h"

namespace phial {
namespace {

struct TypeNames {
  const char *name, *precision;  // in attributes, on ports
};
constexpr TypeNames kTypes[] = {{"boolean", "BOOL"}, {"i32", "I32"},      {"i64", "I64"},
                                {"u4", "U4"},        {"u8", "U8"},        {"f16", "FP16"},
                                {"f32", "FP32"},     {"string", "STRING"}};

const TypeNames& names_of(IrType type) { return kTypes[static_cast<size_t>(type)]; }

constexpr uint64_t bits_of(IrType type) {
  constexpr uint64_t kBits[] = {8, 32, 64, 4, 8, 16, 32, 0};
  return kBits[static_cast<size_t>(type)];
}

uint64_t bytes_of(IrType type, const IrDims& dims) {
  uint64_t n = 1;
  for (int64_t d : dims) n *= static_cast<uint64_t>(d);
  return (n * bits_of(type) + 7) / 8;
}

std::string shape_text(const IrDims& dims, const char* separator) {
  std::string text;
  for (int64_t d : dims) {
    if (!text.empty()) text += separator;
    text += d < 0 ? "?" : std::to_string(d);
  }
  return text;
}

IrAttributes constant_attributes(IrType type, const IrDims& dims, uint64_t offset, uint64_t bytes) {
  return {{"element_type", names_of(type).name},
          {"shape", shape_text(dims, ", ")},
          {"offset", std::to_string(offset)},
          {"size", std::to_string(bytes)}};
}

void add_port(std::string& xml, int32_t id, IrType type, const IrDims& dims,
              const std::string& names) {
  auto out = std::back_inserter(xml);
  fmt::format_to(out, "\t\t\t\t<port id=\"{}\" precision=\"{}\"", id, names_of(type).precision);
  if (!names.empty()) fmt::format_to(out, " names=\"{}\"", names);
  if (dims.empty()) {
    xml += " />\n";
    return;
  }
  xml += ">\n";
  for (int64_t d : dims) fmt::format_to(out, "\t\t\t\t\t<dim>{}</dim>\n", d);
  xml += "\t\t\t\t</port>\n";
}

}  // namespace

const char* ir_type_name(IrType type) { return names_of(type).name; }

IrValue IrGraph::parameter(const std::string& name, IrType type, IrDims dims) {
  const std::string shape = shape_text(dims, ",");
  return node("Parameter", "opset1", name,
              {{"shape", shape}, {"element_type", names_of(type).name}}, {},
              {type, std::move(dims), name});
}

void IrGraph::result(const std::string& name, const IrValue& value) {
  std::string& names =
      layers_[static_cast<size_t>(value.layer)].outputs[static_cast<size_t>(value.port)].names;
  if (!names.empty()) names += ",";
  names += name;
  node("Result", "opset1", fmt::format("{}/sink", name), {}, {value}, std::vector<IrOutput>{});
}

IrValue IrGraph::constant(IrType type, IrDims dims, std::span<const std::byte> bytes,
                          const std::string& name) {
  PHIAL_ASSERT(bytes.size() == bytes_of(type, dims));
  const IrValue value = node("Const", "opset1", name, {}, {}, {type, std::move(dims), ""});
  layers_.back().bytes.assign(bytes.begin(), bytes.end());
  return value;
}

IrValue IrGraph::stored(const std::string& name, IrType type, IrDims dims, const Extent& extent) {
  PHIAL_ASSERT(extent.bytes == bytes_of(type, dims));
  const IrAttributes attributes = constant_attributes(type, dims, extent.offset, extent.bytes);
  return node("Const", "opset1", name, attributes, {}, {type, std::move(dims), ""});
}

IrValue IrGraph::node(const char* type, const char* version, const std::string& name,
                      const IrAttributes& attributes, const std::vector<IrValue>& inputs,
                      const IrOutput& output) {
  return node(type, version, name, attributes, inputs, std::vector<IrOutput>{output}).front();
}

std::vector<IrValue> IrGraph::node(const char* type, const char* version, const std::string& name,
                                   const IrAttributes& attributes,
                                   const std::vector<IrValue>& inputs,
                                   const std::vector<IrOutput>& outputs) {
  const int32_t id = static_cast<int32_t>(layers_.size());
  std::vector<IrValue> values;
  for (size_t i = 0; i < outputs.size(); ++i)
    values.push_back({id, static_cast<int32_t>(i), outputs[i].type, outputs[i].dims});
  layers_.push_back({type, version, name, attributes, inputs, outputs, false, {}});
  return values;
}

// Parameters as they were made, then each layer behind its inputs, as the layers without readers
// (results, and what writes a state) reach them.
std::vector<int32_t> IrGraph::order_of_use() const {
  const size_t n = layers_.size();
  std::vector<bool> is_read(n), is_listed(n);
  for (const Layer& layer : layers_)
    for (const IrValue& input : layer.inputs) is_read[static_cast<size_t>(input.layer)] = true;
  std::vector<int32_t> order;
  const auto list = [&](int32_t id) {
    is_listed[static_cast<size_t>(id)] = true;
    order.push_back(id);
  };
  for (size_t id = 0; id < n; ++id)
    if (std::string_view(layers_[id].type) == "Parameter") list(static_cast<int32_t>(id));
  std::vector<std::pair<int32_t, size_t>> path;  // layers, and which input is next
  for (size_t sink = 0; sink < n; ++sink) {
    if (is_read[sink] || is_listed[sink]) continue;
    path.push_back({static_cast<int32_t>(sink), 0});
    while (!path.empty()) {
      auto& [id, next] = path.back();
      const std::vector<IrValue>& inputs = layers_[static_cast<size_t>(id)].inputs;
      if (next == inputs.size()) {
        if (!is_listed[static_cast<size_t>(id)]) list(id);
        path.pop_back();
      } else if (const int32_t input = inputs[next++].layer;
                 !is_listed[static_cast<size_t>(input)]) {
        path.push_back({input, 0});
      }
    }
  }
  PHIAL_ASSERT(order.size() == n);
  return order;
}

void IrGraph::finish() {
  const std::vector<int32_t> order = order_of_use();
  std::vector<int32_t> new_id(order.size());
  for (size_t i = 0; i < order.size(); ++i)
    new_id[static_cast<size_t>(order[i])] = static_cast<int32_t>(i);
  std::vector<Layer> layers;
  layers.reserve(order.size());
  for (const int32_t id : order) {
    Layer& layer = layers.emplace_back(std::move(layers_[static_cast<size_t>(id)]));
    for (IrValue& input : layer.inputs) input.layer = new_id[static_cast<size_t>(input.layer)];
    if (layer.name.empty()) layer.name = fmt::format("{}_{}", layer.type, layers.size() - 1);
    if (layer.attributes.empty() && std::string_view(layer.type) == "Const") {
      const IrOutput& out = layer.outputs.front();
      layer.attributes = constant_attributes(out.type, out.dims, constants_.place(layer.bytes),
                                             layer.bytes.size());
      layer.bytes = {};
    }
  }
  layers_ = std::move(layers);
}

void IrGraph::mark_decompression(const IrValue& value) {
  layers_[static_cast<size_t>(value.layer)].decompression = true;
}

std::string IrGraph::xml(const std::string& runtime_info, const char* name) const {
  std::string xml;
  auto out = std::back_inserter(xml);
  fmt::format_to(out, "<?xml version=\"1.0\"?>\n<net name=\"{}\" version=\"11\">\n\t<layers>\n",
                 name);
  for (size_t id = 0; id < layers_.size(); ++id) {
    const Layer& layer = layers_[id];
    fmt::format_to(out, "\t\t<layer id=\"{}\" name=\"{}\" type=\"{}\" version=\"{}\">\n", id,
                   layer.name, layer.type, layer.version);
    if (!layer.attributes.empty()) {
      xml += "\t\t\t<data";
      for (const auto& [key, value] : layer.attributes)
        fmt::format_to(out, " {}=\"{}\"", key, value);
      xml += " />\n";
    }
    if (layer.decompression)
      xml +=
          "\t\t\t<rt_info>\n\t\t\t\t<attribute name=\"decompression\" version=\"0\" />\n"
          "\t\t\t</rt_info>\n";
    int32_t port = 0;  // inputs first, then outputs
    if (!layer.inputs.empty()) {
      xml += "\t\t\t<input>\n";
      for (const IrValue& v : layer.inputs) add_port(xml, port++, v.type, v.dims, "");
      xml += "\t\t\t</input>\n";
    }
    if (!layer.outputs.empty()) {
      xml += "\t\t\t<output>\n";
      for (const IrOutput& o : layer.outputs) add_port(xml, port++, o.type, o.dims, o.names);
      xml += "\t\t\t</output>\n";
    }
    xml += "\t\t</layer>\n";
  }
  xml += "\t</layers>\n\t<edges>\n";
  for (size_t id = 0; id < layers_.size(); ++id) {
    const std::vector<IrValue>& inputs = layers_[id].inputs;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Layer& from = layers_[static_cast<size_t>(inputs[i].layer)];
      fmt::format_to(
          out, "\t\t<edge from-layer=\"{}\" from-port=\"{}\" to-layer=\"{}\" to-port=\"{}\" />\n",
          inputs[i].layer, from.inputs.size() + static_cast<size_t>(inputs[i].port), id, i);
    }
  }
  xml += "\t</edges>\n\t<rt_info>\n" + runtime_info + "\t</rt_info>\n</net>\n";
  return xml;
}

}  // namespace phial
