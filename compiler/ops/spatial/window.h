// What Conv, ConvTranspose and the pools share: a window that slides over one or two spatial dimensions. One
// is made two with height 1, so that the ops themselves are always 2-d.
#pragma once

#include <array>

#include "import/node_importer.h"

namespace bantam::compiler {

enum class AutoPad { kNotSet, kValid, kSameUpper, kSameLower };

// Height, then width.
struct Window {
  std::array<int64_t, 2> kernel = {1, 1};
  std::array<int64_t, 2> stride = {1, 1};
  std::array<int64_t, 2> dilation = {1, 1};
  std::array<int64_t, 2> pad_begin = {0, 0};
  std::array<int64_t, 2> pad_end = {0, 0};
  AutoPad auto_pad = AutoPad::kNotSet;

  // Pixels that the window spans.
  int64_t extent(size_t i) const { return dilation[i] * (kernel[i] - 1) + 1; }
};

// 1 or 2: how many spatial dimensions x [N,C,...] has. Fails for others.
int spatial_rank(const NodeImporter& n, ValueId x);
// [N,C,L] becomes [N,C,1,L]; a 4-d tensor stays.
ValueId add_height(NodeImporter& n, ValueId x);
// [N,C,1,L] becomes [N,C,L] when `spatial` is 1.
ValueId drop_height(NodeImporter& n, ValueId y, int spatial);

// Reads strides, dilations, pads and auto_pad. `kernel`: one size per spatial dimension.
Window read_window(NodeImporter& n, const std::vector<int64_t>& kernel);
// One entry per spatial dimension of an ints attribute, checked to be least..2^24; `otherwise` where left
// out.
std::array<int64_t, 2> read_pair(NodeImporter& n, std::string_view attr, int spatial, int64_t otherwise,
                                 int64_t least);
// Turns auto_pad into pads for an input [N,C,H,W].
void resolve_auto_pad(Window& window, const Shape& input);

// The fields that plan::Conv2dT and plan::Pool2dT share.
template <typename T>
void set_window(T& attributes, const Window& window) {
  attributes.stride_h = static_cast<int>(window.stride[0]);
  attributes.stride_w = static_cast<int>(window.stride[1]);
  attributes.dilation_h = static_cast<int>(window.dilation[0]);
  attributes.dilation_w = static_cast<int>(window.dilation[1]);
  attributes.pad_top = static_cast<int>(window.pad_begin[0]);
  attributes.pad_bottom = static_cast<int>(window.pad_end[0]);
  attributes.pad_left = static_cast<int>(window.pad_begin[1]);
  attributes.pad_right = static_cast<int>(window.pad_end[1]);
}

}  // namespace bantam::compiler
