// SPDX-License-Identifier: Apache-2.0
#include "kernels/dispatch.h"

#include <algorithm>

#include "base/cpu_info.h"
#include "base/error.h"
#include "base/system.h"
#include "kernels/attend_shape.inc.h"
#include "kernels/kv_i16.inc.h"
#include "kernels/packed_layout.inc.h"
#include "kernels/scalar/scalar.h"
#include "kernels/self_check.h"
#if defined(PHIAL_KERNELS_X86)
#include "kernels/x86/tables.h"
#endif
#if defined(PHIAL_KERNELS_ARM)
#include "kernels/arm/tables.h"
#endif

namespace phial::kernels {
namespace {

struct TierEntry {
  const char* name;
  const KernelTable* own;  // nullptr: not built for this architecture
  bool cpu_can;
  const char* needs;
  bool unproven = false;  // no processor that can run it was at hand: checked before it is offered
};

// Lowest first: a later one that runs here is better.
std::vector<TierEntry> tier_entries() {
  const CpuFeatures& cpu = cpu_features();
#if defined(PHIAL_KERNELS_X86)
  const KernelTable *avx2 = &kAvx2Table, *avx2vnni = &kAvx2VnniTable,
                    *avx512vnni = &kAvx512VnniTable, *amx = &kAmxTable;
#else
  const KernelTable *avx2 = nullptr, *avx2vnni = nullptr, *avx512vnni = nullptr, *amx = nullptr;
#endif
#if defined(PHIAL_KERNELS_ARM)
  const KernelTable *neon_dotprod = &kNeonDotprodTable, *neon_i8mm = &kNeonI8mmTable;
#else
  const KernelTable *neon_dotprod = nullptr, *neon_i8mm = nullptr;
#endif
  return {
      {"scalar", &kScalarTable, true, "nothing"},
      {"avx2", avx2, cpu.avx2, "AVX2, FMA and F16C"},
      {"avx2vnni", avx2vnni, cpu.avx2 && cpu.avx_vnni, "AVX2 and AVX-VNNI"},
      {"avx512vnni", avx512vnni, cpu.avx512 && cpu.avx512_vnni,
       "AVX-512 (F, BW, VL, DQ) and AVX512-VNNI"},
      {"amx", amx, cpu.amx_int8 && cpu.avx512_vnni && tile_data_allowed(),
       "AMX-INT8, the system's leave to use its tiles, or AVX512-VNNI", true},
      {"neon_dotprod", neon_dotprod, cpu.dotprod, "Arm's dot product instructions"},
      {"neon_i8mm", neon_i8mm, cpu.dotprod && cpu.i8mm, "Arm's int8 matrix instructions"},
  };
}

template <class Entry>
void inherit(Entry& entry, Entry below) {
  if (!entry) entry = below;
}

void inherit_all(KernelTable& t, const KernelTable& below) {
  // A packed layout belongs to its reader: pack_* and linear_* of a format are inherited together.
  if (!t.linear_u8) t.pack_u8 = nullptr;
  if (!t.linear_u4) t.pack_u4 = nullptr;
  inherit(t.pack_u8, below.pack_u8);
  inherit(t.pack_u4, below.pack_u4);
  inherit(t.linear_f32, below.linear_f32);
  inherit(t.linear_f16, below.linear_f16);
  inherit(t.linear_bf16, below.linear_bf16);
  inherit(t.linear_u8, below.linear_u8);
  inherit(t.linear_u4, below.linear_u4);
  if (!t.attend) t.kv_type = below.kv_type;
  inherit(t.attend, below.attend);
  inherit(t.rms_norm, below.rms_norm);
  inherit(t.rope, below.rope);
  inherit(t.silu_mul, below.silu_mul);
  inherit(t.add, below.add);
  inherit(t.f32_to_f16, below.f32_to_f16);
  inherit(t.f16_to_f32, below.f16_to_f32);
  inherit(t.f32_to_u8, below.f32_to_u8);
  inherit(t.append_i16, below.append_i16);
  inherit(t.int8_peak, below.int8_peak);
}

// The tables of the tiers that the processor can run, lowest first. "Below" is the next lower tier
// that runs here too: AVX512-VNNI without AVX-VNNI exists (servers), so the next lower in the list
// won't do.
const std::vector<KernelTable>& merged_tables() {
  static const std::vector<KernelTable> tables = [] {
    std::vector<KernelTable> merged;
    for (const TierEntry& entry : tier_entries()) {
      if (!entry.own || !entry.cpu_can) continue;
      KernelTable table = *entry.own;
      if (!merged.empty()) inherit_all(table, merged.back());
      merged.push_back(table);
    }
    return merged;
  }();
  return tables;
}

const KernelTable& merged_table(std::string_view name) {
  const auto& tables = merged_tables();
  return *std::find_if(tables.begin(), tables.end(),
                       [&](const KernelTable& t) { return t.name == name; });
}

// How the unproven tier (there is but one) differs from the scalar one on this processor.
const std::string& fault_of_unproven(const char* name) {
  static const std::string fault = self_check(merged_table(name), kScalarTable);
  return fault;
}

Tier describe(const TierEntry& entry) {
  Tier tier{entry.name, entry.own != nullptr, false, ""};
  if (!tier.built)
    tier.why_not = "this build of phial is for another processor architecture";
  else if (!entry.cpu_can)
    tier.why_not = fmt::format("the processor or the operating system lacks {}", entry.needs);
  else if (entry.unproven)
    tier.why_not = fault_of_unproven(entry.name);
  tier.runs_here = tier.why_not.empty();
  return tier;
}

std::string tier_names(bool only_those_that_run) {
  std::string names;
  for (const Tier& tier : tiers())
    if (tier.runs_here || !only_those_that_run) names += (names.empty() ? "" : ", ") + tier.name;
  return names;
}

const KernelTable& choose() {
  const std::string wanted = environment("PHIAL_ISA").value_or("");
  if (wanted.empty()) {
    std::string best;
    for (const Tier& tier : tiers())
      if (tier.runs_here) best = tier.name;
    return merged_table(best);
  }
  try {
    return table(wanted);
  } catch (const Error& error) {
    throw_error(error.code(), "environment variable PHIAL_ISA: {}", error.what());
  }
}

}  // namespace

std::vector<Tier> tiers() {
  std::vector<Tier> all;
  for (const TierEntry& entry : tier_entries()) all.push_back(describe(entry));
  return all;
}

const KernelTable& table(std::string_view name) {
  for (const TierEntry& entry : tier_entries()) {
    if (entry.name != name) continue;
    const Tier tier = describe(entry);  // of this one alone: another isn't even tried
    if (!tier.runs_here)
      throw_error(Code::kUnsupported, "kernel tier '{}' can't run here: {}; those that can are {}",
                  name, tier.why_not, tier_names(true));
    return merged_table(name);
  }
  throw_error(Code::kInvalidArgument,
              "unknown kernel tier '{}'; the tiers are {}, of which {} can run here", name,
              tier_names(false), tier_names(true));
}

const KernelTable& best() {
  static const KernelTable& chosen = choose();
  return chosen;
}

size_t packed_bytes(Format format, int32_t n_tokens, int32_t cols, int32_t planes) {
  if (format != Format::kU8 && format != Format::kU4) return 0;
  return packed_end(packed_stride(n_tokens, planes) * static_cast<size_t>(act_lines(cols)));
}

// The prefill paths' parts, see x86/linear_quant_prefill.inc.h and x86/linear_quant_tiles.inc.h,
// which assert that they fit.
size_t linear_scratch_bytes() { return 116 * 1024; }

size_t attend_scratch_floats(const Attend& shape) { return attend_scratch(shape.head_dim); }

size_t kv_block_bytes(int32_t head_dim) { return static_cast<size_t>(i16_block_bytes(head_dim)); }

}  // namespace phial::kernels
