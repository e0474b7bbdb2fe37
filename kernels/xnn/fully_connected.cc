#include "kernel_list.h"
#include "xnn/constants.h"
#include "xnn_support.h"

namespace bantam::kernels {

namespace {

using plan::DType;

// kType: of input and output: float32, float16 or int8.
template <DType kType>
class FullyConnectedKernel final : public XnnKernel {
 public:
  Status init(const OpContext& context) {
    BANTAM_RETURN_IF_ERROR(begin(context));
    const TensorInfo& x = context.input(0);
    const TensorInfo& w = context.input(1);
    if (!packing_fits(w.dims[0], w.dims[1], 1, 1)) return unsupported(context, "too large for this machine");
    weights_.init(context);
    if constexpr (kType == DType::kInt8) {
      BANTAM_RETURN_IF_ERROR(create_int8(context));
    } else if constexpr (kType == DType::kFloat16) {
      BANTAM_RETURN_IF_ERROR(create_half(context));
    } else {
      BANTAM_RETURN_IF_ERROR(create_float(context));
    }
    const auto reshape = kType == DType::kInt8      ? xnn_reshape_fully_connected_nc_qs8_qc8w
                         : kType == DType::kFloat16 ? xnn_reshape_fully_connected_nc_f16
                                                    : xnn_reshape_fully_connected_nc_f32;
    return finish(context, reshape(operator_, static_cast<size_t>(x.elements / w.dims[1]), pool_));
  }

 private:
  static Range range_of(const OpContext& context) {
    const plan::FullyConnected* attributes = context.op->attributes_as_FullyConnected();
    return Range(attributes == nullptr ? nullptr : attributes->clamp());
  }
  // Elements between rows; a tensor of rank 1 has one row, whatever its stride.
  static size_t row_stride(const TensorInfo& tensor, int32_t channels) {
    return tensor.rank > 1 ? tensor.pixel_stride : channels;
  }

  Status create_float(const OpContext& context) {
    const TensorInfo& w = context.input(1);
    FloatConstant kernel, bias;
    if (!kernel.load(&w) || !bias.load(context.has_input(2) ? &context.input(2) : nullptr)) {
      return out_of_memory(context);
    }
    const Range range = range_of(context);
    return xnn_result(context, xnn_create_fully_connected_nc_f32(
                                   w.dims[1], w.dims[0], row_stride(context.input(0), w.dims[1]),
                                   row_stride(context.output(), w.dims[0]), kernel.data(), bias.data(),
                                   range.min, range.max, 0, nullptr, weights_.get(), &operator_));
  }

  Status create_half(const OpContext& context) {
    const TensorInfo& w = context.input(1);
    HalfConstant kernel, bias;
    if (!kernel.load(&w) || !bias.load(context.has_input(2) ? &context.input(2) : nullptr)) {
      return out_of_memory(context);
    }
    const Range range = range_of(context);
    return xnn_result(
        context, xnn_create_fully_connected_nc_f16(
                     w.dims[1], w.dims[0], row_stride(context.input(0), w.dims[1]),
                     row_stride(context.output(), w.dims[0]), kernel.data(), bias.data(), range.half_min(),
                     range.half_max(), 0, nullptr, weights_.get(), &operator_));
  }

  Status create_int8(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& w = context.input(1);
    const TensorInfo& y = context.output();
    ChannelScales scales;
    if (!scales.load(w, w.dims[0])) return out_of_memory(context);
    const auto* bias = context.has_input(2) ? static_cast<const int32_t*>(context.input(2).data) : nullptr;
    const Range range = range_of(context);
    return xnn_result(
        context, xnn_create_fully_connected_nc_qs8_qc8w(
                     w.dims[1], w.dims[0], row_stride(x, w.dims[1]), row_stride(y, w.dims[0]),
                     static_cast<int8_t>(x.zero_point), x.scale(), scales.data(),
                     static_cast<const int8_t*>(w.data), bias, static_cast<int8_t>(y.zero_point), y.scale(),
                     range.q_min, range.q_max, 0, nullptr, weights_.get(), &operator_));
  }

  xnn_status setup(const RunContext& context) override {
    if constexpr (kType == DType::kInt8) {
      return xnn_setup_fully_connected_nc_qs8_qc8w(operator_, input_as<int8_t>(context, 0),
                                                   output_as<int8_t>(context));
    } else if constexpr (kType == DType::kFloat16) {
      return xnn_setup_fully_connected_nc_f16(operator_, context.inputs[0], context.outputs[0]);
    } else {
      return xnn_setup_fully_connected_nc_f32(operator_, input_as<float>(context, 0),
                                              output_as<float>(context));
    }
  }
};

}  // namespace

// Relies on: x [..., K], w [O, K], bias [O] (int32 for int8), y [..., O], dense constants, quantized x, w and
// y when int8.
template <DType kType>
Status create_fully_connected(const OpContext& context, Kernel** out) {
  const TensorInfo& w = context.input(1);
  if (w.data == nullptr || (context.has_input(2) && context.input(2).data == nullptr)) {
    return unsupported(context, "weights and bias have to be constant");
  }
  if (w.dims[1] == 0) return unsupported(context, "no input channels");
  const bool fits = kType == DType::kInt8 ? w.dtype == DType::kInt8
                                          : w.dtype == DType::kFloat32 || w.dtype == DType::kFloat16;
  if (!fits || context.input(0).dtype != kType || context.output().dtype != kType) {
    return unsupported(context, "a fully connected layer takes floats or int8");
  }
  return make_kernel<FullyConnectedKernel<kType>>(context, out);
}

template Status create_fully_connected<DType::kFloat32>(const OpContext& context, Kernel** out);
template Status create_fully_connected<DType::kFloat16>(const OpContext& context, Kernel** out);
template Status create_fully_connected<DType::kInt8>(const OpContext& context, Kernel** out);

}  // namespace bantam::kernels
