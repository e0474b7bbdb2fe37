#include "search/choose_precision.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "search/choose_by_time.h"
#include "search/choose_halves.h"
#include "search/meet_drop.h"

namespace bantam::compiler {
namespace {

const char* float_name(const PassContext& context) { return context.halves ? "float16" : "float32"; }

void note_time(Graph& graph, const OpCosts& costs, const KeptFloat& kept, const PassContext& context) {
  const std::vector<bool> int8 = int8_nodes(graph, {});
  for (size_t i = 0; i < kept.size(); ++i) {
    if (!kept[i] || !int8[i]) continue;
    graph.note(graph.nodes[i].name, fmt::format("stays {}: {:.3f} ms, int8 {:.3f} ms without conversions",
                                                float_name(context), costs.in_float(i), costs.int8(i)));
  }
}

void note_drop(Graph& graph, const MetDrop& met, const PassContext& context) {
  for (size_t u = 0; u < met.units.size(); ++u) {
    if (!met.chosen[u]) continue;
    const Unit& unit = met.units[u];
    const std::string text =
        fmt::format("stays {} for accuracy: int8 here alone leaves the outputs {:.1f} dB of SQNR",
                    float_name(context), decibels(unit.noise));
    for (size_t node : unit.nodes) graph.note(graph.nodes[node].name, text);
  }
}

void say_drop(const MetDrop& met, PassContext& context) {
  const auto kept = std::count(met.chosen.begin(), met.chosen.end(), true);
  context.precision_summary =
      fmt::format("{}{}", verdict_text(met.verdict),
                  kept == 0 ? ""
                            : fmt::format("; {} of {} ops with weights kept in {}", kept, met.units.size(),
                                          float_name(context)));
  const std::string open = open_question(met.verdict, *context.options.max_drop);
  if (open.empty()) return;
  context.warnings.push_back(
      fmt::format("--max-drop {:g}% is met on the {} samples given, but these cannot rule out "
                  "more: {}",
                  100 * *context.options.max_drop, met.verdict.samples, open));
}

bool any(const KeptFloat& kept) { return std::find(kept.begin(), kept.end(), true) != kept.end(); }

void say_estimated(const OpCosts& costs, PassContext& context) {
  if (costs.estimated() == 0) return;
  context.warnings.push_back(fmt::format(
      "--device-profile: {} op times are not in the profile and were estimated from others; record the "
      "fp32 and the int8 plan of this model with `bantam bench --profile-device`",
      costs.estimated()));
}

}  // namespace

KeptFloat choose_precision(Graph& graph, const Quantizer& quantize, PassContext& context) {
  const CompileOptions& options = context.options;
  const bool by_time = options.choose_by_time && options.op_timer;
  if (!by_time && !options.max_drop) return {};
  const OpCosts costs(graph, quantize, context, by_time);
  KeptFloat kept;
  if (by_time) {
    say_estimated(costs, context);
    kept = choose_by_time(graph, costs, quantize, context);
  }
  if (!options.max_drop) {
    if (any(kept)) context.halves = choose_halves(quantize(kept), nullptr, context);
    note_time(graph, costs, kept, context);
    return kept;
  }
  std::optional<Judge> own;
  if (context.judge == nullptr) own.emplace(graph, context, *options.test);
  const Judge& judge = own ? *own : *context.judge;
  const MetDrop met = meet_drop(graph, judge, costs, quantize, kept, context);
  if (any(met.kept)) context.halves = choose_halves(quantize(met.kept), &judge, context);
  note_time(graph, costs, kept, context);
  note_drop(graph, met, context);
  say_drop(met, context);
  return met.kept;
}

}  // namespace bantam::compiler
