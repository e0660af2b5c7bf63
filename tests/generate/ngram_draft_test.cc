// SPDX-License-Identifier: Apache-2.0
// Speculation changes nothing but the number of steps.
#include "generate/ngram_draft.h"

#include <gtest/gtest.h>

#include "generate/fake_session.h"
#include "generate/generator.h"
#include "generate/tiny_tokenizer.h"

namespace phial {
namespace {

using Ids = std::vector<TokenId>;

Ids proposed(const Ids& text, int32_t most) {
  NgramDraft draft(text);
  const auto span = draft.propose(most);
  return {span.begin(), span.end()};
}

TEST(NgramDraft, ContinuesAsBefore) {
  EXPECT_EQ(proposed({1, 2, 3, 4, 5, 9, 1, 2, 3}, 3), (Ids{4, 5, 9}));
  EXPECT_EQ(proposed({1, 2, 3, 4, 5, 9, 1, 2, 3}, 8), (Ids{4, 5, 9, 1, 2, 3, 4, 5}));
  EXPECT_EQ(proposed({7, 7, 7, 7}, 4), (Ids{7, 7, 7, 7}));
}

TEST(NgramDraft, NothingWhereNothingRepeats) {
  EXPECT_EQ(proposed({1, 2, 3, 4, 5, 6}, 4), Ids{});
  EXPECT_EQ(proposed({2, 3, 9, 2, 3}, 4), Ids{});  // two tokens aren't enough
  EXPECT_EQ(proposed({1, 2}, 4), Ids{});
  EXPECT_EQ(proposed({1, 2, 3, 4, 1, 2, 3}, 0), Ids{});
}

TEST(NgramDraft, TheLongestMatchCounts) {
  const Ids text = {5, 1, 2, 3, 4, 8, 1, 2, 3, 6, 5, 1, 2, 3};
  NgramDraft draft(text);
  EXPECT_EQ(draft.propose(1)[0], 4);
  EXPECT_EQ(draft.matched(), 4);
}

TEST(DraftPolicy, TriesWhatPaysAndGivesUpWhatDoesNot) {
  DraftPolicy policy;
  policy.report(0, 0, 0, 1.0);
  EXPECT_GT(policy.choose(12), 3);
  for (int i = 0; i < 30; ++i) policy.report(12, 4, 0, 2.0);  // never true
  EXPECT_EQ(policy.choose(12), 0);
  for (int i = 0; i < 30; ++i) policy.report(12, 8, 8, 1.1);  // always true, and cheap
  EXPECT_EQ(policy.choose(12), DraftPolicy::kMost);
  for (int i = 0; i < 60; ++i) policy.report(12, 8, 8, 17.0);  // true, and dearer than single steps
  EXPECT_EQ(policy.choose(12), 0);
}

// Repeats itself for a while, then goes elsewhere.
TokenId wandering(const Ids& history) {
  const size_t n = history.size();
  const size_t stretch = n / 37;
  return kLetterA +
         static_cast<TokenId>((n % (5 + stretch % 3) * (stretch % 4 + 1) + stretch) % 26);
}

struct Replied {
  GenerateResult result;
  Ids cached, history;
  size_t steps, crossings;
};

Replied run(const GenerateParams& params, bool speculate, int32_t context = 400, float peak = 10.0f,
            int32_t switch_position = 0, const TextCallback& on_text = {}) {
  FakeSession session(kTinyVocab, context, wandering);
  session.change_limits().exact_steps = true;
  session.change_limits().switch_position = switch_position;
  session.set_peak(peak);
  GenerateParams asked = params;
  asked.speculate = speculate;
  Ids cached;
  const Ids prompt = {kLetterA, kLetterA + 1, kLetterA + 2};
  Replied run{generate(session, 0, cached, tiny_tokenizer(), prompt, asked, on_text), {}, {}, 0, 0};
  run.cached = cached;
  run.history = session.history(0);
  run.steps = session.steps();
  run.crossings = session.crossings();
  return run;
}

void expect_same(const Replied& with, const Replied& without) {
  EXPECT_EQ(with.result.ids, without.result.ids);
  EXPECT_EQ(with.result.text, without.result.text);
  EXPECT_EQ(with.result.finish_reason, without.result.finish_reason);
  EXPECT_EQ(with.result.stop_id, without.result.stop_id);
  EXPECT_EQ(with.result.stop_string, without.result.stop_string);
  EXPECT_EQ(with.result.stats.generated_tokens, without.result.stats.generated_tokens);
  EXPECT_EQ(with.cached, without.cached);
  EXPECT_EQ(with.history, with.cached);
}

TEST(Speculation, SameReplyInFewerSteps) {
  GenerateParams params;
  params.max_new_tokens = 300;
  const Replied with = run(params, true), without = run(params, false);
  expect_same(with, without);
  EXPECT_EQ(without.steps, 300u);
  // By how many depends on the time that steps take.
  EXPECT_EQ(with.steps + static_cast<size_t>(with.result.stats.accepted_tokens), without.steps);
  EXPECT_GT(with.result.stats.accepted_tokens, 0);
  EXPECT_LE(with.result.stats.accepted_tokens, with.result.stats.drafted_tokens);
  EXPECT_EQ(without.result.stats.drafted_tokens, 0);
}

TEST(Speculation, SameReplyWhateverEndsIt) {
  for (int32_t tokens = 0; tokens < 60; ++tokens) {
    SCOPED_TRACE(tokens);
    GenerateParams params;
    params.max_new_tokens = tokens;
    expect_same(run(params, true), run(params, false));
    params.max_new_tokens = -1;  // the context ends it
    expect_same(run(params, true, 4 + tokens), run(params, false, 4 + tokens));
    params.stop_ids = {kLetterA + tokens % 26};
    expect_same(run(params, true), run(params, false));
    params.stop_ids = {};
    params.stop_strings = {std::string(1, static_cast<char>('a' + tokens % 26)) + "a"};
    expect_same(run(params, true), run(params, false));
    int pieces = 0;
    const auto stop_after = [&](std::string_view) { return ++pieces % (tokens + 1) != 0; };
    const Replied with = run(params, true, 200, 10, 0, stop_after);
    pieces = 0;
    expect_same(with, run(params, false, 200, 10, 0, stop_after));
  }
}

TEST(Speculation, SameReplyWhenSampled) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    GenerateParams params;
    params.max_new_tokens = 200;
    params.sampling.temperature = 1;
    params.sampling.repetition_penalty = seed % 2 ? 1.1f : 1.0f;
    params.sampling.seed = seed;
    const Replied with = run(params, true, 400, 7.0f), without = run(params, false, 400, 7.0f);
    expect_same(with, without);
  }
}

TEST(Speculation, NoGuessCrossesWhereTheCacheChanges) {
  GenerateParams params;
  params.max_new_tokens = 120;
  for (int32_t position = 10; position < 60; ++position) {
    const Replied with = run(params, true, 400, 10, position);
    expect_same(with, run(params, false));
    EXPECT_EQ(with.crossings, 0u) << position;
  }
}

TEST(Speculation, OnlyWhereStepsAreExact) {
  FakeSession session(kTinyVocab, 100, wandering);
  GenerateParams params;
  params.speculate = true;
  Ids cached;
  const Ids prompt = {kLetterA};
  EXPECT_EQ(generate(session, 0, cached, tiny_tokenizer(), prompt, params).stats.drafted_tokens, 0);
}

}  // namespace
}  // namespace phial
