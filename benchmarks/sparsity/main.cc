// Whether XNNPACK's sparse kernels pay: the 1x1 and depthwise convolutions of MobileNetV2 in float32, channels
// last and dense against channels first and sparse, with and without the change of layout. One thread; every
// figure is the least of many runs, all in turns.
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
constexpr Layer kDepthwise[] = {
    {{112, 32, 32, 3, 1, true}, 1}, {{112, 96, 96, 3, 2, true}, 1}, {{56, 144, 144, 3, 1, true}, 1},
    {{56, 144, 144, 3, 2, true}, 1}, {{28, 192, 192, 3, 1, true}, 2}, {{28, 192, 192, 3, 2, true}, 1},
    {{14, 384, 384, 3, 1, true}, 4}, {{14, 576, 576, 3, 1, true}, 2}, {{14, 576, 576, 3, 2, true}, 1},
    {{7, 960, 960, 3, 1, true}, 3}};

double time_ms(const Operator& op, int repeats) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) op.run();
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
  return elapsed.count() / repeats;
}

// The least of many runs of each, in turns.
std::vector<double> measure(const std::deque<Operator>& ops) {
  std::vector<double> best(ops.size(), 1e9);
  std::vector<int> repeats;
  for (const Operator& op : ops) {
    time_ms(op, 2);
    repeats.push_back(std::max(1, static_cast<int>(kRoundMs / time_ms(op, 1))));
  }
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < ops.size(); ++i) best[i] = std::min(best[i], time_ms(ops[i], repeats[i]));
  }
  return best;
}

struct Sums {
  double dense = 0, layout = 0;
  double sparse[std::size(kSparsities)] = {};
};

void measure_pointwise(Sums& sums) {
  std::printf("%-18s %9s %9s", "1x1 convolution", "dense ms", "layout");
  for (const double sparsity : kSparsities) std::printf(" %8.0f%%", 100 * sparsity);
  std::printf("   (channels first, without the layout change)\n");
  for (const Layer& layer : kPointwise) {
    const Conv& c = layer.conv;
    std::deque<Operator> ops(3 + std::size(kSparsities));
    ops[0].make_channels_last(c, 0);
    ops[1].make_transpose(c.size * c.size, c.in, true);
    ops[2].make_transpose(c.size * c.size, c.out, false);
    for (size_t s = 0; s < std::size(kSparsities); ++s) ops[3 + s].make_channels_first(c, kSparsities[s]);
    const std::vector<double> ms = measure(ops);
    std::printf("%3zu^2 %5zu -> %-5zu %9.4f %9.4f", c.size, c.in, c.out, ms[0], ms[1] + ms[2]);
    for (size_t s = 0; s < std::size(kSparsities); ++s) {
      std::printf(" %8.4f%c", ms[3 + s], ms[3 + s] < ms[0] ? '*' : ' ');
      sums.sparse[s] += layer.count * ms[3 + s];
    }
    std::printf("\n");
    sums.dense += layer.count * ms[0];
    sums.layout += layer.count * (ms[1] + ms[2]);
  }
}

double measure_depthwise() {
  std::printf("\n%-18s %12s %14s\n", "depthwise 3x3", "last ms", "first ms");
  double difference = 0;
  for (const Layer& layer : kDepthwise) {
    const Conv& c = layer.conv;
    std::deque<Operator> ops(2);
    ops[0].make_channels_last(c, 0);
    ops[1].make_channels_first(c, 0);
    const std::vector<double> ms = measure(ops);
    std::printf("%3zu^2 %5zu s%zu %9s %9.4f %14.4f\n", c.size, c.in, c.stride, "", ms[0], ms[1]);
    difference += layer.count * (ms[1] - ms[0]);
  }
  return difference;
}

int run() {
  if (xnn_initialize(nullptr) != xnn_status_success) return 1;
  Sums sums;
  measure_pointwise(sums);
  const double depthwise = measure_depthwise();
  std::printf("\nall 1x1 convolutions of MobileNetV2: dense %.3f ms; layout changes around each %.3f ms more;\n",
              sums.dense, sums.layout);
  std::printf("all its depthwise convolutions, channels first: %+.3f ms\n", depthwise);
  for (size_t s = 0; s < std::size(kSparsities); ++s) {
    std::printf("sparse at %2.0f%%: %.3f ms (%.2fx dense), and with channels first throughout %.2fx\n",
                100 * kSparsities[s], sums.sparse[s], sums.sparse[s] / sums.dense,
                (sums.sparse[s] + depthwise) / sums.dense);
  }
  return 0;
}

}  // namespace
}  // namespace bantam::bench

int main() { return bantam::bench::run(); }
