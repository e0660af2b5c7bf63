// SPDX-License-Identifier: Apache-2.0
// The rules are those of the format's own reader: header of at most 100 MB, no name twice, and the
// tensors cover the data without holes, overlaps or a rest.
#include "checkpoint/safetensors.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>

#include "base/error.h"

namespace phial {
namespace {

// std::map inside: a header of a million names must not take quadratic time, as base's
// order-keeping Json would.
using Header = nlohmann::json;

constexpr uint64_t kMaxHeader = 100'000'000;  // the limit of the format's own reader
constexpr int kMaxDepth = 3;                  // object of entries, entry, its lists

// Types of the format that phial has no use for, with their size: their tensors are checked and set
// aside.
struct OtherType {
  std::string_view name;
  uint64_t bytes;
};
constexpr OtherType kOtherTypes[] = {{"BOOL", 1},    {"I16", 2}, {"U16", 2},     {"U32", 4},
                                     {"U64", 8},     {"F64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1},
                                     {"F8_E8M0", 1}, {"C64", 8}};

// Bytes of an element, 0 for a type that isn't known at all.
uint64_t type_bytes(std::string_view name) {
  if (auto known = dtype_from_name(name)) return dtype_bytes(*known);
  for (const OtherType& t : kOtherTypes)
    if (t.name == name) return t.bytes;
  return 0;
}

Header parse_header(std::string_view text, const std::string& path) {
  std::vector<std::set<std::string>> seen(kMaxDepth +
                                          2);  // keys of the object that is open at each depth
  auto check = [&](int depth, Header::parse_event_t event, Header& value) {
    if (depth > kMaxDepth)
      throw_error(Code::kCorrupt, "{}: the header nests deeper than {} levels", path, kMaxDepth);
    const size_t at = static_cast<size_t>(depth);
    if (event == Header::parse_event_t::object_start) seen[at + 1].clear();
    if (event == Header::parse_event_t::key && !seen[at].insert(value.get<std::string>()).second)
      throw_error(Code::kCorrupt, "{}: '{}' is twice in the header", path,
                  value.get<std::string>());
    return true;
  };
  try {
    return Header::parse(text.begin(), text.end(), check);
  } catch (const Header::exception& e) {
    throw_error(Code::kCorrupt, "{}: the header isn't valid JSON: {}", path, e.what());
  }
}

// For messages: what a hostile file says may be very long.
std::string shown(const Header& value) { return value.dump().substr(0, 80); }

struct Entry {
  std::string name, type;
  Shape shape;
  uint64_t begin = 0, end = 0;  // relative to the data
};

const Header& member(const Header& object, const char* key, const std::string& where) {
  auto it = object.find(key);
  if (it == object.end()) throw_error(Code::kCorrupt, "{} has no '{}' in the header", where, key);
  return *it;
}

uint64_t unsigned_number(const Header& value, const char* key, const std::string& where) {
  if (!value.is_number_unsigned())
    throw_error(Code::kCorrupt, "{}: '{}' has {}, expected integers of 0 or more", where, key,
                shown(value));
  return value.get<uint64_t>();
}

Entry parse_entry(const std::string& name, const Header& value, const std::string& path) {
  const std::string where = fmt::format("{}: tensor '{}'", path, name);
  if (!value.is_object())
    throw_error(Code::kCorrupt, "{} is a {} in the header, expected an object", where,
                value.type_name());
  Entry entry;
  entry.name = name;

  const Header& type = member(value, "dtype", where);
  if (!type.is_string())
    throw_error(Code::kCorrupt, "{}: 'dtype' is a {}, expected a name", where, type.type_name());
  entry.type = type.get<std::string>();

  const Header& shape = member(value, "shape", where);
  if (!shape.is_array())
    throw_error(Code::kCorrupt, "{}: 'shape' is a {}, expected a list", where, shape.type_name());
  uint64_t bytes = type_bytes(entry.type);
  int64_t elements = 1;
  for (const Header& dim : shape) {
    const uint64_t n = unsigned_number(dim, "shape", where);
    if (n > static_cast<uint64_t>(INT64_MAX) ||
        __builtin_mul_overflow(elements, static_cast<int64_t>(n), &elements))
      throw_error(Code::kCorrupt, "{}: shape {} has more elements than can be counted", where,
                  shown(shape));
    entry.shape.push_back(static_cast<int64_t>(n));
  }

  const Header& offsets = member(value, "data_offsets", where);
  if (!offsets.is_array() || offsets.size() != 2)
    throw_error(Code::kCorrupt, "{}: 'data_offsets' is {}, expected [begin, end]", where,
                shown(offsets));
  entry.begin = unsigned_number(offsets[0], "data_offsets", where);
  entry.end = unsigned_number(offsets[1], "data_offsets", where);
  if (entry.begin > entry.end)
    throw_error(Code::kCorrupt, "{} begins at {}, after its end at {}", where, entry.begin,
                entry.end);
  if (bytes != 0) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(elements), &bytes) ||
        bytes != entry.end - entry.begin)
      throw_error(Code::kCorrupt,
                  "{} has {} bytes of data, expected shape {} of {}, which is {} elements", where,
                  entry.end - entry.begin, shown(shape), entry.type, elements);
  }
  return entry;
}

