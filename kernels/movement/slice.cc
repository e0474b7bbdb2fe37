#include "kernel_list.h"
#include "movement/strided_copy.h"

namespace bantam::kernels {

// Relies on: one start and one step per axis of x, y of the same rank and dtype, and for every axis
// 0 <= start + i * step < dim for all i below the output's dim (steps may be negative).
Status create_slice(const OpContext& context, Kernel** out) {
  const TensorInfo& y = context.output();
  const plan::Slice& attributes = *context.op->attributes_as_Slice();
  Layout from = layout_of(context.input(0));
  int64_t offset = 0;
  for (int32_t axis = 0; axis < y.rank; ++axis) {
    if (y.elements > 0) offset += (*attributes.starts())[axis] * from.strides[axis];
    from.strides[axis] *= (*attributes.steps())[axis];
    from.dims[axis] = y.dims[axis];
  }
  return create_strided_copy(context, from, offset, layout_of(y), 0, out);
}

}  // namespace bantam::kernels
