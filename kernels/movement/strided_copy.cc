#include "movement/strided_copy.h"

#include <cstring>

namespace bantam::kernels {

namespace {

template <typename T>
void copy_elements(const char* from, int64_t from_stride, char* to, int64_t to_stride, int64_t count) {
  const T* source = reinterpret_cast<const T*>(from);
  T* target = reinterpret_cast<T*>(to);
  if (from_stride == 0 && to_stride == 1) {
    const T value = *source;
    for (int64_t i = 0; i < count; ++i) target[i] = value;
  } else if (to_stride == 1) {
    for (int64_t i = 0; i < count; ++i) target[i] = source[i * from_stride];
  } else {
    for (int64_t i = 0; i < count; ++i) target[i * to_stride] = source[i * from_stride];
  }
}

void copy_row(int64_t size, const char* from, int64_t from_stride, char* to, int64_t to_stride,
              int64_t count) {
  if (from_stride == 1 && to_stride == 1) {
    std::memcpy(to, from, static_cast<size_t>(count * size));
    return;
  }
  switch (size) {
    case 1:
      return copy_elements<uint8_t>(from, from_stride, to, to_stride, count);
    case 2:
      return copy_elements<uint16_t>(from, from_stride, to, to_stride, count);
    case 4:
      return copy_elements<uint32_t>(from, from_stride, to, to_stride, count);
    default:
      return copy_elements<uint64_t>(from, from_stride, to, to_stride, count);
  }
}

class StridedCopyKernel final : public Kernel {
 public:
  Status init(const OpContext&, const StridedCopy& copy) {
    copy_ = copy;
    return ok_status();
  }
  Status run(const RunContext& context) override {
    copy_.run(context.threads, context.inputs[0], context.outputs[0]);
    return ok_status();
  }

 private:
  StridedCopy copy_;
};

}  // namespace

StridedCopy::StridedCopy(size_t size, const Layout& from, int64_t from_offset, const Layout& to,
                         int64_t to_offset)
    : loop_(make_loop<2>({from, to})), offsets_{from_offset, to_offset}, size_(static_cast<int64_t>(size)) {
  in_place_ = true;
  for (int32_t axis = 0; axis < loop_.rank; ++axis) {
    in_place_ = in_place_ && loop_.strides[0][axis] == loop_.strides[1][axis];
  }
}

void StridedCopy::run(ThreadPool* threads, const void* from, void* to) const {
  const char* source = static_cast<const char*>(from) + offsets_[0] * size_;
  char* target = static_cast<char*>(to) + offsets_[1] * size_;
  if (source == target && in_place_) return;
  for_each_run(threads, loop_, 1, [&](const int64_t* offsets, int64_t count) {
    copy_row(size_, source + offsets[0] * size_, loop_.row_stride(0), target + offsets[1] * size_,
             loop_.row_stride(1), count);
  });
}

Status create_strided_copy(const OpContext& context, const Layout& from, int64_t from_offset,
                           const Layout& to, int64_t to_offset, Kernel** out) {
  return make_kernel<StridedCopyKernel>(
      context, out, StridedCopy(element_size(context.input(0).dtype), from, from_offset, to, to_offset));
}

void fill(void* to, int64_t count, int64_t stride, size_t size, uint64_t value) {
  copy_row(static_cast<int64_t>(size), reinterpret_cast<const char*>(&value), 0, static_cast<char*>(to),
           stride, count);
}

}  // namespace bantam::kernels
