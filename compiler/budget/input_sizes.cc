#include "budget/input_sizes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bantam/compiler/error.h"
#include "import/resized_input.h"

namespace bantam::compiler {
namespace {

constexpr double kShares[] = {7.0 / 8, 3.0 / 4, 5.0 / 8, 1.0 / 2};

int64_t stride_of(const Graph& graph, const Node& node) {
  if (node.code == OpCode::kConv2d) {
    const auto& conv = node.attrs<plan::Conv2dT>();
    return std::max(conv.stride_h, conv.stride_w);
  }
  const bool pools = node.code == OpCode::kAveragePool2d || node.code == OpCode::kMaxPool2d;
  if (!pools || pools_whole_map(graph, node)) return 1;
  const auto& pool = node.attrs<plan::Pool2dT>();
  return std::max(pool.stride_h, pool.stride_w);
}

// The largest product of strides on a way through the network.
int64_t total_stride(const Graph& graph) {
  std::vector<int64_t> strides(graph.values.size(), 1);
  int64_t total = 1;
  for (const Node& node : graph.nodes) {
    int64_t stride = 1;
    for (ValueId id : node.inputs) {
      if (id != kNoValue) stride = std::max(stride, strides[static_cast<size_t>(id)]);
    }
    stride = std::min<int64_t>(stride * stride_of(graph, node), INT32_MAX);
    for (ValueId id : node.outputs) strides[static_cast<size_t>(id)] = stride;
    total = std::max(total, stride);
  }
  return total;
}

// For sides of `height` and `width` pixels.
std::vector<InputSize> shares(int64_t height, int64_t width, int64_t multiple) {
  const int64_t short_side = std::min(height, width), long_side = std::max(height, width);
  std::vector<InputSize> sizes;
  int64_t last = short_side;
  for (double share : kShares) {
    const double multiples = share * static_cast<double>(short_side) / static_cast<double>(multiple);
    const int64_t side = std::lround(multiples) * multiple;
    if (side < 1 || side >= last) continue;
    last = side;
    const auto other = static_cast<int>(side * long_side / short_side);
    const auto own = static_cast<int>(side);
    sizes.push_back(height <= width ? InputSize{own, other} : InputSize{other, own});
  }
  return sizes;
}

// An image of another size than the input's cannot be told from the options where nothing says how it is made
// to fit.
void check_images(const std::optional<ImageOptions>& image, const Shape& input) {
  if (!image) return;
  if (image->crop > 0 && image->resize == 0)
    throw CompileError("--crop cuts from images of any size; give --resize, which can shrink in proportion");
  if (image->resize > 0 && image->crop == 0 && input[2] != input[3])
    throw CompileError(
        "--resize leaves the long side to each image; give --crop, or images of the input's size");
}

void check_samples(const CompileOptions& options) {
  const bool resizable = (!options.calibration || options.calibration->resized) &&
                         (!options.test || options.test->samples.resized);
  if (!resizable) throw CompileError("the samples cannot be had at another size");
}

}  // namespace

SmallerInputs smaller_inputs(const Graph& graph, const std::string& onnx_path, const CompileOptions& options,
                             const Evaluator& evaluate) {
  SmallerInputs result;
  try {
    check_resizable(graph);
    const Shape& input = graph.shape(graph.inputs[0]);
    check_images(options.image, input);
    check_samples(options);
    const int64_t multiple = total_stride(graph);
    for (const InputSize& size : shares(input[2], input[3], multiple)) {
      try {
        load_model(onnx_path, options_at(size, options), evaluate);
        result.sizes.push_back(size);
      } catch (const CompileError& error) {
        if (result.refusal.empty()) result.refusal = fmt::format("at {}, {}", size_text(size), error.what());
      }
    }
    if (result.sizes.empty() && result.refusal.empty())
      result.refusal =
          fmt::format("no multiple of {}, by which the network divides it, is smaller than {}x{}", multiple,
                      input[2], input[3]);
  } catch (const CompileError& error) {
    result.refusal = error.what();
  }
  return result;
}

CompileOptions options_at(const InputSize& size, CompileOptions options) {
  if (size.is_own()) return options;
  options.input_size = size;
  if (options.image) {
    ImageOptions& image = *options.image;
    const int side = std::min(size.height, size.width);
    // A crop is the whole input; a resized image without it is, too.
    image.resize = image.crop == 0
                       ? side
                       : static_cast<int>(std::lround(image.resize * static_cast<double>(side) / image.crop));
    if (image.crop > 0) image.crop = side;
  }
  if (options.calibration && options.calibration->resized)
    options.calibration = options.calibration->resized(size, options.image);
  if (options.test && options.test->samples.resized)
    options.test->samples = options.test->samples.resized(size, options.image);
  return options;
}

}  // namespace bantam::compiler
