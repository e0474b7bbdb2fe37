#include "generic/fallbacks.h"
#include "kernel_list.h"
#include "xnn/constants.h"
#include "xnn_support.h"

namespace bantam::kernels {

namespace {

using plan::DType;

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
    number_ = x.dtype;
    weights_.init(context);
    BANTAM_RETURN_IF_ERROR(number_ == DType::kInt8      ? create_int8(context, attributes)
                           : number_ == DType::kFloat16 ? create_half(context, attributes)
                                                        : create_float(context, attributes));

    size_t height = 0, width = 0;
    const auto reshape = number_ == DType::kInt8      ? xnn_reshape_deconvolution2d_nhwc_qs8_qc8w
                         : number_ == DType::kFloat16 ? xnn_reshape_deconvolution2d_nhwc_f16
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
    if (number_ == DType::kFloat16)
      return xnn_setup_deconvolution2d_nhwc_f16(operator_, context.inputs[0], context.outputs[0]);
    return number_ == DType::kInt8 ? xnn_setup_deconvolution2d_nhwc_qs8_qc8w(
                                         operator_, input_as<int8_t>(context, 0), output_as<int8_t>(context))
                                   : xnn_setup_deconvolution2d_nhwc_f32(
                                         operator_, input_as<float>(context, 0), output_as<float>(context));
  }

  DType number_ = DType::kFloat32;
};

}  // namespace

// Relies on what create_conv2d relies on, and on output_pad >= 0.
Status create_conv_transpose2d(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& w = context.input(1);
  const bool constant = w.data != nullptr && (!context.has_input(2) || context.input(2).data != nullptr);
  if (x.dtype == DType::kInt8 && w.dtype == DType::kInt8 && context.output().dtype == DType::kInt8) {
    if (!constant) return unsupported(context, "int8 weights have to be constant");
    return make_kernel<ConvTranspose2dKernel>(context, out);
  }
  if (x.dtype == DType::kFloat16 && constant && context.output().dtype == x.dtype)
    return make_kernel<ConvTranspose2dKernel>(context, out);
  if (x.dtype != DType::kFloat32 || context.output().dtype != DType::kFloat32 ||
      (w.dtype != DType::kFloat32 && w.dtype != DType::kFloat16)) {
    return unsupported(context, "a transposed convolution takes float32 or int8");
  }
  if (constant) {
    const Status status = make_kernel<ConvTranspose2dKernel>(context, out);
    if (status.code() != StatusCode::kUnsupported) return status;
  }
  return create_generic_conv_transpose2d(context, out);
}

}  // namespace bantam::kernels
