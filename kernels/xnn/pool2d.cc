#include <algorithm>

#include "generic/fallbacks.h"
#include "kernel_list.h"
#include "xnn/constants.h"
#include "xnn_support.h"

namespace bantam::kernels {

namespace {

using plan::DType;

// One axis of a pooling window.
struct Axis {
  int64_t input, output, kernel, stride, pad_before;

  // Padding after the input so that the last window ends with it; XNNPACK then computes `output` itself.
  int64_t pad_after() const {
    return std::max<int64_t>(0, (output - 1) * stride + kernel - pad_before - input);
  }
  // XNNPACK wants windows to overlap or touch, and each to hold an input pixel: it takes the border for the
  // padding.
  bool fits() const {
    constexpr int64_t kLargest = 256;
    return input > 0 && output > 0 && kernel > 0 && kernel <= kLargest && stride > 0 && stride <= kernel &&
           pad_before >= 0 && pad_before < kernel && (output - 1) * stride - pad_before < input;
  }
};

struct Window {
  Axis h, w;

  Window(const OpContext& context, const plan::Pool2d& a) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    h = {x.dims[1], y.dims[1], a.kernel_h(), a.stride_h(), a.pad_top()};
    w = {x.dims[2], y.dims[2], a.kernel_w(), a.stride_w(), a.pad_left()};
  }
  bool fits() const {
    return h.fits() && w.fits() && h.kernel * w.kernel > 1 &&
           indirection_fits(h.output * w.output, h.kernel * w.kernel);
  }
};

class PoolKernel : public XnnKernel {
 protected:
  using Reshape = xnn_status (*)(xnn_operator_t, size_t, size_t, size_t, size_t, size_t, size_t, size_t*,
                                 size_t*, pthreadpool_t);

  Status check(const OpContext& context, size_t height, size_t width) {
    const TensorInfo& y = context.output();
    if (height == size_t(y.dims[1]) && width == size_t(y.dims[2])) return ok_status();
    return unsupported(context, "the output's shape is not that of this pooling");
  }
};

// kType: of input and output: float32, float16 or int8.
template <DType kType>
class MaxPoolKernel final : public PoolKernel {
 public:
  Status init(const OpContext& context, const Window& window) {
    BANTAM_RETURN_IF_ERROR(begin(context));
    const TensorInfo& x = context.input(0);
    const Range range(context.op->attributes_as_Pool2d()->clamp());
    const Axis &h = window.h, &w = window.w;
    const auto create = [&](auto function, auto low, auto high) {
      return xnn_result(context, function(h.pad_before, w.pad_after(), h.pad_after(), w.pad_before, h.kernel,
                                          w.kernel, h.stride, w.stride, 1, 1, low, high, 0, &operator_));
    };
    if constexpr (kType == DType::kInt8) {
      BANTAM_RETURN_IF_ERROR(create(xnn_create_max_pooling2d_nhwc_s8, range.q_min, range.q_max));
    } else if constexpr (kType == DType::kFloat16) {
      BANTAM_RETURN_IF_ERROR(create(xnn_create_max_pooling2d_nhwc_f16, range.min, range.max));
    } else {
      BANTAM_RETURN_IF_ERROR(create(xnn_create_max_pooling2d_nhwc_f32, range.min, range.max));
    }
    size_t height = 0, width = 0;
    const Reshape reshape = kType == DType::kInt8      ? xnn_reshape_max_pooling2d_nhwc_s8
                            : kType == DType::kFloat16 ? xnn_reshape_max_pooling2d_nhwc_f16
                                                       : xnn_reshape_max_pooling2d_nhwc_f32;
    BANTAM_RETURN_IF_ERROR(
        finish(context, reshape(operator_, x.dims[0], x.dims[1], x.dims[2], x.dims[3], x.pixel_stride,
                                context.output().pixel_stride, &height, &width, pool_)));
    return check(context, height, width);
  }