// Sorted by offset, the tensors must follow each other from the first byte of the data to the last.
void check_ranges(std::vector<Entry>& entries, uint64_t data_bytes, const std::string& path) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t at = 0;
  const Entry* before = nullptr;
  for (const Entry& e : entries) {
    if (e.end > data_bytes)
      throw_error(Code::kCorrupt,
                  "{}: tensor '{}' ends at byte {} of the data, the file has {}: it is cut short "
                  "or damaged, get it again",
                  path, e.name, e.end, data_bytes);
    if (e.begin < at)
      throw_error(Code::kCorrupt,
                  "{}: tensor '{}' begins at byte {} of the data, inside '{}', which ends at {}",
                  path, e.name, e.begin, before->name, at);
    if (e.begin > at)
      throw_error(Code::kCorrupt,
                  "{}: {} bytes before tensor '{}' (at byte {} of the data) belong to no tensor",
                  path, e.begin - at, e.name, e.begin);
    at = e.end;
    before = &e;
  }
  if (at != data_bytes)
    throw_error(Code::kCorrupt, "{}: {} bytes at the end belong to no tensor (the last is '{}')",
                path, data_bytes - at, before ? before->name : "");
}

}  // namespace

Safetensors::Safetensors(const fs::path& path) : file_(path) {
  const std::string name = path.string();
  constexpr std::string_view kLfs = "version https://git-lfs";
  const std::string_view text(reinterpret_cast<const char*>(file_.data()), file_.size());
  if (text.substr(0, kLfs.size()) == kLfs)
    throw_error(Code::kCorrupt,
                "{}: is a Git LFS pointer, not the weights; run 'git lfs pull' in its folder",
                name);
  if (text.size() < 8)
    throw_error(Code::kCorrupt,
                "{}: has {} bytes, a safetensors file begins with an 8-byte header length", name,
                text.size());
  uint64_t header_bytes = 0;  // little endian, as every machine that phial runs on
  std::memcpy(&header_bytes, text.data(), 8);
  if (header_bytes > kMaxHeader || header_bytes > text.size() - 8)
    throw_error(Code::kCorrupt,
                "{}: the header is said to have {} bytes, the file has {} (and {} is the limit)",
                name, header_bytes, text.size(), kMaxHeader);

  const Header header = parse_header(text.substr(8, header_bytes), name);
  if (!header.is_object())
    throw_error(Code::kCorrupt, "{}: the header is a JSON {}, expected an object", name,
                header.type_name());
  std::vector<Entry> entries;
  entries.reserve(header.size());
  for (const auto& [key, value] : header.items())
    if (key != "__metadata__") entries.push_back(parse_entry(key, value, name));
  check_ranges(entries, text.size() - 8 - header_bytes, name);

  const std::byte* data = file_.data() + 8 + header_bytes;
  for (Entry& e : entries) {
    if (auto type = dtype_from_name(e.type))
      tensors_.emplace(e.name, TensorView{e.name, *type, std::move(e.shape), data + e.begin});
    else
      other_types_.emplace(e.name, e.type);
  }
}

std::string safetensors_header(const std::vector<SafetensorsEntry>& entries, const Json& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t at = 0;
  for (const SafetensorsEntry& e : entries) {
    PHIAL_ASSERT(!header.contains(e.name));
    const uint64_t end = at + static_cast<uint64_t>(element_count(e.shape)) * dtype_bytes(e.dtype);
    header[e.name] = {
        {"dtype", dtype_name(e.dtype)}, {"shape", e.shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string json = header.dump();
  json.resize((json.size() + 7) / 8 * 8, ' ');
  const uint64_t length = json.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + json;
}

}  // namespace phial
