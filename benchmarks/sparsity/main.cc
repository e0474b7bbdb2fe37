// Whether sparse kernels pay: the 1x1 and depthwise convolutions of MobileNetV2 in float32, dense and
// channels last, against XNNPACK's sparse ones, which are channels first, with and without the change of
// layout, and against bantam's, which is channels last. One thread; every figure is the least of many runs,
// all in turns.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <vector>

#include "operators.h"

namespace bantam::bench {
namespace {

constexpr double kSparsities[] = {0.5, 0.7, 0.8, 0.9};
constexpr int kRounds = 25;
constexpr double kRoundMs = 0.4;  // at least, of one operator in one round

// Of MobileNetV2 at 224 x 224; `count` layers of the kind.
struct Layer {
  Conv conv;
  int count;
};
constexpr Layer kPointwise[] = {
    {{112, 32, 16}, 1}, {{112, 16, 96}, 1}, {{56, 96, 24}, 1},  {{56, 24, 144}, 2}, {{56, 144, 24}, 1},
    {{28, 144, 32}, 1}, {{28, 32, 192}, 3}, {{28, 192, 32}, 2}, {{14, 192, 64}, 1}, {{14, 64, 384}, 4},
    {{14, 384, 64}, 3}, {{14, 384, 96}, 1}, {{14, 96, 576}, 3}, {{14, 576, 96}, 2}, {{7, 576, 160}, 1},
    {{7, 160, 960}, 3}, {{7, 960, 160}, 2}, {{7, 960, 320}, 1}, {{7, 320, 1280}, 1}};
constexpr Layer kDepthwise[] = {{{112, 32, 32, 3, 1, true}, 1},  {{112, 96, 96, 3, 2, true}, 1},
                                {{56, 144, 144, 3, 1, true}, 1}, {{56, 144, 144, 3, 2, true}, 1},
                                {{28, 192, 192, 3, 1, true}, 2}, {{28, 192, 192, 3, 2, true}, 1},
                                {{14, 384, 384, 3, 1, true}, 4}, {{14, 576, 576, 3, 1, true}, 2},
                                {{14, 576, 576, 3, 2, true}, 1}, {{7, 960, 960, 3, 1, true}, 3}};

double time_ms(const Operator& op, int repeats) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) op.run();
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
  return elapsed.count() / repeats;
}

// The least of many runs of each that was made, in turns.
std::vector<double> measure(const std::deque<Operator>& ops, const std::vector<bool>& made) {
  std::vector<double> best(ops.size(), 1e9);
  std::vector<int> repeats;
  for (size_t i = 0; i < ops.size(); ++i) {
    if (made[i]) time_ms(ops[i], 2);
    repeats.push_back(made[i] ? std::max(1, static_cast<int>(kRoundMs / time_ms(ops[i], 1))) : 0);
  }
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < ops.size(); ++i) {
      if (made[i]) best[i] = std::min(best[i], time_ms(ops[i], repeats[i]));
    }
  }
  return best;
}

constexpr size_t kCount = std::size(kSparsities);

struct Sums {
  double dense = 0, layout = 0;
  double sparse[kCount] = {}, own[kCount] = {}, faster[kCount] = {};  // faster: the least of dense and own
};

void print_speeds(const char* name, double dense, const std::vector<double>& ms) {
  std::printf(" |%s", name);
  for (const double time : ms) {
    if (time < 1e8)
      std::printf(" %5.2f", dense / time);
    else
      std::printf("     -");
  }
}

void measure_pointwise(Sums& sums) {
  std::printf(
      "1x1 convolutions: dense in ms; the others' speed relative to it at %.0f, %.0f, %.0f and %.0f %% "
      "zeros\n",
      100 * kSparsities[0], 100 * kSparsities[1], 100 * kSparsities[2], 100 * kSparsities[3]);
  for (const Layer& layer : kPointwise) {
    const Conv& c = layer.conv;
    std::deque<Operator> ops(3 + 2 * kCount);
    ops[0].make_channels_last(c);
    ops[1].make_transpose(c.size * c.size, c.in, true);
    ops[2].make_transpose(c.size * c.size, c.out, false);
    std::vector<bool> made(ops.size(), true);
    for (size_t s = 0; s < kCount; ++s) {
      made[3 + s] = ops[3 + s].make_channels_first(c, kSparsities[s]);
      made[3 + kCount + s] = ops[3 + kCount + s].make_own(c, kSparsities[s]);
    }
    const std::vector<double> ms = measure(ops, made);
    std::printf("%3zu^2 %5zu -> %-5zu %8.4f", c.size, c.in, c.out, ms[0]);
    std::vector<double> first, around, own;
    for (size_t s = 0; s < kCount; ++s) {
      first.push_back(ms[3 + s]);
      around.push_back(ms[3 + s] + ms[1] + ms[2]);
      own.push_back(ms[3 + kCount + s]);
      sums.sparse[s] += layer.count * first[s];
      sums.own[s] += layer.count * own[s];
      sums.faster[s] += layer.count * std::min(ms[0], own[s]);
    }
    print_speeds("channels first", ms[0], first);
    print_speeds("with layout changes", ms[0], around);
    print_speeds("bantam", ms[0], own);
    std::printf("\n");
    sums.dense += layer.count * ms[0];
    sums.layout += layer.count * (ms[1] + ms[2]);
  }
}

void measure_depthwise() {
  double last = 0, first = 0;
  for (const Layer& layer : kDepthwise) {
    std::deque<Operator> ops(2);
    ops[0].make_channels_last(layer.conv);
    if (!ops[1].make_channels_first(layer.conv, 0)) {
      std::printf("\ndepthwise convolutions, channels first: XNNPACK refuses them on this CPU\n");
      return;
    }
    const std::vector<double> ms = measure(ops, {true, true});
    last += layer.count * ms[0];
    first += layer.count * ms[1];
  }
  std::printf("\nall depthwise convolutions of MobileNetV2: channels last %.3f ms, first %.3f ms\n", last,
              first);
}

int run() {
  if (xnn_initialize(nullptr) != xnn_status_success) return 1;
  Sums sums;
  measure_pointwise(sums);
  measure_depthwise();
  std::printf(
      "\nall 1x1 convolutions of MobileNetV2: dense %.3f ms; changing the layout around each %.3f ms\n",
      sums.dense, sums.layout);
  for (size_t s = 0; s < kCount; ++s) {
    std::printf(
        "at %2.0f %% zeros: channels first %.3f ms, bantam's %.3f ms, the faster of it and dense %.3f ms\n",
        100 * kSparsities[s], sums.sparse[s], sums.own[s], sums.faster[s]);
  }
  return 0;
}

}  // namespace
}  // namespace bantam::bench

int main() { return bantam::bench::run(); }
