// SPDX-License-Identifier: Apache-2.0
#include "chat/chat_template.h"

#include "base/error.h"
#include "chat/jinja_ast.h"
#include "chat/jinja_eval.h"

namespace phial {

// A real template is a few KiB; the largest known ones have some 15.
constexpr size_t kMaxSource = 1 << 20;

struct ChatTemplate::Node {
  JinjaNodePtr tree;
};

ChatTemplate::ChatTemplate(std::string_view source, std::string where) : where_(std::move(where)) {
  if (source.size() > kMaxSource) {
    throw_error(Code::kUnsupported, "{}: {} bytes, expected at most {}", where_, source.size(),
                kMaxSource);
  }
  root_ = std::make_unique<Node>(Node{jinja_parse(source, where_)});
}
ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;

std::string ChatTemplate::render(const Json& messages, bool add_generation_prompt,
                                 const Json& variables) const {
  if (!variables.is_object() && !variables.is_null()) {
    throw_error(Code::kInvalidArgument, "{}: variables are a JSON {}, expected an object", where_,
                variables.type_name());
  }
  // What transformers always passes; its render() knows tools and documents as None if there are
  // none.
  Json all = Json::object();
  all["tools"] = nullptr;
  all["documents"] = nullptr;
  for (const auto& [name, value] : variables.items()) all[name] = value;
  all["messages"] = messages;
  all["add_generation_prompt"] = add_generation_prompt;

  JinjaRenderer renderer(*root_->tree, JinjaValue::from_json(all));
  try {
    return renderer.render();
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}:{}: {}", where_, renderer.line(), error.what()));
  }
}

}  // namespace phial
