#include "kernel_list.h"
#include "movement/strided_copy.h"

namespace bantam::kernels {

// Copy and Reshape: the same elements in the same order, perhaps under another shape. Relies on: x and y of
// the same dtype and number of elements.
Status create_copy(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& y = context.output();
  if (same_shape(x, y)) return create_strided_copy(context, layout_of(x), 0, layout_of(y), 0, out);
  if (x.dense() && y.dense()) {
    Layout flat;
    flat.rank = 1;
    flat.dims[0] = x.elements;
    flat.strides[0] = 1;
    return create_strided_copy(context, flat, 0, flat, 0, out);
  }
  // One side has gaps between its rows: the other one is read by rows of the same length.
  const TensorInfo& gaps = x.dense() ? y : x;
  Layout rows[2];
  for (int i = 0; i < 2; ++i) {
    const TensorInfo& tensor = i == 0 ? x : y;
    if (tensor.rank == 0 || tensor.dims[tensor.rank - 1] != gaps.dims[gaps.rank - 1]) {
      if (!tensor.dense()) return unsupported(context, "a reshape of strided rows");
    }
    const int32_t length = gaps.dims[gaps.rank - 1];
    rows[i].rank = 2;
    rows[i].dims[0] = length == 0 ? 0 : tensor.elements / length;
    rows[i].dims[1] = length;
    rows[i].strides[0] = tensor.dense() ? length : tensor.pixel_stride;
    rows[i].strides[1] = 1;
  }
  return create_strided_copy(context, rows[0], 0, rows[1], 0, out);
}

}  // namespace bantam::kernels
