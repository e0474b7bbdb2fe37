#include "prune/data/samples.h"

#include <fmt/format.h>

#include <algorithm>

#include "bantam/compiler/error.h"
#include "quantize/calibrate.h"
#include "quantize/sample_halves.h"

namespace bantam::compiler {
namespace {

constexpr size_t kKeptBytes = size_t{256} << 20;  // of samples

// Copy number `copy` of an NHWC image of bytes: odd ones are mirrored, those from 2 on shifted by a
// sixteenth, with the border repeated.
void vary(TensorData& image, int copy) {
  const int64_t rows = image.shape[1];
  const int64_t columns = image.shape[2];
  const int64_t pixel = image.shape[3];
  const int64_t down = copy < 2 ? 0 : std::max<int64_t>(rows / 16, 1);
  const int64_t right = copy < 2 ? 0 : std::max<int64_t>(columns / 16, 1);
  const std::vector<std::byte> from = image.bytes;
  for (int64_t y = 0; y < rows; ++y) {
    for (int64_t x = 0; x < columns; ++x) {
      const int64_t line = std::min(y + down, rows - 1);
      const int64_t column = std::min(copy % 2 == 0 ? x + right : columns - 1 - x + right, columns - 1);
      std::copy_n(from.data() + (line * columns + column) * pixel, pixel,
                  image.bytes.data() + (y * columns + x) * pixel);
    }
  }
}

int copies_of(int images, int most) { return 4 * images <= most ? 4 : 2 * images <= most ? 2 : 1; }

}  // namespace

CalibrationSamples::CalibrationSamples(const Graph& graph, const PassContext& context, int most)
    : CalibrationSamples(graph, context, most, every_sample(context.options.calibration->count)) {}

CalibrationSamples::CalibrationSamples(const Graph& graph, const PassContext& context, int most,
                                       std::vector<int> from)
    : context_(context),
      source_(*context.options.calibration),
      from_(std::move(from)),
      images_(std::min(most, static_cast<int>(from_.size()))),
      copies_(context.options.image ? copies_of(images_, most) : 1),
      count_(copies_ * images_) {
  if (count_ < 1) throw CompileError("the calibration data has no samples");
  keep(graph);
}

std::vector<TensorData> CalibrationSamples::load(int sample) const {
  const int image = sample / copies_;
  std::vector<TensorData> tensors = image < static_cast<int>(kept_.size())
                                        ? kept_[static_cast<size_t>(image)]
                                        : source_.load(index_in_source(image));
  if (sample % copies_ > 0) vary(tensors[0], sample % copies_);
  return tensors;
}

int CalibrationSamples::index_in_source(int image) const {
  return from_[static_cast<size_t>(image) * from_.size() / static_cast<size_t>(images_)];
}

void CalibrationSamples::keep(const Graph& graph) {
  size_t bytes = 0;
  for (const TensorData& tensor : source_.load(0)) bytes += tensor.bytes.size();
  const size_t fitting = kKeptBytes / std::max<size_t>(bytes, 1);
  std::vector<std::vector<TensorData>> kept(std::min(fitting, static_cast<size_t>(images_)));
  for_each_index(images_, context_.options, [&](int i) {
    std::vector<TensorData> sample = source_.load(index_in_source(i));
    check_sample(graph, index_in_source(i), sample);
    if (static_cast<size_t>(i) < kept.size()) kept[static_cast<size_t>(i)] = std::move(sample);
  });
  kept_ = std::move(kept);
}

std::string CalibrationSamples::description() const {
  return fmt::format("{} samples{}", images_,
                     copies_ == 1   ? ""
                     : copies_ == 2 ? " and their mirror images"
                                    : ", mirrored and shifted, too");
}

std::vector<int> CalibrationSamples::all() const { return every_sample(count_); }

std::vector<int> CalibrationSamples::fitted() const {
  std::vector<int> samples;
  for (int i = 0; i < count_; ++i) {
    if (!is_held_out(i)) samples.push_back(i);
  }
  return samples;
}

std::vector<int> CalibrationSamples::held_out(int most) const {
  std::vector<int> held;
  for (int i = 0; i < count_; ++i) {
    if (is_held_out(i)) held.push_back(i);
  }
  if (held.empty()) held = fitted();
  const int64_t all = static_cast<int64_t>(held.size());
  std::vector<int> samples;
  for (int64_t i = 0; i < std::min<int64_t>(all, most); ++i)
    samples.push_back(held[static_cast<size_t>(i * all / std::min<int64_t>(all, most))]);
  return samples;
}

void CalibrationSamples::run(const Graph& graph, const std::vector<ValueId>& wanted,
                             const Observer& observer) const {
  run(graph, wanted, observer, all());
}

void CalibrationSamples::run(const Graph& graph, const std::vector<ValueId>& wanted, const Observer& observer,
                             const std::vector<int>& which) const {
  const auto at = [&](int position) { return load(which[static_cast<size_t>(position)]); };
  run_samples(graph, wanted, {static_cast<int>(which.size()), at}, observer, context_);
}

}  // namespace bantam::compiler
