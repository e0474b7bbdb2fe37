// Copies between tensors of one shape and other strides: what most ops that only move data come down to.
#pragma once

#include "kernel_support.h"
#include "layout.h"

namespace bantam::kernels {

// For elements of `size` bytes (1, 2, 4 or 8). Prepared once, run often.
class StridedCopy {
 public:
  StridedCopy() = default;
  // Layouts of one shape; offsets in elements.
  StridedCopy(size_t size, const Layout& from, int64_t from_offset, const Layout& to, int64_t to_offset);

  void run(ThreadPool* threads, const void* from, void* to) const;

 private:
  Loop<2> loop_;
  int64_t offsets_[2] = {};
  int64_t size_ = 1;
  bool in_place_ = false;  // equal strides: nothing to do when source and target are the same memory
};

// The kernel that copies input 0 to output 0.
Status create_strided_copy(const OpContext& context, const Layout& from, int64_t from_offset,
                           const Layout& to, int64_t to_offset, Kernel** out);

// Writes `count` elements that are `stride` elements apart.
void fill(void* to, int64_t count, int64_t stride, size_t size, uint64_t value);

}  // namespace bantam::kernels
