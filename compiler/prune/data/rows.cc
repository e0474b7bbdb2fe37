#include "prune/data/rows.h"

#include <algorithm>

#include "hash64.h"

namespace bantam::compiler {
namespace {

void gather_window(const Graph& graph, const Node& node, std::span<const float> x, int64_t pixel,
                   Eigen::Ref<RowMatrix> row) {
  const auto& conv = node.attrs<plan::Conv2dT>();
  const Shape& in = graph.shape(node.inputs[0]);
  const Shape& w = graph.shape(node.inputs[1]);
  const Shape& out = graph.shape(node.outputs[0]);
  const int64_t column = pixel % out[2];
  const int64_t line = pixel / out[2] % out[1];
  const int64_t batch = pixel / (out[2] * out[1]);
  float* to = row.data();
  for (int64_t kh = 0; kh < w[1]; ++kh) {
    const int64_t h = line * conv.stride_h - conv.pad_top + kh * conv.dilation_h;
    for (int64_t kw = 0; kw < w[2]; ++kw, to += in[3]) {
      const int64_t v = column * conv.stride_w - conv.pad_left + kw * conv.dilation_w;
      if (h < 0 || h >= in[1] || v < 0 || v >= in[2]) {
        std::fill_n(to, in[3], 0.0f);
      } else {
        std::copy_n(x.data() + ((batch * in[1] + h) * in[2] + v) * in[3], in[3], to);
      }
    }
  }
}

}  // namespace

bool is_dense_product(const Node& node) {
  if (node.code == OpCode::kFullyConnected) return true;
  return node.code == OpCode::kConv2d && node.attrs<plan::Conv2dT>().groups == 1;
}

int64_t row_length(const Graph& graph, const Node& node) {
  const Shape& w = graph.shape(node.inputs[1]);
  return element_count(w) / w[0];
}

PixelChoice::PixelChoice(const Graph& graph, const Node& node, int samples, int64_t rows)
    : seed_(hash64(node.name.data(), node.name.size())) {
  const Shape& y = graph.shape(node.outputs[0]);
  all_ = element_count(y) / y.back();
  per_sample_ = static_cast<int>(std::min(all_, (rows + samples - 1) / samples));
}

// One from each of as many equal stretches.
std::vector<int64_t> PixelChoice::pixels(int sample) const {
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < per_sample_; ++i) {
    const int64_t first = i * all_ / per_sample_;
    const int64_t length = (i + 1) * all_ / per_sample_ - first;
    const uint64_t key[] = {seed_, static_cast<uint64_t>(sample), static_cast<uint64_t>(i)};
    chosen.push_back(first + static_cast<int64_t>(hash64(key, sizeof(key)) % static_cast<uint64_t>(length)));
  }
  return chosen;
}

void gather_inputs(const Graph& graph, const Node& node, std::span<const float> x,
                   const std::vector<int64_t>& pixels, Eigen::Ref<RowMatrix> rows) {
  if (node.code == OpCode::kFullyConnected) return gather_pixels(x, pixels, rows);
  for (size_t i = 0; i < pixels.size(); ++i)
    gather_window(graph, node, x, pixels[i], rows.middleRows(static_cast<Eigen::Index>(i), 1));
}

void gather_pixels(std::span<const float> y, const std::vector<int64_t>& pixels, Eigen::Ref<RowMatrix> rows) {
  const size_t channels = static_cast<size_t>(rows.cols());
  for (size_t i = 0; i < pixels.size(); ++i) {
    std::copy_n(y.data() + static_cast<size_t>(pixels[i]) * channels, channels,
                rows.row(static_cast<Eigen::Index>(i)).data());
  }
}

}  // namespace bantam::compiler
