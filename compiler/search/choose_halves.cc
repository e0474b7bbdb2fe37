#include "search/choose_halves.h"

namespace bantam::compiler {
namespace {

constexpr double kClear = 1.02;  // times of which one is less than this many times the other are equal

bool is_slower(const Graph& int8, const PassContext& single, const PassContext& half) {
  const std::vector<std::vector<std::byte>> plans = {finish(int8, single).plan, finish(int8, half).plan};
  const std::vector<PlanTimes> times = single.options.op_timer(plans);
  return times.at(1).total_ms > kClear * times.at(0).total_ms;
}

}  // namespace

bool choose_halves(const Graph& int8, const Judge* judge, const PassContext& context) {
  PassContext half = context;
  half.halves = true;
  if (judge != nullptr) {
    Graph narrowed = int8;
    narrow_weights(narrowed, half);
    if (judge->judge(narrowed).drop > *context.options.max_drop) return false;
  }
  return !context.options.op_timer || !is_slower(int8, context, half);
}

}  // namespace bantam::compiler
