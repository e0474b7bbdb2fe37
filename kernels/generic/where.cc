#include "kernel_list.h"
#include "kernel_support.h"
#include "layout.h"

namespace bantam::kernels {

namespace {

// T: any type of the element's size.
template <typename T>
class WhereKernel final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& y = context.output();
    loop_ = make_loop<4>({broadcast_layout(context.input(0), y), broadcast_layout(context.input(1), y),
                          broadcast_layout(context.input(2), y), layout_of(y)});
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const auto* condition = input_as<uint8_t>(context, 0);
    const T* a = input_as<T>(context, 1);
    const T* b = input_as<T>(context, 2);
    T* y = output_as<T>(context);
    const int64_t sc = loop_.row_stride(0), sa = loop_.row_stride(1), sb = loop_.row_stride(2);
    const int64_t sy = loop_.row_stride(3);
    for_each_run(context.threads, loop_, 4, [&](const int64_t* offsets, int64_t count) {
      const uint8_t* pc = condition + offsets[0];
      const T* pa = a + offsets[1];
      const T* pb = b + offsets[2];
      T* py = y + offsets[3];
      for (int64_t i = 0; i < count; ++i) py[i * sy] = pc[i * sc] != 0 ? pa[i * sa] : pb[i * sb];
    });
    return ok_status();
  }

 private:
  Loop<4> loop_;
};

}  // namespace

// Relies on: a bool condition, a, b and y of one dtype (and, for int8, one quantization), shapes broadcasting
// to y's.
Status create_where(const OpContext& context, Kernel** out) {
  switch (element_size(context.output().dtype)) {
    case 1:
      return make_kernel<WhereKernel<uint8_t>>(context, out);
    case 2:
      return make_kernel<WhereKernel<uint16_t>>(context, out);
    case 4:
      return make_kernel<WhereKernel<uint32_t>>(context, out);
    default:
      return make_kernel<WhereKernel<uint64_t>>(context, out);
  }
}

}  // namespace bantam::kernels
