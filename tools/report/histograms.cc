#include <algorithm>
#include <map>

#include "engine/evaluate.h"
#include "report/measure.h"

namespace bantam::tools {
namespace {

constexpr int64_t kMostSamples = 32;

class Histograms {
 public:
  Histograms(const Subject& subject, const Report& report) : subject_(subject) {
    std::map<std::string, size_t> known;
    for (size_t i = 0; i < report.ops.size(); ++i) {
      const bantam_tensor tensor = subject.plan.op_output(static_cast<int>(i), 0);
      if (tensor.dtype != BANTAM_INT8 || !(tensor.scale > 0) ||
          !known.try_emplace(tensor.name, all_.size()).second)
        continue;
      TensorHistogram& histogram = all_.emplace_back();
      histogram.tensor = tensor.name;
      histogram.low = tensor.scale * static_cast<float>(-128 - tensor.zero_point);
      histogram.high = tensor.scale * static_cast<float>(127 - tensor.zero_point);
    }
    for (int i = 0; i < subject.switched.model.info().op_count; ++i) {
      const auto found = known.find(subject.switched.model.op_output(i, 0).name);
      matching_.push_back(found == known.end() ? -1 : static_cast<int>(found->second));
    }
  }

  std::vector<TensorHistogram> run() {
    const int64_t count = std::min(subject_.count, kMostSamples);
    Network network = subject_.open_switched();
    std::vector<int64_t> seen(all_.size()), outside(all_.size());
    for (const bool counts : {false, true}) {
      for (int64_t sample = 0; sample < count; ++sample) {
        network.load(subject_.inputs, sample);
        network.observe(subject_.none(), [&](int op, const std::vector<float>& values) {
          const int found = matching_[static_cast<size_t>(op)];
          if (found < 0) return;
          const auto i = static_cast<size_t>(found);
          counts ? enter(all_[i], values, outside[i]) : widen(all_[i], values, seen[i]);
        });
      }
    }
    for (size_t i = 0; i < all_.size(); ++i) {
      all_[i].clipped = seen[i] == 0 ? 0 : static_cast<double>(outside[i]) / static_cast<double>(seen[i]);
    }
    for (size_t i = all_.size(); i-- > 0;) {
      if (seen[i] == 0) all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return std::move(all_);
  }

 private:
  static void widen(TensorHistogram& histogram, const std::vector<float>& values, int64_t& seen) {
    if (values.empty()) return;
    const auto [low, high] = std::ranges::minmax(values);
    histogram.min = seen == 0 ? low : std::min(histogram.min, low);
    histogram.max = seen == 0 ? high : std::max(histogram.max, high);
    seen += static_cast<int64_t>(values.size());
  }

  // Half a step beyond the range is still the nearest step.
  static void enter(TensorHistogram& histogram, const std::vector<float>& values, int64_t& outside) {
    const float half = (histogram.high - histogram.low) / 510;
    const float width = std::max(histogram.max - histogram.min, 1e-30f) / TensorHistogram::kBins;
    for (float x : values) {
      const auto bin = static_cast<int>((x - histogram.min) / width);
      ++histogram.counts[static_cast<size_t>(std::clamp(bin, 0, TensorHistogram::kBins - 1))];
      if (x < histogram.low - half || x > histogram.high + half) ++outside;
    }
  }

  const Subject& subject_;
  std::vector<TensorHistogram> all_;
  std::vector<int> matching_;  // by op of the switched network: of `all_`, or -1
};

}  // namespace

void measure_histograms(const Subject& subject, Report& report) {
  report.histograms = Histograms(subject, report).run();
}

}  // namespace bantam::tools
