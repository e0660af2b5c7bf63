// SPDX-License-Identifier: Apache-2.0
// The public interface as a C++ program sees it: phial.hpp over the shared library.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <thread>

#include "api/tiny_folder.h"

namespace phial_test {
namespace {

const TinyFolder& tiny() {
  static const TinyFolder folder;
  return folder;
}

phial::GenerateParams some_tokens(int32_t n) {
  phial::GenerateParams params;
  params.max_new_tokens = n;
  params.ignore_eos = true;
  return params;
}

// Greedy, random weights may repeat half a character forever, of which no text can be shown.
phial::GenerateParams varied_tokens() {
  phial::GenerateParams params = some_tokens(-1);
  params.temperature = 1.0f;
  params.seed = 1;
  return params;
}

template <class Body>
phial_code code_of(Body&& body) {
  try {
    body();
  } catch (const phial::Exception& e) {
    EXPECT_STRNE(e.what(), "");
    return e.code();
  }
  return PHIAL_OK;
}

TEST(Interface, ErrorsNameWhatIsMissing) {
  try {
    phial::Model model("/nowhere/at/all");
    FAIL();
  } catch (const phial::Exception& e) {
    EXPECT_EQ(e.code(), PHIAL_NOT_FOUND);
    EXPECT_NE(std::string(e.what()).find("/nowhere/at/all"), std::string::npos) << e.what();
  }
}

TEST(Interface, RefusesSettingsThatCannotBe) {
  const std::string model = tiny().model();
  EXPECT_EQ(code_of([&] { phial::Model(model, {.kv_cache = "f8"}); }), PHIAL_INVALID_ARGUMENT);
  EXPECT_EQ(code_of([&] { phial::Model(model, {.max_sequences = 0}); }), PHIAL_INVALID_ARGUMENT);
  EXPECT_EQ(code_of([&] { phial::Model(model, {.threads = -1}); }), PHIAL_INVALID_ARGUMENT);
  EXPECT_EQ(
      code_of([&] { phial::Model(model, {.device = "openvino:TPU", .require_device = true}); }),
      PHIAL_UNSUPPORTED);
  phial::Model opened(model);
  EXPECT_EQ(code_of([&] { opened.generate("", some_tokens(1)); }), PHIAL_INVALID_ARGUMENT);
  EXPECT_EQ(code_of([&] { opened.generate("x", some_tokens(-2)); }), PHIAL_INVALID_ARGUMENT);
  phial::GenerateParams params = some_tokens(1);
  params.top_p = 1.5f;
  EXPECT_EQ(code_of([&] { opened.generate("x", params); }), PHIAL_INVALID_ARGUMENT);
  params = some_tokens(1);
  params.stop = {""};
  EXPECT_EQ(code_of([&] { opened.generate("x", params); }), PHIAL_INVALID_ARGUMENT);
}

TEST(Interface, DefaultsStayWithinTheCallersStruct) {
  unsigned char bytes[sizeof(phial_model_options) + 16];
  std::memset(bytes, 0x5A, sizeof bytes);
  auto* options = reinterpret_cast<phial_model_options*>(bytes);
  const size_t older = offsetof(phial_model_options, notice);
  phial_model_options_init(options, older);
  EXPECT_EQ(options->size, older);
  EXPECT_EQ(options->max_sequences, 1);
  for (size_t i = older; i < sizeof bytes; ++i) ASSERT_EQ(bytes[i], 0x5A) << i;
  const size_t newer = sizeof(phial_model_options) + 8;
  phial_model_options_init(options, newer);
  EXPECT_EQ(options->size, newer);
  for (size_t i = sizeof(phial_model_options); i < sizeof bytes; ++i)
    ASSERT_EQ(bytes[i], i < newer ? 0 : 0x5A) << i;
}

TEST(Interface, AnOlderCallerGetsDefaultsForWhatItDoesNotKnow) {
  phial_model_options options;
  phial_model_options_init(&options, sizeof options);
  options.context = 100;
  options.max_sequences = -77;  // as if what follows `context` weren't the caller's memory
  options.threads = -77;
  options.size = offsetof(phial_model_options, context) + sizeof(options.context);
  phial_model* model = nullptr;
  phial_error* error = phial_model_open(tiny().model().c_str(), &options, &model);
  ASSERT_EQ(error, nullptr) << phial_error_message(error);
  char* json = nullptr;
  ASSERT_EQ(phial_model_describe(model, &json), nullptr);
  EXPECT_EQ(Json::parse(json)["session"]["context"], 100);
  EXPECT_EQ(Json::parse(json)["session"]["max_sequences"], 1);
  phial_free(json);
  phial_model_close(model);

  options.size = 0;
  error = phial_model_open(tiny().model().c_str(), &options, &model);
  EXPECT_EQ(phial_error_code(error), PHIAL_INVALID_ARGUMENT);
  phial_error_free(error);
}

TEST(Interface, TokenizerRoundTrip) {
  const phial::Tokenizer tokenizer(tiny().model());
  const std::string text("zero \0 and \xC3\xA4", 13);
  const std::vector<int32_t> ids = tokenizer.encode(text);
  EXPECT_EQ(ids.size(), text.size());
  EXPECT_EQ(tokenizer.decode(ids), text);
  EXPECT_EQ(tokenizer.encode("a<|end|>"), (std::vector<int32_t>{3 + 'a', kEnd}));
  EXPECT_EQ(tokenizer.encode("<|end|>", true, true).size(), 7u);
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{3 + 'a', kEnd}), "a");
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{3 + 'a', kEnd}, true), "a<|end|>");
  EXPECT_TRUE(tokenizer.encode("").empty());
  EXPECT_EQ(code_of([&] { tokenizer.decode(std::vector<int32_t>{-1}); }), PHIAL_INVALID_ARGUMENT);
}

