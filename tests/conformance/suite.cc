// SPDX-License-Identifier: Apache-2.0
#include "conformance/suite.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "conformance/tiny_model.h"
#include "model/reference.h"

namespace phial {

Logits feed(Session& session, SequenceId seq, std::span<const TokenId> tokens, bool last) {
  const size_t vocab = static_cast<size_t>(session.limits().vocab);
  Logits logits((last ? 1 : tokens.size()) * vocab, -12345.0f);
  const Step step{seq, tokens, logits.data(), !last};
  session.step({&step, 1});
  return logits;
}

Logits last_rows(const Logits& logits, size_t n, int32_t vocab) {
  return {logits.end() - static_cast<std::ptrdiff_t>(n * static_cast<size_t>(vocab)), logits.end()};
}

double relative_distance(const Logits& got, const Logits& expected) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(double{got[i]} - double{expected[i]}, 2);
    size += std::pow(double{expected[i]}, 2);
  }
  return std::sqrt(difference / size);
}

std::string error_of(Code code, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown, expected " << code_name(code);
  return {};
}

std::unique_ptr<Session> Conformance::open(TinyKind kind, SessionOptions options) {
  options.threads = GetParam().threads;
  options.kv_cache = GetParam().kv_cache;
  return GetParam().backend()->open(GetParam().package(kind), GetParam().device, options);
}

void Conformance::expect_same(const Logits& got, const Logits& expected,
                              const std::string& what) const {
  ASSERT_EQ(got.size(), expected.size()) << what;
  float largest = 0, difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    difference = std::max(difference, std::abs(got[i] - expected[i]));
  }
  ASSERT_TRUE(std::isfinite(largest) && largest > 0) << what;
  if (GetParam().repeat_tolerance == 0)
    EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0)
        << what << ": differs by " << difference << " of " << largest;
  else
    EXPECT_LE(difference, GetParam().repeat_tolerance * largest) << what;
}

