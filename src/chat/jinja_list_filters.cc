// SPDX-License-Identifier: Apache-2.0
// The filters on lists and dicts. Where Jinja gives a generator, these give a list.
#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "chat/jinja_filters.h"
#include "chat/jinja_text.h"

namespace phial {
namespace {

JinjaValue integer_or_text(std::string_view part) {
  int64_t index = 0;
  if (part.empty() || part.size() > 9) return JinjaValue::string(std::string(part));
  for (const char c : part) {
    if (c < '0' || c > '9') return JinjaValue::string(std::string(part));
    index = index * 10 + (c - '0');
  }
  return JinjaValue::integer(index);
}

// An "a.b.0" path: keys, attributes and indices.
JinjaValue follow(JinjaRenderer& r, JinjaValue value, const JinjaValue& path,
                  const JinjaValue* fallback = nullptr) {
  const auto step = [&](const JinjaValue& key) {
    value = r.item(value, key);
    if (fallback && value.is_undefined()) value = *fallback;  // at each part, as Jinja does
  };
  if (!path.is_string()) {
    step(path);
    return value;
  }
  const std::string& text = path.as_string();
  for (size_t pos = 0; pos <= text.size();) {
    const size_t end = std::min(text.find('.', pos), text.size());
    step(integer_or_text(std::string_view(text).substr(pos, end - pos)));
    pos = end + 1;
  }
  return value;
}

JinjaValue folded(JinjaRenderer& r, JinjaValue value, bool case_sensitive) {
  if (case_sensitive || !value.is_string()) return value;
  return r.make(jinja_to_case(value.as_string(), JinjaCase::kLower));
}

JinjaValue key_of(JinjaRenderer& r, const JinjaValue& value, const JinjaBound& args,
                  size_t attribute, size_t sensitive) {
  JinjaValue key = args.has(attribute) && !args.at(attribute).is_none()
                       ? follow(r, value, args.at(attribute))
                       : value;
  return folded(r, std::move(key), args.flag(sensitive));
}

JinjaValue join(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  const std::string between = args.has(0) ? r.str(args.at(0)) : "";
  std::string out;
  bool first = true;
  for (const JinjaValue& value : r.items(input)) {
    if (!first) {
      r.budget().take(between.size());
      out += between;
    }
    first = false;
    out += r.str(args.has(1) && !args.at(1).is_none() ? follow(r, value, args.at(1)) : value);
  }
  return r.make(std::move(out));
}

JinjaValue first(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  const JinjaList list = r.items(input);
  return list.empty() ? JinjaValue::undefined("the first item of an empty list") : list.front();
}
JinjaValue last(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  const JinjaList list = r.items(input);
  return list.empty() ? JinjaValue::undefined("the last item of an empty list") : list.back();
}
JinjaValue list(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  return r.make_list(r.items(input));
}

JinjaValue items(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  if (input.is_undefined()) return r.make_list({});
  if (!input.is_dict())
    throw_error(Code::kInvalidArgument, "items: found a {}, expected a dict", input.type_name());
  return r.method(input, "items", {});
}

JinjaValue reverse(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  JinjaList values = r.items(input);
  std::reverse(values.begin(), values.end());
  if (!input.is_string()) return r.make_list(std::move(values));
  std::string out;
  for (const JinjaValue& c : values) out += c.as_string();
  return r.make(std::move(out));
}

JinjaValue unique(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  JinjaList keys, out;
  for (const JinjaValue& value : r.items(input)) {
    JinjaValue key = key_of(r, value, args, 1, 0);
    if (!jinja_hashable(key))
      throw_error(Code::kInvalidArgument, "unique: found a {}, which has no hash", key.type_name());
    const bool known = std::any_of(keys.begin(), keys.end(), [&](const JinjaValue& old) {
      return jinja_equal(old, key, r.budget());
    });
    if (known) continue;
    keys.push_back(std::move(key));
    out.push_back(value);
  }
  return r.make_list(std::move(out));
}

// Stable, also when reversed, as sorted(reverse=True) is.
JinjaList sorted(JinjaRenderer& r, std::vector<std::pair<JinjaValue, JinjaValue>> keyed,
                 bool reverse) {
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    const int order = jinja_compare(a.first, b.first, r.budget());
    return reverse ? order > 0 : order < 0;
  });
  JinjaList out;
  for (auto& [key, value] : keyed) out.push_back(std::move(value));
  return out;
}

JinjaValue sort(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  std::vector<std::pair<JinjaValue, JinjaValue>> keyed;
  for (const JinjaValue& value : r.items(input)) {
    JinjaList key;  // several attributes: "a,b"
    if (args.has(2) && args.at(2).is_string()) {
      const std::string& text = args.at(2).as_string();
      for (size_t pos = 0; pos <= text.size();) {
        const size_t end = std::min(text.find(',', pos), text.size());
        JinjaValue part = follow(r, value, JinjaValue::string(text.substr(pos, end - pos)));
        key.push_back(folded(r, std::move(part), args.flag(1)));
        pos = end + 1;
      }
    } else {
      key.push_back(key_of(r, value, args, 2, 1));
    }
    r.budget().take(64 * key.size());
    keyed.emplace_back(JinjaValue::list(std::move(key)), value);
  }
  return r.make_list(sorted(r, std::move(keyed), args.flag(0)));
}

