#pragma once

#include "layout.h"

namespace bantam::kernels {

// The loop over x and y of one shape, either of which may have a pixel stride; its rows are dense in both.
inline Loop<2> loop_over_rows(const TensorInfo& x, const TensorInfo& y) {
  Loop<2> loop = make_loop({layout_of(x), layout_of(y)});
  if (loop.row_stride(0) != 1 || loop.row_stride(1) != 1) {
    loop.dims[loop.rank] = loop.strides[0][loop.rank] = loop.strides[1][loop.rank] = 1;
    ++loop.rank;
  }
  return loop;
}

}  // namespace bantam::kernels