 private:
  xnn_status setup(const RunContext& context) override {
    if constexpr (kType == DType::kInt8) {
      return xnn_setup_max_pooling2d_nhwc_s8(operator_, input_as<int8_t>(context, 0),
                                             output_as<int8_t>(context));
    } else if constexpr (kType == DType::kFloat16) {
      return xnn_setup_max_pooling2d_nhwc_f16(operator_, context.inputs[0], context.outputs[0]);
    } else {
      return xnn_setup_max_pooling2d_nhwc_f32(operator_, input_as<float>(context, 0),
                                              output_as<float>(context));
    }
  }
};

class AveragePoolKernel final : public PoolKernel {
 public:
  Status init(const OpContext& context, const Window& window) {
    BANTAM_RETURN_IF_ERROR(begin(context));
    const TensorInfo& x = context.input(0);
    const Range range(context.op->attributes_as_Pool2d()->clamp());
    const Axis &h = window.h, &w = window.w;
    BANTAM_RETURN_IF_ERROR(xnn_result(
        context, xnn_create_average_pooling2d_nhwc_f32(h.pad_before, w.pad_after(), h.pad_after(),
                                                       w.pad_before, h.kernel, w.kernel, h.stride, w.stride,
                                                       range.min, range.max, 0, &operator_)));
    size_t height = 0, width = 0;
    BANTAM_RETURN_IF_ERROR(finish(
        context, xnn_reshape_average_pooling2d_nhwc_f32(operator_, x.dims[0], x.dims[1], x.dims[2], x.dims[3],
                                                        x.pixel_stride, context.output().pixel_stride,
                                                        &workspace_bytes_, &workspace_alignment_, &height,
                                                        &width, pool_)));
    return check(context, height, width);
  }

 private:
  xnn_status setup(const RunContext& context) override {
    return xnn_setup_average_pooling2d_nhwc_f32(operator_, context.workspace, input_as<float>(context, 0),
                                                output_as<float>(context));
  }
};

bool dilated(const plan::Pool2d& attributes) {
  return attributes.dilation_h() > 1 || attributes.dilation_w() > 1;
}

}  // namespace

// Relies on: x and y of rank 4 with the same N and C; kernel, stride and dilation >= 1.
template <DType kType>
Status create_max_pool2d(const OpContext& context, Kernel** out) {
  if (context.output().dtype != kType) return unsupported(context, "an output of another type");
  const plan::Pool2d& attributes = *context.op->attributes_as_Pool2d();
  const Window window(context, attributes);
  if (!dilated(attributes) && window.fits()) {
    const Status status = make_kernel<MaxPoolKernel<kType>>(context, out, window);
    if (status.code() != StatusCode::kUnsupported) return status;
  }
  if constexpr (kType == DType::kFloat16) {
    return unsupported(context, "XNNPACK does not take this window");
  } else if constexpr (kType == DType::kInt8) {
    return create_generic_int8_max_pool2d(context, out);
  } else {
    return create_generic_float_max_pool2d(context, out);
  }
}

template Status create_max_pool2d<DType::kFloat32>(const OpContext& context, Kernel** out);
template Status create_max_pool2d<DType::kFloat16>(const OpContext& context, Kernel** out);
template Status create_max_pool2d<DType::kInt8>(const OpContext& context, Kernel** out);

// Relies on what create_max_pool2d relies on.
Status create_float_average_pool2d(const OpContext& context, Kernel** out) {
  if (context.output().dtype != DType::kFloat32) {
    return unsupported(context, "an average pooling takes float32 or int8");
  }
  const plan::Pool2d& attributes = *context.op->attributes_as_Pool2d();
  const Window window(context, attributes);
  // XNNPACK leaves the padding out of the divisor.
  const bool padded =
      window.h.pad_before + window.w.pad_before + window.h.pad_after() + window.w.pad_after() > 0;
  if (!dilated(attributes) && window.fits() && !(attributes.count_include_pad() && padded)) {
    const Status status = make_kernel<AveragePoolKernel>(context, out, window);
    if (status.code() != StatusCode::kUnsupported) return status;
  }
  return create_generic_average_pool2d(context, out);
}

}  // namespace bantam::kernels
