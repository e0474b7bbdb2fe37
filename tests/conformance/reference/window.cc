// Conv, ConvTranspose and pooling, with any number of spatial axes.
#include <algorithm>
#include <cmath>

#include "reference/node.h"

namespace bantam::tests {
namespace {

// Attributes per spatial axis.
struct Window {
  Index kernel, strides, dilations, begin, end;

  size_t axes() const { return kernel.size(); }
  int64_t extent(size_t a) const { return (kernel[a] - 1) * dilations[a] + 1; }
};

Window read_window(const Node& node, const Index& kernel) {
  const size_t axes = kernel.size();
  Window window{kernel, node.is("strides", Index(axes, 1)), node.is("dilations", Index(axes, 1)), {}, {}};
  const Index pads = node.is("pads", Index(2 * axes, 0));
  window.begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
  window.end.assign(pads.begin() + static_cast<std::ptrdiff_t>(axes), pads.end());
  return window;
}

Index spatial(const Array& x) { return Index(x.shape.begin() + 2, x.shape.end()); }

// auto_pad SAME_*: as many outputs as strides fit.
void pad_same(const Node& node, const Index& input, Window* window) {
  const std::string mode = node.s("auto_pad", "NOTSET");
  if (!mode.starts_with("SAME")) return;
  for (size_t a = 0; a < window->axes(); ++a) {
    const int64_t stride = window->strides[a], outputs = (input[a] + stride - 1) / stride;
    const int64_t total = std::max<int64_t>((outputs - 1) * stride + window->extent(a) - input[a], 0);
    window->begin[a] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
    window->end[a] = total - window->begin[a];
  }
}

int64_t output_size(const Window& window, size_t a, int64_t input, bool ceil) {
  const int64_t room = input + window.begin[a] + window.end[a] - window.extent(a), stride = window.strides[a];
  int64_t size = (ceil ? (room + stride - 1) / stride : room / stride) + 1;
  if (ceil && (size - 1) * stride >= input + window.begin[a])
    --size;  // a window must not start in the end padding
  return size;
}

// Index [n, c, spatial...] of the input that tap `k` of output `at` reads; it may lie in the padding.
Index tap(const Window& window, const Index& at, const Index& k, int64_t channel) {
  Index source = {at[0], channel};
  for (size_t a = 0; a < window.axes(); ++a) {
    source.push_back(at[a + 2] * window.strides[a] - window.begin[a] + k[a] * window.dilations[a]);
  }
  return source;
}

bool inside(const Index& index, const Index& shape) {
  for (size_t i = 0; i < shape.size(); ++i) {
    if (index[i] < 0 || index[i] >= shape[i]) return false;
  }
  return true;
}

Array conv(const Node& node) {
  const Array &x = node.in(0), &w = node.in(1);
  Window window = read_window(node, spatial(w));
  pad_same(node, spatial(x), &window);
  const int64_t groups = node.i("group", 1), per_group = w.shape[1], outputs = w.shape[0] / groups;
  Index shape = {x.shape[0], w.shape[0]};
  for (size_t a = 0; a < window.axes(); ++a) shape.push_back(output_size(window, a, x.shape[a + 2], false));
  return make(shape, [&](const Index& at) {
    double sum = node.has_in(2) ? node.in(2).at({at[1]}) : 0;
    for (int64_t c = 0; c < per_group; ++c) {
      for_each_index(window.kernel, [&](const Index& k) {
        const Index source = tap(window, at, k, at[1] / outputs * per_group + c);
        Index weight = {at[1], c};
        weight.insert(weight.end(), k.begin(), k.end());
        if (inside(source, x.shape)) sum += x.at(source) * w.at(weight);
      });
    }
    return sum;
  });
}

// The shape of ConvTranspose's output; fixes the padding where output_shape or auto_pad ask for a shape.
Index transposed_shape(const Node& node, const Array& x, int64_t channels, Window* window) {
  const Index extra = node.is("output_padding", Index(window->axes(), 0)),
              wanted = node.is("output_shape", {});
  const std::string mode = node.s("auto_pad", "NOTSET");
  Index shape = {x.shape[0], channels};
  for (size_t a = 0; a < window->axes(); ++a) {
    const int64_t whole = window->strides[a] * (x.shape[a + 2] - 1) + extra[a] + window->extent(a);
    if (!wanted.empty() || mode.starts_with("SAME")) {
      const int64_t size = wanted.empty() ? x.shape[a + 2] * window->strides[a] : wanted[a];
      const int64_t total = std::max<int64_t>(whole - size, 0);
      window->begin[a] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      window->end[a] = total - window->begin[a];
    }
    shape.push_back(whole - window->begin[a] - window->end[a]);
  }
  return shape;
}

Array conv_transpose(const Node& node) {
  const Array &x = node.in(0), &w = node.in(1);
  Window window = read_window(node, spatial(w));
  const int64_t groups = node.i("group", 1), inputs = w.shape[0] / groups, outputs = w.shape[1];
  const Index shape = transposed_shape(node, x, outputs * groups, &window);
  Array y = make(shape, [&](const Index& at) { return node.has_in(2) ? node.in(2).at({at[1]}) : 0; });
  for_each_index(x.shape, [&](const Index& from) {
    for (int64_t o = 0; o < outputs; ++o) {
      for_each_index(window.kernel, [&](const Index& k) {
        Index to = {from[0], from[1] / inputs * outputs + o}, weight = {from[1], o};
        for (size_t a = 0; a < window.axes(); ++a) {
          to.push_back(from[a + 2] * window.strides[a] + k[a] * window.dilations[a] - window.begin[a]);
        }
        weight.insert(weight.end(), k.begin(), k.end());
        if (inside(to, shape)) y.at(to) += x.at(from) * w.at(weight);
      });
    }
  });
  return y;
}

Array pool(const Node& node, bool average) {
  const Array& x = node.in(0);
  const bool global = node.proto.op_type().starts_with("Global");
  Window window = read_window(node, global ? spatial(x) : node.is("kernel_shape", {}));
  pad_same(node, spatial(x), &window);
  const bool count_padding = node.i("count_include_pad", 0) != 0;
  Index shape = {x.shape[0], x.shape[1]}, padded = x.shape;
  for (size_t a = 0; a < window.axes(); ++a) {
    shape.push_back(output_size(window, a, x.shape[a + 2], node.i("ceil_mode", 0) != 0));
    padded[a + 2] += window.end[a];
  }
  return make(shape, [&](const Index& at) {
    double sum = 0, most = -HUGE_VAL;
    int64_t taken = 0, counted = 0;
    for_each_index(window.kernel, [&](const Index& k) {
      const Index source = tap(window, at, k, at[1]);
      bool within_padding = true;
      for (size_t i = 0; i < padded.size(); ++i) within_padding = within_padding && source[i] < padded[i];
      counted += within_padding ? 1 : 0;
      if (!inside(source, x.shape)) return;
      ++taken;
      sum += x.at(source);
      most = std::max(most, x.at(source));
    });
    return average ? sum / static_cast<double>(count_padding ? counted : taken) : most;
  });
}

}  // namespace

Outputs run_window(const Node& node) {
  const std::string& type = node.proto.op_type();
  if (type == "Conv") return {conv(node)};
  if (type == "ConvTranspose") return {conv_transpose(node)};
  if (type == "MaxPool" || type == "GlobalMaxPool") return {pool(node, false)};
  if (type == "AveragePool" || type == "GlobalAveragePool") return {pool(node, true)};
  return {};
}

}  // namespace bantam::tests
