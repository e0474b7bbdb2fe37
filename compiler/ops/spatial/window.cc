#include "ops/spatial/window.h"

#include <fmt/format.h>

#include <algorithm>

#include "ops/importers.h"

namespace bantam::compiler {
namespace {

constexpr int64_t kMostPixels = int64_t{1} << 24;

AutoPad read_auto_pad(NodeImporter& n) {
  const std::string text = n.attr_string("auto_pad", "NOTSET");
  if (text == "NOTSET" || text.empty()) return AutoPad::kNotSet;
  if (text == "VALID") return AutoPad::kValid;
  if (text == "SAME_UPPER") return AutoPad::kSameUpper;
  if (text == "SAME_LOWER") return AutoPad::kSameLower;
  n.fail(fmt::format("auto_pad '{}'; supported: NOTSET, VALID, SAME_UPPER, SAME_LOWER", text));
}

void read_pads(NodeImporter& n, int spatial, Window& window) {
  const size_t count = static_cast<size_t>(spatial);
  const std::vector<int64_t> pads = n.attr_ints("pads");
  if (pads.empty()) return;
  if (pads.size() != 2 * count)
    n.fail(fmt::format("pads has {} entries, it must have {}", pads.size(), 2 * count));
  for (size_t i = 0; i < count; ++i) {
    window.pad_begin[i + 2 - count] = checked_int(n, pads[i], "pads", 0, kMostPixels);
    window.pad_end[i + 2 - count] = checked_int(n, pads[i + count], "pads", 0, kMostPixels);
  }
  const bool padded = std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad != 0; });
  if (padded && window.auto_pad != AutoPad::kNotSet) n.fail("pads and auto_pad exclude each other");
}

}  // namespace

int spatial_rank(const NodeImporter& n, ValueId x) {
  const int rank = n.rank_of(x);
  if (rank == 3 || rank == 4) return rank - 2;
  n.fail(fmt::format("input [{}]; supported: [N,C,L] and [N,C,H,W]", to_string(n.shape_of(x))));
}

ValueId add_height(NodeImporter& n, ValueId x) {
  Shape shape = n.shape_of(x);
  if (shape.size() == 3) shape.insert(shape.begin() + 2, 1);
  return n.reshape(x, shape);
}

ValueId drop_height(NodeImporter& n, ValueId y, int spatial) {
  Shape shape = n.shape_of(y);
  if (spatial == 1) shape.erase(shape.begin() + 2);
  return n.reshape(y, shape);
}

std::array<int64_t, 2> read_pair(NodeImporter& n, std::string_view attr, int spatial, int64_t otherwise,
                                 int64_t least) {
  std::array<int64_t, 2> pair = {otherwise, otherwise};
  const size_t count = static_cast<size_t>(spatial);
  const std::vector<int64_t> values = n.attr_ints(attr);
  if (values.empty()) return pair;
  if (values.size() != count)
    n.fail(fmt::format("{} has {} entries, it must have {}", attr, values.size(), count));
  for (size_t i = 0; i < count; ++i)
    pair[i + 2 - count] = checked_int(n, values[i], attr, least, kMostPixels);
  return pair;
}

Window read_window(NodeImporter& n, const std::vector<int64_t>& kernel) {
  const int spatial = static_cast<int>(kernel.size());
  Window window;
  for (size_t i = 0; i < kernel.size(); ++i) {
    window.kernel[i + 2 - kernel.size()] = checked_int(n, kernel[i], "kernel_shape", 1, kMostPixels);
  }
  window.stride = read_pair(n, "strides", spatial, 1, 1);
  window.dilation = read_pair(n, "dilations", spatial, 1, 1);
  for (size_t i = 0; i < 2; ++i) checked_int(n, window.extent(i), "the window's extent", 1, kMostPixels);
  window.auto_pad = read_auto_pad(n);
  read_pads(n, spatial, window);
  return window;
}

// ONNX Conv: SAME pads so that output = ceil(input / stride); an odd pixel goes to the end (UPPER) or begin
// (LOWER).
void resolve_auto_pad(Window& window, const Shape& input) {
  if (window.auto_pad == AutoPad::kNotSet || window.auto_pad == AutoPad::kValid) return;
  for (size_t i = 0; i < 2; ++i) {
    const int64_t in = input[i + 2];
    const int64_t out = (in + window.stride[i] - 1) / window.stride[i];
    const int64_t total = std::max<int64_t>((out - 1) * window.stride[i] + window.extent(i) - in, 0);
    const int64_t less = total / 2;
    window.pad_begin[i] = window.auto_pad == AutoPad::kSameUpper ? less : total - less;
    window.pad_end[i] = total - window.pad_begin[i];
  }
}

}  // namespace bantam::compiler
