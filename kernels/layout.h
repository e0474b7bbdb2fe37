// Where the elements of tensors are, and loops over several tensors of a common shape.
#pragma once

#include <cstdint>

#include "bantam/runtime/kernel.h"
#include "threads.h"

namespace bantam::kernels {

// Loops may have more axes than tensors (Tile splits each of them in two).
inline constexpr int kMaxLoopRank = 2 * kMaxRank;

// Shape and strides, both in elements.
struct Layout {
  int32_t rank = 0;
  int64_t dims[kMaxLoopRank] = {};
  int64_t strides[kMaxLoopRank] = {};
};

Layout layout_of(const TensorInfo& tensor);

// The layout of `tensor` read as if it had the shape `to`: ONNX broadcasting, axes aligned at the end. Relies
// on the shapes being compatible.
Layout broadcast_layout(const TensorInfo& tensor, const TensorInfo& to);

bool same_shape(const TensorInfo& a, const TensorInfo& b);

// A loop over N tensors. Axes of length 1 are gone and axes that are one in memory are joined, so rank is
// small; it is at least 1, and the last axis is the row that kernels work on.
template <int N>
struct Loop {
  int32_t rank = 1;
  int64_t dims[kMaxLoopRank] = {1};
  int64_t strides[N][kMaxLoopRank] = {};

  int64_t row_length() const { return dims[rank - 1]; }
  int64_t row_stride(int i) const { return strides[i][rank - 1]; }
  int64_t rows() const {
    int64_t count = 1;
    for (int32_t axis = 0; axis < rank - 1; ++axis) count *= dims[axis];
    return count;
  }
};

// The layouts must have one shape.
template <int N>
Loop<N> make_loop(const Layout (&layouts)[N]) {
  Loop<N> loop;
  int32_t rank = 0;
  for (int32_t axis = 0; axis < layouts[0].rank; ++axis) {
    const int64_t dim = layouts[0].dims[axis];
    if (dim == 1) continue;
    bool joins = rank > 0;
    for (int i = 0; i < N && joins; ++i) joins = loop.strides[i][rank - 1] == layouts[i].strides[axis] * dim;
    if (!joins) loop.dims[rank++] = 1;
    loop.dims[rank - 1] *= dim;
    for (int i = 0; i < N; ++i) loop.strides[i][rank - 1] = layouts[i].strides[axis];
  }
  loop.rank = rank == 0 ? 1 : rank;
  if (rank == 0) loop.dims[0] = 1;
  return loop;
}

// The same loop by rows of one element, which are contiguous whatever the strides.
template <int N>
Loop<N> single_elements(Loop<N> loop) {
  loop.dims[loop.rank++] = 1;
  return loop;
}

// Whether the rows of tensor i are.
template <int N>
bool contiguous_rows(const Loop<N>& loop, int i) {
  return loop.row_stride(i) == 1 || loop.row_length() == 1;
}

// Calls body(offsets, n) for runs of n elements along the last axis, which begin at `offsets` (in elements,
// one per tensor) and together cover the loop; in parallel. `cost` is that of one element, 1 for an addition.
template <int N, typename Body>
void for_each_run(ThreadPool* threads, const Loop<N>& loop, int64_t cost, const Body& body) {
  const int64_t length = loop.row_length();
  if (loop.rank == 1) {
    parallel_ranges(threads, length, tile_for(cost), [&](int64_t begin, int64_t end) {
      int64_t offsets[N];
      for (int i = 0; i < N; ++i) offsets[i] = begin * loop.strides[i][0];
      body(offsets, end - begin);
    });
    return;
  }
  if (length == 0) return;
  parallel_ranges(threads, loop.rows(), tile_for(cost * length), [&](int64_t begin, int64_t end) {
    int64_t index[kMaxLoopRank] = {};
    int64_t offsets[N] = {};
    int64_t rest = begin;
    for (int32_t axis = loop.rank - 2; axis >= 0; --axis) {
      index[axis] = rest % loop.dims[axis];
      rest /= loop.dims[axis];
      for (int i = 0; i < N; ++i) offsets[i] += index[axis] * loop.strides[i][axis];
    }
    for (int64_t row = begin; row < end; ++row) {
      body(offsets, length);
      for (int32_t axis = loop.rank - 2; axis >= 0; --axis) {
        for (int i = 0; i < N; ++i) offsets[i] += loop.strides[i][axis];
        if (++index[axis] < loop.dims[axis]) break;
        for (int i = 0; i < N; ++i) offsets[i] -= loop.dims[axis] * loop.strides[i][axis];
        index[axis] = 0;
      }
    }
  });
}

}  // namespace bantam::kernels
