// SPDX-License-Identifier: Apache-2.0
// The session handle: one sequence of a model, tokens in and logits out.
#include "api/handles.h"

namespace api = phial::api;

struct phial_session : phial::SequenceOwner {
  explicit phial_session(phial_model& model) : model(model) {
    const std::lock_guard lock(model.mutex);
    model.sequences.acquire(*model.session, *this);
    vocab = model.session->limits().vocab;
  }
  ~phial_session() override {
    const std::lock_guard lock(model.mutex);
    model.sequences.release(*model.session, *this);
  }

  phial_model& model;
  int32_t vocab = 0;
};

extern "C" {

phial_error* phial_session_new(phial_model* model, phial_session** session) {
  return api::guarded([&] {
    api::need(model, "model");
    api::need(session, "session");
    *session = new phial_session(*model);
  });
}

void phial_session_free(phial_session* session) { delete session; }

phial_error* phial_session_step(phial_session* session, const int32_t* ids, size_t n_ids,
                                float* logits, int all_logits, phial_interrupt interrupt,
                                void* user) {
  return api::guarded([&] {
    api::need(session, "session");
    if (!n_ids)
      phial::throw_error(phial::Code::kInvalidArgument, "a step needs at least one token");
    api::need(ids, "ids");
    const api::Call call(session->model, nullptr, interrupt, user);
    phial::Step step;
    step.seq = session->seq;
    step.tokens = {ids, n_ids};
    step.logits = logits;
    step.all_logits = all_logits != 0;
    session->model.session->step({&step, 1}, call.interrupt());
  });
}

phial_error* phial_session_step_batch(const phial_batch_step* steps, size_t n_steps,
                                      phial_interrupt interrupt, void* user) {
  return api::guarded([&] {
    if (!n_steps)
      phial::throw_error(phial::Code::kInvalidArgument, "a batch needs at least one step");
    api::need(steps, "steps");
    std::vector<phial::Step> batch(n_steps);
    for (size_t i = 0; i < n_steps; ++i) {
      api::need(steps[i].session, "steps[].session");
      api::need(steps[i].ids, "steps[].ids");
      if (&steps[i].session->model != &steps[0].session->model)
        phial::throw_error(phial::Code::kInvalidArgument,
                           "step {} belongs to another model than step 0", i);
      batch[i].seq = steps[i].session->seq;
      batch[i].tokens = {steps[i].ids, steps[i].n_ids};
      batch[i].logits = steps[i].logits;
      batch[i].all_logits = steps[i].all_logits != 0;
    }
    phial_model& model = steps[0].session->model;
    const api::Call call(model, nullptr, interrupt, user);
    model.session->step(batch, call.interrupt());
  });
}

phial_error* phial_session_truncate(phial_session* session, int32_t length) {
  return api::guarded([&] {
    api::need(session, "session");
    if (length < 0)
      phial::throw_error(phial::Code::kInvalidArgument, "length is {}, expected at least 0",
                         length);
    const std::lock_guard lock(session->model.mutex);
    session->model.session->truncate(session->seq, length);
  });
}

int32_t phial_session_length(const phial_session* session) {
  const std::lock_guard lock(session->model.mutex);
  return session->model.session->length(session->seq);
}

int32_t phial_session_vocab(const phial_session* session) { return session->vocab; }

}  // extern "C"
