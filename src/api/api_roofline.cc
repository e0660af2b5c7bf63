// SPDX-License-Identifier: Apache-2.0
// phial_measure_roofline: the processor's limits, on the model's own weights.
#include "api/handles.h"
#include "base/thread_pool.h"
#include "kernels/dispatch.h"
#include "kernels/roofline.h"

namespace api = phial::api;

namespace {

// What a token reads, but for scales and the lm_head.
std::vector<std::span<const std::byte>> weights_of(const phial::Package& package) {
  std::vector<std::span<const std::byte>> data;
  for (const phial::Phi3Layer& layer : package.weights().layers)
    for (const phial::WeightMatrix* matrix : {&layer.qkv, &layer.o, &layer.gate_up, &layer.down})
      data.emplace_back(reinterpret_cast<const std::byte*>(matrix->data), matrix->data_bytes());
  return data;
}

}  // namespace

extern "C" phial_error* phial_measure_roofline(const phial_model* model, int32_t threads,
                                               phial_roofline* roofline) {
  return api::guarded([&] {
    api::need(model, "model");
    api::need(roofline, "roofline");
    if (threads < 0 || roofline->size < sizeof(phial_roofline))
      phial::throw_error(phial::Code::kInvalidArgument,
                         "threads is {} and size {}, expected at least 0 and {}", threads,
                         roofline->size, sizeof(phial_roofline));
    const std::lock_guard lock(model->mutex);
    phial::ThreadPool pool(threads, phial::ThreadPool::Places::kOneEach);
    const phial::kernels::Roofline measured =
        phial::kernels::measure_roofline(pool, phial::kernels::best(), weights_of(*model->package));
    roofline->threads = pool.size();
    roofline->read_bytes_per_second = measured.read_bytes_per_second;
    roofline->int8_ops_per_second = measured.int8_ops_per_second;
  });
}
