#include "kernel_list.h"
#include "movement/strided_copy.h"

namespace bantam::kernels {

// Relies on: the shape of x broadcasts to that of y, same dtype.
Status create_expand(const OpContext& context, Kernel** out) {
  const TensorInfo& y = context.output();
  return create_strided_copy(context, broadcast_layout(context.input(0), y), 0, layout_of(y), 0, out);
}

// Relies on: x and y of one rank and dtype, every dim of y a multiple of that of x.
Status create_tile(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& y = context.output();
  const Layout in = layout_of(x), to = layout_of(y);
  // Each axis becomes two, the repeats and the axis itself.
  Layout source, target;
  source.rank = target.rank = 2 * y.rank;
  for (int32_t axis = 0; axis < y.rank; ++axis) {
    const int64_t repeats = x.dims[axis] == 0 ? 0 : y.dims[axis] / x.dims[axis];
    source.dims[2 * axis] = target.dims[2 * axis] = repeats;
    source.dims[2 * axis + 1] = target.dims[2 * axis + 1] = x.dims[axis];
    source.strides[2 * axis] = 0;
    source.strides[2 * axis + 1] = in.strides[axis];
    target.strides[2 * axis] = to.strides[axis] * x.dims[axis];
    target.strides[2 * axis + 1] = to.strides[axis];
  }
  return create_strided_copy(context, source, 0, target, 0, out);
}

}  // namespace bantam::kernels