TEST(Interface, BosOnlyWhereTheFilesAskForIt) {
  phial::TempFolder temp;
  write_tokenizer(temp.path() / "bos", true);
  const phial::Tokenizer tokenizer((temp.path() / "bos").string());
  EXPECT_EQ(tokenizer.encode("a"), (std::vector<int32_t>{1, 3 + 'a'}));
  EXPECT_EQ(tokenizer.encode("a", false), (std::vector<int32_t>{3 + 'a'}));
}

TEST(Interface, ChatPrompts) {
  const phial::Tokenizer tokenizer(tiny().model());
  const std::string messages = R"([{"role": "user", "content": "hi"}])";
  EXPECT_EQ(tokenizer.render_chat(messages), "<|user|>hi<|end|><|assistant|>");
  EXPECT_EQ(tokenizer.render_chat(messages, false), "<|user|>hi<|end|>");
  EXPECT_EQ(tokenizer.encode_chat(messages),
            (std::vector<int32_t>{260, 3 + 'h', 3 + 'i', kEnd, 261}));
  EXPECT_NE(code_of([&] { tokenizer.render_chat("nonsense"); }), PHIAL_OK);
  EXPECT_NE(code_of([&] { tokenizer.render_chat("{}"); }), PHIAL_OK);
}

TEST(Interface, StreamedPiecesMakeUpTheText) {
  phial::Model model(tiny().model());
  std::string streamed;
  const phial::Result result =
      model.generate("hello", some_tokens(24), [&](std::string_view piece) {
        EXPECT_FALSE(piece.empty());
        streamed += piece;
        return true;
      });
  EXPECT_EQ(streamed, result.text);
  EXPECT_EQ(result.ids.size(), 24u);
  EXPECT_EQ(result.finish_reason, "length");
  EXPECT_EQ(result.stats.prompt_tokens, 5);
  EXPECT_EQ(result.stats.generated_tokens, 24);
  EXPECT_EQ(result.stats.device, "cpu");
  EXPECT_FALSE(result.stats.tier.empty());
  EXPECT_GT(result.stats.peak_rss_bytes, 0u);
  EXPECT_EQ(model.generate("hello", some_tokens(24)).ids, result.ids);
  EXPECT_EQ(model.generate_ids(model.tokenizer().encode("hello"), some_tokens(24)).ids, result.ids);
}

TEST(Interface, CallbacksStopAReply) {
  phial::Model model(tiny().model());
  int pieces = 0;
  phial::Result result =
      model.generate("hello", varied_tokens(), [&](std::string_view) { return ++pieces < 3; });
  EXPECT_EQ(result.finish_reason, "cancelled");
  EXPECT_EQ(pieces, 3);

  int asked = 0;
  result = model.generate("hello", varied_tokens(), {}, [&] { return ++asked > 20; });
  EXPECT_EQ(result.finish_reason, "cancelled");
  EXPECT_LT(result.stats.generated_tokens, 200);
}

TEST(Interface, AFlagStopsAReply) {
  phial::Model model(tiny().model());
  struct Watched {
    int32_t stop = 0;  // first: its address is that of the whole, which both callbacks get
    int pieces = 0;
  } watched;
  const auto on_text = [](void* user, const char*, size_t) {
    auto* seen = static_cast<Watched*>(user);
    if (++seen->pieces == 3) seen->stop = 1;
    return 0;
  };
  phial_generate_params params;
  phial_generate_params_init(&params, sizeof params);
  params.max_new_tokens = 200;
  params.ignore_eos = 1;
  phial_result* result = nullptr;
  ASSERT_EQ(phial_generate(model.handle(), "hello", 5, &params, on_text, &phial_interrupt_flag,
                           &watched, &result),
            nullptr);
  EXPECT_STREQ(phial_result_finish_reason(result), "cancelled");
  EXPECT_EQ(watched.pieces, 3);
  phial_result_free(result);
}

