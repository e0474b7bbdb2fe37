#include "layout.h"

namespace bantam::kernels {

Layout layout_of(const TensorInfo& tensor) {
  Layout layout;
  layout.rank = tensor.rank;
  int64_t stride = 1;
  for (int32_t axis = tensor.rank - 1; axis >= 0; --axis) {
    layout.dims[axis] = tensor.dims[axis];
    layout.strides[axis] = stride;
    stride = axis == tensor.rank - 1 ? tensor.pixel_stride : stride * tensor.dims[axis];
  }
  return layout;
}

Layout broadcast_layout(const TensorInfo& tensor, const TensorInfo& to) {
  const Layout own = layout_of(tensor);
  Layout layout;
  layout.rank = to.rank;
  for (int32_t axis = 0; axis < to.rank; ++axis) {
    layout.dims[axis] = to.dims[axis];
    const int32_t from = axis - (to.rank - tensor.rank);
    if (from >= 0 && own.dims[from] != 1) layout.strides[axis] = own.strides[from];
  }
  return layout;
}

bool same_shape(const TensorInfo& a, const TensorInfo& b) {
  if (a.rank != b.rank) return false;
  for (int32_t axis = 0; axis < a.rank; ++axis) {
    if (a.dims[axis] != b.dims[axis]) return false;
  }
  return true;
}

}  // namespace bantam::kernels
