#include "generic/fallbacks.h"
#include "kernel_list.h"
#include "xnn/constants.h"
#include "xnn_support.h"

namespace bantam::kernels {

namespace {

using plan::DType;

// kType: of input and output: float32, float16 or int8.
template <DType kType>
class ConvTranspose2dKernel final : public XnnKernel {
 public:
  Status init(const OpContext& context) {
    BANTAM_RETURN_IF_ERROR(begin(context));
    const TensorInfo& x = context.input(0);
    const TensorInfo& w = context.input(1);
    const TensorInfo& y = context.output();
    const plan::Conv2d& attributes = *context.op->attributes_as_Conv2d();
    const int64_t kernel_size = int64_t{w.dims[1]} * w.dims[2];
    const int32_t groups = attributes.groups();
    const int64_t phases = int64_t{attributes.stride_h()} * attributes.stride_w();
    if (!indirection_fits(int64_t{y.dims[1]} * y.dims[2] + phases * 64, kernel_size) ||
        !packing_fits(w.dims[0] / groups, w.dims[3], kernel_size + phases, groups)) {
      return unsupported(context, "too large for this machine");
    }
    weights_.init(context);
    if constexpr (kType == DType::kInt8) {
      BANTAM_RETURN_IF_ERROR(create_int8(context, attributes));
    } else if constexpr (kType == DType::kFloat16) {
      BANTAM_RETURN_IF_ERROR(create_half(context, attributes));
    } else {
      BANTAM_RETURN_IF_ERROR(create_float(context, attributes));
    }

    size_t height = 0, width = 0;
    const auto reshape = kType == DType::kInt8      ? xnn_reshape_deconvolution2d_nhwc_qs8_qc8w
                         : kType == DType::kFloat16 ? xnn_reshape_deconvolution2d_nhwc_f16
                                                    : xnn_reshape_deconvolution2d_nhwc_f32;
    const xnn_status status = reshape(operator_, x.dims[0], x.dims[1], x.dims[2], attributes.output_pad_h(),
                                      attributes.output_pad_w(), &height, &width, pool_);
    BANTAM_RETURN_IF_ERROR(finish(context, status));
    if (height != size_t(y.dims[1]) || width != size_t(y.dims[2])) {
      return unsupported(context, "the output's shape is not that of this transposed convolution");
    }
    return ok_status();
  }

 private:
  Status create_float(const OpContext& context, const plan::Conv2d& a) {
    const TensorInfo& w = context.input(1);
    FloatConstant kernel, bias;
    if (!kernel.load(&w) || !bias.load(context.has_input(2) ? &context.input(2) : nullptr)) {
      return out_of_memory(context);
    }
    const Range range(a.clamp());
    return xnn_result(
        context,
        xnn_create_deconvolution2d_nhwc_f32(
            a.pad_top(), a.pad_right(), a.pad_bottom(), a.pad_left(), w.dims[1], w.dims[2], a.stride_h(),
            a.stride_w(), a.dilation_h(), a.dilation_w(), a.groups(), w.dims[3], w.dims[0] / a.groups(),
            context.input(0).pixel_stride, context.output().pixel_stride, kernel.data(), bias.data(),
            range.min, range.max, 0, nullptr, weights_.get(), &operator_));
  }

  Status create_half(const OpContext& context, const plan::Conv2d& a) {
    const TensorInfo& w = context.input(1);
    HalfConstant kernel, bias;
    if (!kernel.load(&w) || !bias.load(context.has_input(2) ? &context.input(2) : nullptr)) {
      return out_of_memory(context);
    }
    const Range range(a.clamp());
    return xnn_result(
        context,
        xnn_create_deconvolution2d_nhwc_f16(
            a.pad_top(), a.pad_right(), a.pad_bottom(), a.pad_left(), w.dims[1], w.dims[2], a.stride_h(),
            a.stride_w(), a.dilation_h(), a.dilation_w(), a.groups(), w.dims[3], w.dims[0] / a.groups(),
            context.input(0).pixel_stride, context.output().pixel_stride, kernel.data(), bias.data(),
            range.half_min(), range.half_max(), 0, nullptr, weights_.get(), &operator_));
  }

