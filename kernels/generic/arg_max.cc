#include "kernel_list.h"
#include "kernel_support.h"
#include "layout.h"

namespace bantam::kernels {

namespace {

using plan::DType;

template <typename T>
class ArgMaxKernel final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const plan::ArgMax& attributes = *context.op->attributes_as_ArgMax();
    const int32_t axis = attributes.axis() < 0 ? attributes.axis() + x.rank : attributes.axis();
    const Layout from = layout_of(x), to = layout_of(context.output());
    Layout kept_x, kept_y;
    for (int32_t i = 0, out = 0; i < x.rank; ++i) {
      if (i == axis) {
        out += attributes.keep_dims();
        continue;
      }
      kept_x.dims[kept_x.rank] = kept_y.dims[kept_y.rank] = from.dims[i];
      kept_x.strides[kept_x.rank++] = from.strides[i];
      kept_y.strides[kept_y.rank++] = to.strides[out++];
    }
    loop_ = make_loop<2>({kept_x, kept_y});
    count_ = from.dims[axis];
    stride_ = from.strides[axis];
    minimum_ = attributes.minimum();
    last_ = attributes.select_last();
    return count_ == 0 ? unsupported(context, "an empty axis") : ok_status();
  }

  Status run(const RunContext& context) override {
    const T* x = input_as<T>(context, 0);
    int64_t* y = output_as<int64_t>(context);
    for_each_run(context.threads, loop_, count_, [&](const int64_t* offsets, int64_t n) {
      for (int64_t i = 0; i < n; ++i) {
        y[offsets[1] + i * loop_.row_stride(1)] = find(x + offsets[0] + i * loop_.row_stride(0));
      }
    });
    return ok_status();
  }

 private:
  int64_t find(const T* x) const {
    int64_t best = 0;
    for (int64_t i = 1; i < count_; ++i) {
      const T value = x[i * stride_], champion = x[best * stride_];
      const bool better = minimum_ ? value < champion : champion < value;
      if (better || (last_ && value == champion)) best = i;
    }
    return best;
  }

  Loop<2> loop_;
  int64_t count_ = 0, stride_ = 0;
  bool minimum_ = false, last_ = false;
};

}  // namespace

// Relies on: axis within x; y int64, its shape that of x with the axis 1 or left out. Quantized int8 needs
// nothing special, scales being positive.
Status create_arg_max(const OpContext& context, Kernel** out) {
  if (context.output().dtype != DType::kInt64) return unsupported(context, "positions are int64");
  switch (context.input(0).dtype) {
    case DType::kFloat32:
      return make_kernel<ArgMaxKernel<float>>(context, out);
    case DType::kInt8:
      return make_kernel<ArgMaxKernel<int8_t>>(context, out);
    case DType::kUInt8:
      return make_kernel<ArgMaxKernel<uint8_t>>(context, out);
    case DType::kInt32:
      return make_kernel<ArgMaxKernel<int32_t>>(context, out);
    case DType::kInt64:
      return make_kernel<ArgMaxKernel<int64_t>>(context, out);
    default:
      return unsupported(context, "not for this type");
  }
}

}  // namespace bantam::kernels