namespace {

Tokens part(const Tokens& tokens, size_t begin, size_t end) {
  return {tokens.begin() + static_cast<std::ptrdiff_t>(begin),
          tokens.begin() + static_cast<std::ptrdiff_t>(end)};
}

Tokens some_tokens(int32_t count, uint64_t seed = 7) {
  return tiny_tokens(tiny_config(), count, seed);
}

TEST_P(Conformance, matches_the_reference_at_every_position) {
  for (const TinyKind kind : {TinyKind::kPlain, TinyKind::kLongRope, TinyKind::kWindow})
    for (const int32_t length : {1, 4, 5, 6, 15, 16, 17, 40, 64}) {
      const auto package = GetParam().package(kind);
      const Tokens tokens = some_tokens(length);
      const Logits got = feed(*open(kind), 0, tokens);
      const Logits expected = reference_forward(package->config(), package->weights(), tokens);
      EXPECT_LE(relative_distance(got, expected), GetParam().reference_tolerance)
          << "kind " << static_cast<int>(kind) << ", length " << length;
    }
}

TEST_P(Conformance, chunked_prefill_is_whole_prefill) {
  const Tokens tokens = some_tokens(60);
  for (const TinyKind kind : {TinyKind::kPlain, TinyKind::kLongRope, TinyKind::kWindow}) {
    const Logits whole = feed(*open(kind), 0, tokens);
    for (const int32_t chunk : {1, 7, 16, 59}) {
      SessionOptions options;
      options.prefill_chunk = chunk;
      const auto session = open(kind, options);
      expect_same(feed(*session, 0, tokens), whole, "chunk " + std::to_string(chunk));
      session->release(0);
      expect_same(feed(*session, 0, tokens, true), last_rows(whole, 1, session->limits().vocab),
                  "last row");
    }
  }
}

TEST_P(Conformance, steps_of_any_length_are_one_step) {
  const Tokens tokens = some_tokens(40);
  for (const TinyKind kind : {TinyKind::kPlain, TinyKind::kWindow}) {
    const Logits whole = feed(*open(kind), 0, tokens);
    for (const size_t size : {size_t{1}, size_t{3}, size_t{37}}) {
      const auto session = open(kind);
      Logits got;
      for (size_t at = 0; at < tokens.size(); at += size) {
        const Logits rows = feed(*session, 0, part(tokens, at, std::min(at + size, tokens.size())));
        got.insert(got.end(), rows.begin(), rows.end());
      }
      expect_same(got, whole, "steps of " + std::to_string(size));
    }
  }
}

TEST_P(Conformance, without_logits_the_cache_is_filled_alike) {
  const Tokens tokens = some_tokens(30);
  const auto session = open(TinyKind::kPlain);
  const Logits whole = feed(*open(TinyKind::kPlain), 0, tokens);
  const Tokens first = part(tokens, 0, 29);
  const Step fill{0, first, nullptr, false};
  session->step({&fill, 1});
  EXPECT_EQ(session->length(0), 29);
  expect_same(feed(*session, 0, part(tokens, 29, 30)), last_rows(whole, 1, session->limits().vocab),
              "after filling");
}

TEST_P(Conformance, truncating_and_repeating_is_never_having_gone_there) {
  const Tokens tokens = some_tokens(40), other = some_tokens(20, 99);
  for (const TinyKind kind : {TinyKind::kPlain, TinyKind::kLongRope, TinyKind::kWindow}) {
    const int32_t vocab = open(kind)->limits().vocab;
    for (const size_t keep : {size_t{0}, size_t{1}, size_t{10}, size_t{16}, size_t{20}}) {
      const auto session = open(kind);
      feed(*session, 0, part(tokens, 0, keep + 5));
      feed(*session, 0, other);
      session->truncate(0, static_cast<int32_t>(keep));
      EXPECT_EQ(session->length(0), static_cast<int32_t>(keep));
      session->truncate(0, 60);  // longer than it is: no effect
      EXPECT_EQ(session->length(0), static_cast<int32_t>(keep));
      const Logits got = feed(*session, 0, part(tokens, keep, 40));
      const Logits fresh = feed(*open(kind), 0, tokens);
      expect_same(got, last_rows(fresh, 40 - keep, vocab), "kept " + std::to_string(keep));
    }
  }
}

TEST_P(Conformance, interleaved_sequences_are_each_alone) {
  SessionOptions options;
  options.max_sequences = 3;
  for (const TinyKind kind : {TinyKind::kPlain, TinyKind::kLongRope, TinyKind::kWindow}) {
    const auto session = open(kind, options);
    std::vector<Tokens> tokens;
    std::vector<std::unique_ptr<Session>> alone;
    for (uint64_t s = 0; s < 3; ++s) {
      tokens.push_back(some_tokens(24, 20 + s));
      alone.push_back(open(kind));
    }
    for (size_t at = 0; at < 24; at += 4)
      for (size_t s = 0; s < 3; ++s) {
        const Tokens next = part(tokens[s], at, at + 4);
        expect_same(feed(*session, static_cast<SequenceId>(10 * s), next), feed(*alone[s], 0, next),
                    "sequence " + std::to_string(s) + " at " + std::to_string(at));
      }
  }
}

TEST_P(Conformance, rows_of_a_batch_are_single_runs) {
  SessionOptions options;
  options.max_sequences = 5;
  for (const TinyKind kind : {TinyKind::kPlain, TinyKind::kLongRope, TinyKind::kWindow})
    for (const int32_t chunk : {0, 6}) {
      options.prefill_chunk = chunk;
      const auto session = open(kind, options);
      const size_t vocab = static_cast<size_t>(session->limits().vocab);
      std::vector<std::unique_ptr<Session>> alone;
      for (int s = 0; s < 5; ++s) alone.push_back(open(kind));
      // Prompts of different lengths and single tokens mixed; one sequence wants all logits, one
      // none.
      const size_t sizes[3][5] = {{9, 1, 4, 17, 2}, {1, 1, 1, 1, 1}, {1, 20, 1, 3, 1}};
      for (int round = 0; round < 3; ++round) {
        std::vector<Tokens> tokens;
        std::vector<Logits> logits;
        std::vector<Step> batch;
        for (size_t s = 0; s < 5; ++s) {
          tokens.push_back(some_tokens(static_cast<int32_t>(sizes[round][s]),
                                       100 * s + static_cast<uint64_t>(round)));
          logits.push_back(Logits((s == 1 ? sizes[round][s] : 1) * vocab));
        }
        for (size_t s = 0; s < 5; ++s)
          batch.push_back(
              {static_cast<SequenceId>(s), tokens[s], s == 2 ? nullptr : logits[s].data(), s == 1});
        session->step(batch);
        for (size_t s = 0; s < 5; ++s) {
          const Logits single = feed(*alone[s], 0, tokens[s], s != 1);
          if (s != 2)
            expect_same(logits[s], single,
                        "round " + std::to_string(round) + " row " + std::to_string(s));
        }
      }
    }
}

TEST_P(Conformance, past_the_context_end_is_an_error_and_changes_nothing) {
  SessionOptions options;
  options.context = 20;
  options.max_sequences = 2;
  const auto session = open(TinyKind::kPlain, options);
  EXPECT_EQ(session->limits().max_context, 20);
  const Tokens tokens = some_tokens(21);
  const Logits whole = feed(*open(TinyKind::kPlain), 0, part(tokens, 0, 20));
  error_of(Code::kContextFull, [&] { feed(*session, 0, tokens); });
  EXPECT_EQ(session->length(0), 0);
  feed(*session, 0, part(tokens, 0, 18));
  error_of(Code::kContextFull, [&] { feed(*session, 0, part(tokens, 18, 21)); });
  const Tokens three = part(tokens, 18, 21), one = part(tokens, 0, 1);
  const Step both[2] = {{1, one, nullptr, false}, {0, three, nullptr, false}};
  error_of(Code::kContextFull, [&] { session->step(both); });
  EXPECT_EQ(session->length(0), 18);
  EXPECT_EQ(session->length(1), 0);
  expect_same(feed(*session, 0, part(tokens, 18, 20)), last_rows(whole, 2, session->limits().vocab),
              "the last two");
  error_of(Code::kContextFull, [&] { feed(*session, 0, one); });
  EXPECT_EQ(session->length(0), 20);
}

TEST_P(Conformance, bad_batches_are_refused_and_change_nothing) {
  SessionOptions options;
  options.max_sequences = 2;
  const auto session = open(TinyKind::kPlain, options);
  const Tokens good = some_tokens(5);
  feed(*session, 3, good);
  const Tokens outside{1, session->limits().vocab}, negative{-1}, none;
  error_of(Code::kInvalidArgument, [&] { feed(*session, 3, outside); });
  error_of(Code::kInvalidArgument, [&] { feed(*session, 3, negative); });
  error_of(Code::kInvalidArgument, [&] { feed(*session, 3, none); });
  const Step twice[2] = {{3, good, nullptr, false}, {3, good, nullptr, false}};
  error_of(Code::kInvalidArgument, [&] { session->step(twice); });
  const Step many[3] = {
      {3, good, nullptr, false}, {4, good, nullptr, false}, {5, good, nullptr, false}};
  error_of(Code::kInvalidArgument, [&] { session->step(many); });
  EXPECT_EQ(session->length(3), 5);
  EXPECT_EQ(session->length(4), 0);
  feed(*session, 4, good);
  error_of(Code::kInvalidArgument, [&] { feed(*session, 5, good); });
  session->release(4);
  EXPECT_EQ(session->length(4), 0);
  feed(*session, 5, good);  // the place is free again
  session->step({});        // an empty batch is nothing to do
  EXPECT_EQ(session->length(3), 5);
  EXPECT_EQ(session->length(5), 5);
}

TEST_P(Conformance, the_same_run_gives_the_same_bytes) {
  const Tokens tokens = some_tokens(50);
  for (const TinyKind kind : {TinyKind::kPlain, TinyKind::kLongRope, TinyKind::kWindow}) {
    const Logits first = feed(*open(kind), 0, tokens), second = feed(*open(kind), 0, tokens);
    ASSERT_EQ(first.size(), second.size());
    EXPECT_EQ(std::memcmp(first.data(), second.data(), first.size() * sizeof(float)), 0);
  }
}

// Each line: lengths at which the conversation is after its turns. Every step's logits must be
// those of a fresh prefill.
TEST_P(Conformance, crossing_the_longrope_length_is_a_fresh_prefill) {
  const Tokens tokens = some_tokens(64);
  const std::vector<std::vector<size_t>> paths = {
      {14, 15, 16, 17, 18},        // decoding across
      {10, 40, 41},                // a step across
      {16, 17, 33},                // exactly at the edge, then over
      {17, 18},                    // beyond from the start
      {20, 10, 12, 16, 17},        // truncated back below, on with the short factors, over again
      {40, 16, 17, 15, 16},        // to the edge and over without the short ones, then back
      {8, 30, 5, 60, 15, 16, 64},  // turns of an edited chat
  };
  for (const int32_t chunk : {0, 5})
    for (const auto& path : paths) {
      SessionOptions options;
      options.prefill_chunk = chunk;
      const auto session = open(TinyKind::kLongRope, options);
      const int32_t vocab = session->limits().vocab;
      size_t length = 0;
      std::string walked;
      for (const size_t next : path) {
        walked += fmt::format(" {}", next);
        if (next < length) {
          session->truncate(0, static_cast<int32_t>(next));
        } else {
          const Logits got = feed(*session, 0, part(tokens, length, next));
          const Logits fresh = feed(*open(TinyKind::kLongRope), 0, part(tokens, 0, next));
          expect_same(got, last_rows(fresh, next - length, vocab), "path" + walked);
        }
        length = next;
        EXPECT_EQ(session->length(0), static_cast<int32_t>(length));
      }
    }
}

// Stops at the first poll, at the second, ..., until a step comes through; each time the state must
// be the old one.
TEST_P(Conformance, an_interrupted_step_leaves_the_sequences_as_they_were) {
  const Tokens tokens = some_tokens(40), other = some_tokens(12, 5);
  SessionOptions options;
  options.prefill_chunk = 7;
  options.max_sequences = 2;
  for (const TinyKind kind : {TinyKind::kPlain, TinyKind::kLongRope, TinyKind::kWindow}) {
    const auto session = open(kind, options);
    const size_t vocab = static_cast<size_t>(session->limits().vocab);
    const Logits whole = feed(*open(kind), 0, tokens), whole_other = feed(*open(kind), 0, other);
    Tokens head = part(tokens, 0, 12), rest = part(tokens, 12, 40);
    feed(*session, 0, head);
    int stopped = 0;
    for (int stop_at = 0;; ++stop_at) {
      ASSERT_LT(stop_at, 10000);
      Logits rows(rest.size() * vocab), row(vocab);
      const Step batch[2] = {{0, rest, rows.data(), true}, {1, other, row.data(), false}};
      int polls = 0;
      try {
        session->step(batch, [&] { return polls++ == stop_at; });
      } catch (const Error& error) {
        ASSERT_EQ(error.code(), Code::kCancelled) << error.what();
        EXPECT_EQ(session->length(0), 12);
        EXPECT_EQ(session->length(1), 0);
        ++stopped;
        if (stop_at % 2 == 0) {  // go on with the old state at once, then return to it
          const Logits next = feed(*session, 0, part(tokens, 12, 14));
          const Logits fresh = feed(*open(kind), 0, part(tokens, 0, 14));
          expect_same(next, last_rows(fresh, 2, static_cast<int32_t>(vocab)),
                      "after stop " + std::to_string(stop_at));
          session->truncate(0, 12);
        }
        continue;
      }
      expect_same(rows, last_rows(whole, rest.size(), static_cast<int32_t>(vocab)), "after all");
      expect_same(row, last_rows(whole_other, 1, static_cast<int32_t>(vocab)), "the new sequence");
      break;
    }
    EXPECT_GT(stopped, 0) << "the engine never asked";
  }
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Conformance);

}  // namespace phial