TEST(Interface, CancelStopsWhatRunsAndNothingLater) {
  phial::Model model(tiny().model());
  const phial::Result stopped = model.generate("hello", varied_tokens(), [&](std::string_view) {
    model.cancel();
    return true;
  });
  EXPECT_EQ(stopped.finish_reason, "cancelled");
  EXPECT_EQ(model.generate("hello", some_tokens(5)).finish_reason, "length");
}

TEST(Interface, ExceptionsOfCallbacksComeOut) {
  phial::Model model(tiny().model());
  EXPECT_THROW(model.generate("hello", varied_tokens(),
                              [](std::string_view) -> bool { throw std::logic_error("mine"); }),
               std::logic_error);
  EXPECT_THROW(
      model.generate("hello", some_tokens(5), {}, []() -> bool { throw std::logic_error("mine"); }),
      std::logic_error);
  EXPECT_EQ(model.generate("hello", some_tokens(5)).ids.size(), 5u);
}

TEST(Interface, ThreadsMayShareAModel) {
  phial::Model model(tiny().model());
  const std::vector<int32_t> expected = model.generate("hello", some_tokens(20)).ids;
  std::vector<std::vector<int32_t>> found(4);
  std::vector<std::thread> threads;
  for (auto& ids : found)
    threads.emplace_back([&] { ids = model.generate("hello", some_tokens(20)).ids; });
  for (std::thread& thread : threads) thread.join();
  for (const auto& ids : found) EXPECT_EQ(ids, expected);
}

TEST(Interface, ChatsKeepTheirTurns) {
  phial::Model model(tiny().model());
  phial::Chat chat(model);
  chat.add("system", "be");
  chat.add("user", "one");
  const phial::Result first = chat.reply(some_tokens(6));
  chat.add("user", "two");
  const phial::Result second = chat.reply(some_tokens(6));
  EXPECT_GE(second.stats.cached_tokens, first.stats.prompt_tokens);
  const Json messages = Json::parse(chat.messages_json());
  ASSERT_EQ(messages.size(), 5u);
  EXPECT_EQ(messages[2]["content"], first.text);
  EXPECT_EQ(messages[4]["role"], "assistant");
  chat.clear();
  EXPECT_EQ(Json::parse(chat.messages_json()).size(), 1u);
}

// With one sequence for two chats each turn takes it from the other; the answers are the same as
// with one each.
TEST(Interface, ChatsShareASequenceWithoutADifference) {
  const auto talk = [](int32_t max_sequences) {
    phial::Model model(tiny().model(), {.max_sequences = max_sequences});
    phial::Chat a(model), b(model);
    std::vector<std::string> texts;
    for (const char* question : {"one", "two", "three"}) {
      a.add("user", question);
      b.add("user", std::string("and ") + question);
      texts.push_back(a.reply(some_tokens(5)).text);
      texts.push_back(b.reply(some_tokens(5)).text);
    }
    EXPECT_EQ(Json::parse(a.messages_json()).size(), 6u);
    return texts;
  };
  EXPECT_EQ(talk(1), talk(2));
}

TEST(Interface, AQuestionThatDoesNotFitChangesNothing) {
  phial::Model model(tiny().model());
  phial::Chat chat(model);
  chat.add("user", std::string(400, 'x'));
  const std::string before = chat.messages_json();
  EXPECT_EQ(code_of([&] { chat.reply(some_tokens(5)); }), PHIAL_CONTEXT_FULL);
  EXPECT_EQ(chat.messages_json(), before);
  chat.set_messages_json(R"([{"role": "user", "content": "short"}])");
  EXPECT_EQ(chat.reply(some_tokens(5)).finish_reason, "length");
}

TEST(Interface, SessionsStepAndTruncate) {
  phial::Model model(tiny().model());
  phial::Session session(model);
  const std::vector<int32_t> ids = {5, 6, 7, 8};
  const std::vector<float> all = session.step_all(ids);
  ASSERT_EQ(all.size(), ids.size() * static_cast<size_t>(kVocab));
  EXPECT_EQ(session.length(), 4);
  session.truncate(3);
  const std::vector<float> last = session.step(std::span(ids).subspan(3));
  for (int32_t i = 0; i < kVocab; ++i) EXPECT_NEAR(last[i], all[3 * kVocab + i], 1e-3f) << i;
  EXPECT_EQ(code_of([&] { session.step(std::vector<int32_t>{kVocab}); }), PHIAL_INVALID_ARGUMENT);
  EXPECT_EQ(code_of([&] { session.feed(std::vector<int32_t>(300, 5)); }), PHIAL_CONTEXT_FULL);
  EXPECT_EQ(session.length(), 4);
  EXPECT_EQ(code_of([&] { phial::Session another(model); }), PHIAL_INVALID_ARGUMENT);
}