  Status create_int8(const OpContext& context, const plan::Conv2d& a) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& w = context.input(1);
    const TensorInfo& y = context.output();
    ChannelScales scales;
    if (!scales.load(w, w.dims[0])) return out_of_memory(context);
    const auto* bias = context.has_input(2) ? static_cast<const int32_t*>(context.input(2).data) : nullptr;
    const Range range(a.clamp());
    return xnn_result(
        context,
        xnn_create_deconvolution2d_nhwc_qs8_qc8w(
            a.pad_top(), a.pad_right(), a.pad_bottom(), a.pad_left(), w.dims[1], w.dims[2], a.stride_h(),
            a.stride_w(), a.dilation_h(), a.dilation_w(), a.groups(), w.dims[3], w.dims[0] / a.groups(),
            x.pixel_stride, y.pixel_stride, static_cast<int8_t>(x.zero_point), x.scale(), scales.data(),
            static_cast<const int8_t*>(w.data), bias, static_cast<int8_t>(y.zero_point), y.scale(),
            range.q_min, range.q_max, 0, nullptr, weights_.get(), &operator_));
  }

  xnn_status setup(const RunContext& context) override {
    if constexpr (kType == DType::kInt8) {
      return xnn_setup_deconvolution2d_nhwc_qs8_qc8w(operator_, input_as<int8_t>(context, 0),
                                                     output_as<int8_t>(context));
    } else if constexpr (kType == DType::kFloat16) {
      return xnn_setup_deconvolution2d_nhwc_f16(operator_, context.inputs[0], context.outputs[0]);
    } else {
      return xnn_setup_deconvolution2d_nhwc_f32(operator_, input_as<float>(context, 0),
                                                output_as<float>(context));
    }
  }
};

bool constant_weights(const OpContext& context) {
  return context.input(1).data != nullptr && (!context.has_input(2) || context.input(2).data != nullptr);
}

Status create_int8(const OpContext& context, Kernel** out) {
  if (context.input(1).dtype != DType::kInt8 || context.output().dtype != DType::kInt8) {
    return unsupported(context, "a transposed convolution of int8 has int8 weights and output");
  }
  if (!constant_weights(context)) return unsupported(context, "int8 weights have to be constant");
  return make_kernel<ConvTranspose2dKernel<DType::kInt8>>(context, out);
}

Status create_half(const OpContext& context, Kernel** out) {
  if (context.input(0).dtype != DType::kFloat16 || context.output().dtype != DType::kFloat16 ||
      !constant_weights(context)) {
    return unsupported(context,
                       "a transposed convolution of float16 has constant weights and float16 output");
  }
  return make_kernel<ConvTranspose2dKernel<DType::kFloat16>>(context, out);
}

Status create_float(const OpContext& context, Kernel** out) {
  const DType w = context.input(1).dtype;
  if (context.input(0).dtype != DType::kFloat32 || context.output().dtype != DType::kFloat32 ||
      (w != DType::kFloat32 && w != DType::kFloat16)) {
    return unsupported(context, "a transposed convolution of float32 has float weights and output");
  }
  if (constant_weights(context)) {
    const Status status = make_kernel<ConvTranspose2dKernel<DType::kFloat32>>(context, out);
    if (status.code() != StatusCode::kUnsupported) return status;
  }
  return create_generic_conv_transpose2d(context, out);
}

}  // namespace

// Rely on what create_conv2d relies on, and on output_pad >= 0.
template <DType kType>
Status create_conv_transpose2d(const OpContext& context, Kernel** out) {
  if constexpr (kType == DType::kInt8) {
    return create_int8(context, out);
  } else if constexpr (kType == DType::kFloat16) {
    return create_half(context, out);
  } else {
    return create_float(context, out);
  }
}

template Status create_conv_transpose2d<DType::kFloat32>(const OpContext& context, Kernel** out);
template Status create_conv_transpose2d<DType::kFloat16>(const OpContext& context, Kernel** out);
template Status create_conv_transpose2d<DType::kInt8>(const OpContext& context, Kernel** out);

}  // namespace bantam::kernels
