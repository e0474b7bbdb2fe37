#include "kernel_list.h"
#include "kernel_support.h"
#include "layout.h"
#include "vector/float_rows.h"

namespace bantam::kernels {

namespace {

using plan::DType;

class SoftmaxKernel final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const plan::Softmax& attributes = *context.op->attributes_as_Softmax();
    if (x.rank == 0) return unsupported(context, "a scalar");
    if (attributes.axis() != -1 && attributes.axis() != x.rank - 1) {
      return unsupported(context, "a softmax is over the last axis");
    }
    row_ = softmax_row(attributes.log());
    length_ = x.dims[x.rank - 1];
    rows_ = length_ == 0 ? 0 : x.elements / length_;
    x_stride_ = x.pixel_stride;
    y_stride_ = context.output().pixel_stride;
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const float* x = input_as<float>(context, 0);
    float* y = output_as<float>(context);
    parallel_ranges(context.threads, rows_, tile_for(8 * length_), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) row_(x + i * x_stride_, y + i * y_stride_, length_);
    });
    return ok_status();
  }

 private:
  SoftmaxRow row_ = nullptr;
  int64_t rows_ = 0, length_ = 0, x_stride_ = 0, y_stride_ = 0;
};

}  // namespace

// Relies on: x and y of one shape. y may be the memory of x.
Status create_float_softmax(const OpContext& context, Kernel** out) {
  if (context.output().dtype != DType::kFloat32) {
    return unsupported(context, "a softmax takes float32 or int8");
  }
  return make_kernel<SoftmaxKernel>(context, out);
}

}  // namespace bantam::kernels