JinjaValue dictsort(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  if (!input.is_dict())
    throw_error(Code::kInvalidArgument, "dictsort: found a {}, expected a dict", input.type_name());
  const std::string by = args.has(1) ? r.str(args.at(1)) : "key";
  if (by != "key" && by != "value")
    throw_error(Code::kInvalidArgument, "dictsort: found '{}', expected key or value", by);
  std::vector<std::pair<JinjaValue, JinjaValue>> keyed;
  for (const auto& [key, value] : input.as_dict()) {
    keyed.emplace_back(folded(r, by == "key" ? key : value, args.flag(0)),
                       JinjaValue::tuple({key, value}));
  }
  r.budget().take(160 * keyed.size());
  return r.make_list(sorted(r, std::move(keyed), args.flag(2)));
}

JinjaValue extreme(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args, int wanted) {
  JinjaValue best = JinjaValue::undefined("the extreme of an empty list"), best_key;
  bool any = false;
  for (const JinjaValue& value : r.items(input)) {
    JinjaValue key = key_of(r, value, args, 1, 0);
    if (any && jinja_compare(key, best_key, r.budget()) * wanted <= 0) continue;
    any = true;
    best = value;
    best_key = std::move(key);
  }
  return best;
}
JinjaValue min(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  return extreme(r, input, args, -1);
}
JinjaValue max(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  return extreme(r, input, args, 1);
}

JinjaValue sum(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  JinjaValue total = args.has(1) ? args.at(1) : JinjaValue::integer(0);
  if (total.is_string()) throw_error(Code::kInvalidArgument, "sum: can't sum texts, use join");
  for (const JinjaValue& value : r.items(input)) {
    total = r.binary(JinjaOp::kAdd, total,
                     args.has(0) && !args.at(0).is_none() ? follow(r, value, args.at(0)) : value);
  }
  return total;
}

JinjaValue map(JinjaRenderer& r, const JinjaValue& input, JinjaArguments args) {
  JinjaList out;
  if (args.values.empty()) {
    const JinjaBound bound = jinja_bind("map", "attribute default", 1, std::move(args));
    for (const JinjaValue& value : r.items(input)) {
      out.push_back(follow(r, value, bound.at(0), bound.has(1) ? &bound.at(1) : nullptr));
    }
    return r.make_list(std::move(out));
  }
  const std::string name = r.str(args.values[0]);
  const int id = jinja_filter_id(name);
  if (id < 0)
    throw_error(Code::kUnsupported, "map: the filter '{}' isn't in phial's subset of Jinja", name);
  args.values.erase(args.values.begin());
  for (const JinjaValue& value : r.items(input)) out.push_back(r.filter(id, value, args));
  return r.make_list(std::move(out));
}

// select, reject: a test on the item; selectattr, rejectattr: on an attribute of it. Without a
// test: its truth.
JinjaValue pick(JinjaRenderer& r, const JinjaValue& input, JinjaArguments args, bool by_attribute,
                bool wanted) {
  JinjaValue path;
  if (by_attribute) {
    if (args.values.empty())
      throw_error(Code::kInvalidArgument, "selectattr: the attribute is missing");
    path = args.values[0];
    args.values.erase(args.values.begin());
  }
  int id = -1;
  if (!args.values.empty()) {
    const std::string name = r.str(args.values[0]);
    id = jinja_test_id(name);
    if (id < 0)
      throw_error(Code::kUnsupported, "select: the test '{}' isn't in phial's subset of Jinja",
                  name);
    args.values.erase(args.values.begin());
  }
  JinjaList out;
  for (const JinjaValue& value : r.items(input)) {
    const JinjaValue subject = by_attribute ? follow(r, value, path) : value;
    if ((id < 0 ? subject.truthy() : r.test(id, subject, args)) == wanted) out.push_back(value);
  }
  return r.make_list(std::move(out));
}
JinjaValue select(JinjaRenderer& r, const JinjaValue& input, JinjaArguments args) {
  return pick(r, input, std::move(args), false, true);
}
JinjaValue reject(JinjaRenderer& r, const JinjaValue& input, JinjaArguments args) {
  return pick(r, input, std::move(args), false, false);
}
JinjaValue selectattr(JinjaRenderer& r, const JinjaValue& input, JinjaArguments args) {
  return pick(r, input, std::move(args), true, true);
}
JinjaValue rejectattr(JinjaRenderer& r, const JinjaValue& input, JinjaArguments args) {
  return pick(r, input, std::move(args), true, false);
}

constexpr JinjaFilterEntry kFilters[] = {
    {"join", join, "d attribute", 0},
    {"first", first, "", 0},
    {"last", last, "", 0},
    {"list", list, "", 0},
    {"items", items, "", 0},
    {"reverse", reverse, "", 0},
    {"unique", unique, "case_sensitive attribute", 0},
    {"sort", sort, "reverse case_sensitive attribute", 0},
    {"dictsort", dictsort, "case_sensitive by reverse", 0},
    {"min", min, "case_sensitive attribute", 0},
    {"max", max, "case_sensitive attribute", 0},
    {"sum", sum, "attribute start", 0},
    {"map", nullptr, "", 0, map},
    {"select", nullptr, "", 0, select},
    {"reject", nullptr, "", 0, reject},
    {"selectattr", nullptr, "", 0, selectattr},
    {"rejectattr", nullptr, "", 0, rejectattr},
};

}  // namespace

std::span<const JinjaFilterEntry> jinja_list_filters() { return kFilters; }

}  // namespace phial
