// The first convolution of an image network has 1 to 4 input channels, of which int8 kernels pad to 8.
// Folding `fold` neighbouring columns into channels (N,H,W,C as N,H,W/fold,C*fold) makes fewer, fuller taps:
// 7x7 stride 2 over 224x224x3 becomes 7x4 stride (2,1) over 224x112x6, with zeros in the new weights.
#include <algorithm>

#include "passes/pass.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

constexpr int64_t kPaddedChannels = 8;  // to which XNNPACK's int8 kernels round up the channels of a tap

struct Folding {
  int64_t fold = 0;      // columns per new pixel = the old stride
  int64_t kernel_w = 0;  // of the new weights
  int64_t shift = 0;     // columns between the new window's start and the old one's
  int32_t pad_left = 0;  // in new pixels
  int32_t pad_right = 0;
};

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

// Old column of output o, tap k: o * stride - pad_left + k. In folds of `stride` columns: o + (k - pad_left)
// / stride.
Folding folding_of(const Graph& graph, const Node& node) {
  const auto& conv = node.attrs<plan::Conv2dT>();
  const Shape& x = graph.shape(node.inputs[0]);
  const Shape& w = graph.shape(node.inputs[1]);
  Folding f;
  f.fold = conv.stride_w;
  const bool suits = conv.groups == 1 && conv.dilation_w == 1 && f.fold > 1 &&
                     x[3] * f.fold <= kPaddedChannels && x[2] % f.fold == 0;
  if (!suits) return Folding{};
  const int64_t first = floor_div(-conv.pad_left, f.fold);
  const int64_t last = floor_div(w[2] - 1 - conv.pad_left, f.fold);
  f.kernel_w = last - first + 1;
  f.pad_left = static_cast<int32_t>(-first);
  f.shift = conv.pad_left - f.pad_left * f.fold;  // <= 0: columns of the first fold before the old window
  const int64_t output_w = graph.shape(node.outputs[0])[2];
  f.pad_right = static_cast<int32_t>((output_w - 1) + f.kernel_w - f.pad_left - x[2] / f.fold);
  if (f.pad_right < 0) return Folding{};  // the last columns would not be read: rare, left alone
  const int64_t taps_before = w[2] * kPaddedChannels;
  return f.kernel_w * kPaddedChannels < taps_before ? f : Folding{};
}

Tensor folded_weights(const Tensor& weights, const Folding& f) {
  const Shape& w = weights.type.shape;  // O, KH, KW, C
  const int64_t channels = w[3];
  Tensor result(TensorType{DType::kInt8, {w[0], w[1], f.kernel_w, channels * f.fold}});
  const std::span<const int8_t> source = weights.as<int8_t>();
  const std::span<int8_t> target = result.as<int8_t>();
  for (int64_t row = 0; row < w[0] * w[1]; ++row) {
    for (int64_t k = 0; k < w[2]; ++k) {
      const int64_t column = k - f.shift;  // counted from the new window's start
      for (int64_t c = 0; c < channels; ++c) {
        target[static_cast<size_t>((row * f.kernel_w * f.fold + column) * channels + c)] =
            source[static_cast<size_t>((row * w[2] + k) * channels + c)];
      }
    }
  }
  return result;
}

}  // namespace

void fold_stem(Graph& graph, PassContext&) {
  Rewriter rewriter(graph);
  for (Node& node : rewriter.old_nodes()) {
    const bool candidate = node.code == OpCode::kConv2d && graph.dtype(node.inputs[0]) == DType::kInt8;
    const Folding f = candidate ? folding_of(graph, node) : Folding{};
    if (f.fold == 0) {
      rewriter.keep(std::move(node));
      continue;
    }
    const Shape x = graph.shape(node.inputs[0]);
    const ValueId folded = rewriter.add(OpCode::kReshape, node.name, {node.inputs[0]}, {},
                                        TensorType{DType::kInt8, {x[0], x[1], x[2] / f.fold, x[3] * f.fold}});
    graph.value(folded).quantization = graph.value(node.inputs[0]).quantization;
    const Value old_weights = graph.value(node.inputs[1]);
    const ValueId weights = graph.add_constant(old_weights.name, folded_weights(*old_weights.constant, f));
    graph.value(weights).quantization = old_weights.quantization;
    auto& conv = node.attrs<plan::Conv2dT>();
    conv.stride_w = 1;
    conv.pad_left = f.pad_left;
    conv.pad_right = f.pad_right;
    node.inputs[0] = folded;
    node.inputs[1] = weights;
    rewriter.keep(std::move(node));
  }
}

}  // namespace bantam::compiler
