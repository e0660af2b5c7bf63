// SPDX-License-Identifier: Apache-2.0
#include "export/onnx_reader.h"

#include <cstring>
#include <stdexcept>

namespace phial {
namespace {

struct Field {
  int number = 0, type = 0;
  uint64_t integer = 0;    // a varint, or the bits of a fixed one
  std::string_view bytes;  // length-delimited
};

class Fields {
 public:
  explicit Fields(std::string_view text) : text_(text) {}

  bool next(Field& field) {
    if (text_.empty()) return false;
    const uint64_t tag = varint();
    field = {static_cast<int>(tag >> 3), static_cast<int>(tag & 7), 0, {}};
    if (field.type == 0) {
      field.integer = varint();
    } else if (field.type == 2) {
      field.bytes = take(varint());
    } else if (field.type == 5 || field.type == 1) {
      const std::string_view fixed = take(field.type == 5 ? 4 : 8);
      std::memcpy(&field.integer, fixed.data(), fixed.size());
    } else {
      throw std::runtime_error("protobuf: unknown wire type");
    }
    return true;
  }

 private:
  std::string_view take(uint64_t n) {
    if (n > text_.size()) throw std::runtime_error("protobuf: a field ends behind its message");
    const std::string_view piece = text_.substr(0, n);
    text_.remove_prefix(n);
    return piece;
  }

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error("protobuf: a varint without an end");
  }

  std::string_view text_;
};

template <class Body>
void each(std::string_view message, Body&& body) {
  Fields fields(message);
  for (Field f; fields.next(f);) body(f);
}

void add_integers(const Field& f, std::vector<int64_t>& to) {  // packed or one by one
  if (f.type == 0) {
    to.push_back(static_cast<int64_t>(f.integer));
    return;
  }
  for (std::string_view rest = f.bytes; !rest.empty();) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(rest[0]);
      rest.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    to.push_back(static_cast<int64_t>(value));
  }
}

OnnxReadGraph read_graph(std::string_view bytes);

void read_attribute(std::string_view bytes, OnnxReadNode& node) {
  std::string name;
  each(bytes, [&](const Field& f) {
    if (f.number == 1) name = f.bytes;
  });
  each(bytes, [&](const Field& f) {
    if (f.number == 2) {
      const auto bits = static_cast<uint32_t>(f.integer);
      std::memcpy(&node.reals[name], &bits, 4);
    }
    if (f.number == 3) node.integers[name] = static_cast<int64_t>(f.integer);
    if (f.number == 6) node.graphs[name] = std::make_shared<OnnxReadGraph>(read_graph(f.bytes));
  });
}

OnnxReadNode read_node(std::string_view bytes) {
  OnnxReadNode node;
  each(bytes, [&](const Field& f) {
    if (f.number == 1) node.inputs.emplace_back(f.bytes);
    if (f.number == 2) node.outputs.emplace_back(f.bytes);
    if (f.number == 3) node.name = f.bytes;
    if (f.number == 4) node.op = f.bytes;
    if (f.number == 5) read_attribute(f.bytes, node);
    if (f.number == 7) node.domain = f.bytes;
  });
  return node;
}

void read_tensor(std::string_view bytes, std::map<std::string, OnnxReadTensor>& to) {
  OnnxReadTensor tensor;
  std::string name;
  each(bytes, [&](const Field& f) {
    if (f.number == 1) add_integers(f, tensor.dims);
    if (f.number == 2) tensor.type = static_cast<int64_t>(f.integer);
    if (f.number == 8) name = f.bytes;
    if (f.number == 9) tensor.raw = f.bytes;
    if (f.number == 13) {
      std::string key, value;
      each(f.bytes, [&](const Field& g) { (g.number == 1 ? key : value) = g.bytes; });
      tensor.external[key] = value;
    }
  });
  if (!to.emplace(name, tensor).second) throw std::runtime_error("constant twice: " + name);
}

void read_value(std::string_view bytes, std::map<std::string, OnnxReadValue>& to) {
  OnnxReadValue value;
  std::string name;
  each(bytes, [&](const Field& f) {
    if (f.number == 1) name = f.bytes;
    if (f.number != 2) return;
    each(f.bytes, [&](const Field& type) {  // TypeProto: tensor_type
      each(type.bytes, [&](const Field& t) {
        if (t.number == 1) value.type = static_cast<int64_t>(t.integer);
        if (t.number != 2) return;
        each(t.bytes, [&](const Field& dim) {
          each(dim.bytes, [&](const Field& d) {
            value.dims.push_back(d.number == 1 ? std::to_string(d.integer) : std::string(d.bytes));
          });
        });
      });
    });
  });
  to[name] = value;
}

OnnxReadGraph read_graph(std::string_view bytes) {
  OnnxReadGraph graph;
  each(bytes, [&](const Field& f) {
    if (f.number == 1) graph.nodes.push_back(read_node(f.bytes));
    if (f.number == 5) read_tensor(f.bytes, graph.constants);
    if (f.number == 11) read_value(f.bytes, graph.inputs);
    if (f.number == 12) read_value(f.bytes, graph.outputs);
  });
  return graph;
}

}  // namespace

uint64_t OnnxReadTensor::bytes() const {
  const std::map<int64_t, uint64_t> sizes = {{1, 4}, {2, 1}, {6, 4}, {7, 8}, {10, 2}};
  uint64_t n = sizes.at(type);
  for (int64_t d : dims) n *= static_cast<uint64_t>(d);
  return n;
}

std::vector<const OnnxReadNode*> OnnxReadGraph::of_op(std::string_view op) const {
  std::vector<const OnnxReadNode*> found;
  for (const OnnxReadNode& n : nodes)
    if (n.op == op) found.push_back(&n);
  return found;
}

OnnxReadModel read_onnx(std::string_view bytes) {
  OnnxReadModel model;
  each(bytes, [&](const Field& f) {
    if (f.number == 1) model.ir_version = static_cast<int64_t>(f.integer);
    if (f.number == 7) model.graph = read_graph(f.bytes);
    if (f.number != 8) return;
    std::string domain;
    int64_t version = 0;
    each(f.bytes, [&](const Field& o) {
      if (o.number == 1)
        domain = o.bytes;
      else
        version = static_cast<int64_t>(o.integer);
    });
    model.opsets[domain] = version;
  });
  return model;
}

}  // namespace phial