TEST(Interface, SessionsStepTogether) {
  phial::ModelOptions options;
  options.max_sequences = 3;
  phial::Model model(tiny().model(), options), other(tiny().model());
  phial::Session a(model), b(model), alone(model), stranger(other);
  a.feed(std::vector<int32_t>{5, 6, 7});
  b.feed(std::vector<int32_t>{9});
  alone.feed(std::vector<int32_t>{9});
  std::vector<float> logits(2 * static_cast<size_t>(kVocab));
  phial::Session* both[] = {&a, &b};
  phial::step_batch(both, std::vector<int32_t>{8, 10}, logits);
  EXPECT_EQ(a.length(), 4);
  const std::vector<float> expected = alone.step(std::vector<int32_t>{10});
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), logits.begin() + kVocab));
  phial::Session* mixed[] = {&a, &stranger};
  EXPECT_EQ(code_of([&] { phial::step_batch(mixed, std::vector<int32_t>{8, 10}, logits); }),
            PHIAL_INVALID_ARGUMENT);
  phial::Session* twice[] = {&a, &a};
  EXPECT_EQ(code_of([&] { phial::step_batch(twice, std::vector<int32_t>{8, 10}, logits); }),
            PHIAL_INVALID_ARGUMENT);
  EXPECT_EQ(a.length(), 4);
}

TEST(Interface, TheRooflineIsMeasured) {
  const phial::Model model(tiny().model());
  const phial::Roofline roofline = model.measure_roofline(1);
  EXPECT_EQ(roofline.threads, 1);
  EXPECT_GT(roofline.read_bytes_per_second, 1e7);
  EXPECT_GT(roofline.int8_ops_per_second, 1e7);
  EXPECT_EQ(code_of([&] { model.measure_roofline(-1); }), PHIAL_INVALID_ARGUMENT);
}

TEST(Interface, ASessionGivesItsSequenceBack) {
  phial::Model model(tiny().model());
  { phial::Session session(model); }
  phial::Session session(model);
  EXPECT_EQ(session.length(), 0);
}

TEST(Interface, QuantizeReportsProgress) {
  const TinyFolder folder;
  uint64_t last = 0, total = 0;
  phial::quantize(folder.model(), folder.path("package"), {.group_size = 32},
                  [&](uint64_t done, uint64_t of, std::string_view) {
                    EXPECT_GE(done, last);
                    last = done;
                    total = of;
                  });
  EXPECT_GT(total, 0u);
  EXPECT_EQ(last, total);
  phial::Model model(folder.path("package"));
  EXPECT_EQ(model.generate("hello", some_tokens(4)).ids.size(), 4u);
  EXPECT_EQ(Json::parse(phial::package_json(folder.path("package"))).is_object(), true);
}

TEST(Interface, AStoppedQuantizationLeavesNothing) {
  const TinyFolder folder;
  const auto count = [&] {
    const std::filesystem::directory_iterator begin(folder.temp.path()), end;
    return std::distance(begin, end);
  };
  const auto before = count();
  EXPECT_EQ(code_of([&] {
              phial::quantize(folder.model(), folder.path("package"), {.group_size = 32}, {},
                              [] { return true; });
            }),
            PHIAL_CANCELLED);
  EXPECT_EQ(count(), before);
}

TEST(Interface, SyntheticWeightsRunWithoutText) {
  phial::Model model = phial::Model::synthetic("phi-3-mini", {}, 1, 1, {.context = 16});
  EXPECT_FALSE(model.has_tokenizer());
  EXPECT_EQ(code_of([&] { model.tokenizer(); }), PHIAL_UNSUPPORTED);
  EXPECT_EQ(code_of([&] { model.generate("hello"); }), PHIAL_UNSUPPORTED);
  EXPECT_EQ(code_of([&] { phial::Chat chat(model); }), PHIAL_UNSUPPORTED);
  phial::Session session(model);
  EXPECT_EQ(session.step(std::vector<int32_t>{1, 2}).size(), 32064u);
  const Json facts = Json::parse(model.describe_json())["session"];
  EXPECT_GT(facts["decode_bytes"], 0);
  EXPECT_GT(facts["cache_bytes"], 0);
  EXPECT_LE(facts["decode_bytes"], facts["weight_bytes"]);
}

TEST(Interface, DevicesAreListed) {
  const Json facts = Json::parse(phial::devices_json());
  EXPECT_EQ(facts["version"], phial::version());
  EXPECT_FALSE(facts["tiers"].empty());
  EXPECT_EQ(facts["devices"][0]["id"], "cpu");
}

}  // namespace
}  // namespace phial_test
