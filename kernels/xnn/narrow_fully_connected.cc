// Fully connected layers of float32 data with weights of 8 or 4 bits. XNNPACK multiplies integers exactly,
// but whether it fuses what follows depends on the CPU: the bits may differ between machines.
#include <cpuinfo.h>

#include <cstring>
#include <limits>

#include "kernel_list.h"
#include "plan_format.h"
#include "rounding.h"
#include "xnn/constants.h"
#include "xnn_support.h"

namespace bantam::kernels {

namespace {

// Of a weight in 4 bits: the number that stands for 0.
constexpr uint8_t kNibbleZero = 8;

// What XNNPACK is told of the layer.
struct Layer {
  size_t rows = 0, inputs = 0, outputs = 0;
  size_t x_stride = 0, y_stride = 0;  // elements between rows
  bool nibbles = false;
  const void* weights = nullptr;
  ChannelScales scales;
  FloatConstant bias;
  Range range;

  Status load(const OpContext& context) {
    const TensorInfo &x = context.input(0), &w = context.input(1), &y = context.output();
    const int32_t columns = x.dims[x.rank - 1];
    if (columns == 0) return unsupported(context, "no input channels");
    if (!packing_fits(w.dims[0], columns, 1, 1)) return unsupported(context, "too large for this machine");
    const plan::NarrowFullyConnected& attributes = *context.op->attributes_as_NarrowFullyConnected();
    nibbles = attributes.bits() == 4;
    range = Range(attributes.clamp());
    inputs = static_cast<size_t>(columns);
    outputs = static_cast<size_t>(w.dims[0]);
    rows = static_cast<size_t>(x.elements) / inputs;
    x_stride = x.rank > 1 ? static_cast<size_t>(x.pixel_stride) : inputs;
    y_stride = y.rank > 1 ? static_cast<size_t>(y.pixel_stride) : outputs;
    weights = w.data;
    if (!scales.load(w, w.dims[0]) || !bias.load(context.has_input(2) ? &context.input(2) : nullptr)) {
      return out_of_memory(context);
    }
    return ok_status();
  }

  float weight(size_t i) const {
    const float scale = scales.data()[i / inputs];
    if (!nibbles) return scale * static_cast<const int8_t*>(weights)[i];
    const uint8_t pair = static_cast<const uint8_t*>(weights)[i / 2];
    return scale * static_cast<float>(static_cast<int>(i % 2 == 0 ? pair & 15 : pair >> 4) - kNibbleZero);
  }
};

// x is rounded to int8 row by row, each row with the scale and zero point of its own range.
class RowQuantizedKernel final : public XnnKernel {
 public:
  ~RowQuantizedKernel() override { xnn_delete_operator(convert_); }

  Status init(const OpContext& context) {
    BANTAM_RETURN_IF_ERROR(begin(context));
    Layer layer;
    BANTAM_RETURN_IF_ERROR(layer.load(context));
    rows_ = layer.rows;
    inputs_ = layer.inputs;
    nibbles_ = layer.nibbles;
    weights_.init(context);
    BANTAM_RETURN_IF_ERROR(xnn_result(context, create(layer)));
    BANTAM_RETURN_IF_ERROR(xnn_result(context, xnn_create_convert_nc_f32_qd8(0, &convert_)));
    BANTAM_RETURN_IF_ERROR(xnn_result(
        context, xnn_reshape_convert_nc_f32_qd8(convert_, rows_, inputs_, layer.x_stride, inputs_, pool_)));
    data_at_ =
        round_up((rows_ + XNN_EXTRA_QUANTIZATION_PARAMS) * sizeof(xnn_quantization_params), kTensorAlignment);
    workspace_bytes_ = data_at_ + rows_ * inputs_ + kReadPadding;
    const auto reshape =
        nibbles_ ? xnn_reshape_fully_connected_nc_qd8_f32_qc4w : xnn_reshape_fully_connected_nc_qd8_f32_qc8w;
    return finish(context, reshape(operator_, rows_, pool_));
  }

  Status run(const RunContext& context) override {
    auto* parameters = static_cast<xnn_quantization_params*>(context.workspace);
    auto* data = static_cast<int8_t*>(context.workspace) + data_at_;
    if (xnn_setup_convert_nc_f32_qd8(convert_, input_as<float>(context, 0), data, parameters) !=
            xnn_status_success ||
        xnn_run_operator(convert_, pool_) != xnn_status_success) {
      return Status(StatusCode::kInternal, "XNNPACK", "the operator did not run");
    }
    clear_tiny_rows(parameters, data);
    return XnnKernel::run(context);
  }

 private:
  xnn_status create(const Layer& layer) {
    if (layer.nibbles) {
      return xnn_create_fully_connected_nc_qd8_f32_qc4w(
          layer.inputs, layer.outputs, layer.inputs, layer.y_stride, kNibbleZero, layer.scales.data(),
          layer.weights, layer.bias.data(), layer.range.min, layer.range.max, 0, nullptr, weights_.get(),
          &operator_);
    }
    return xnn_create_fully_connected_nc_qd8_f32_qc8w(
        layer.inputs, layer.outputs, layer.inputs, layer.y_stride, layer.scales.data(),
        static_cast<const int8_t*>(layer.weights), layer.bias.data(), layer.range.min, layer.range.max, 0,
        nullptr, weights_.get(), &operator_);
  }

  // A row whose range is so small that its inverse overflows counts as zeros.
  void clear_tiny_rows(xnn_quantization_params* parameters, int8_t* data) const {
    for (size_t row = 0; row < rows_; ++row) {
      if (!(parameters[row].scale < std::numeric_limits<float>::min())) continue;
      parameters[row] = {0, 1.0f};
      std::memset(data + row * inputs_, 0, inputs_);
    }
  }

  xnn_status setup(const RunContext& context) override {
    const auto* parameters = static_cast<const xnn_quantization_params*>(context.workspace);
    const auto* data = static_cast<const int8_t*>(context.workspace) + data_at_;
    const auto setup =
        nibbles_ ? xnn_setup_fully_connected_nc_qd8_f32_qc4w : xnn_setup_fully_connected_nc_qd8_f32_qc8w;
    return setup(operator_, data, output_as<float>(context), parameters);
  }

  xnn_operator_t convert_ = nullptr;
  size_t rows_ = 0, inputs_ = 0;
  bool nibbles_ = false;
  size_t data_at_ = 0;  // bytes into the workspace, which the rows' parameters begin
};

// XNNPACK's kernels for x86 take SSE4.1 for granted.
bool has_kernels_for_narrow_weights() {
#if CPUINFO_ARCH_X86 || CPUINFO_ARCH_X86_64
  return cpuinfo_initialize() && cpuinfo_has_x86_sse4_1();
#else
  return true;
#endif
}

// Weights become float while they are used; where XNNPACK has no kernel for that, when the model is loaded.
class NarrowWeightsKernel final : public XnnKernel {
 public:
  Status init(const OpContext& context) {
    BANTAM_RETURN_IF_ERROR(begin(context));
    Layer layer;
    BANTAM_RETURN_IF_ERROR(layer.load(context));
    weights_.init(context);
    xnn_status status = xnn_status_unsupported_hardware;
    if (has_kernels_for_narrow_weights()) {
      Array<float> bias;
      if (!bias.allocate(layer.bias.data() == nullptr ? 0 : layer.outputs)) return out_of_memory(context);
      for (size_t i = 0; i < bias.size(); ++i) bias[i] = layer.bias.data()[i] / layer.scales.data()[i];
      status = create(layer, bias.data());
    }
    if (status == xnn_status_unsupported_hardware) BANTAM_RETURN_IF_ERROR(expand(context, layer, &status));
    BANTAM_RETURN_IF_ERROR(xnn_result(context, status));
    return finish(context, reshape_(operator_, layer.rows, pool_));
  }

 private:
  // `bias`: in units of the weights, as XNNPACK multiplies by their scales after it has added all up.
  xnn_status create(const Layer& layer, const float* bias) {
    if (layer.nibbles) {
      reshape_ = xnn_reshape_fully_connected_nc_f32_qc4w;
      setup_ = xnn_setup_fully_connected_nc_f32_qc4w;
      return xnn_create_fully_connected_nc_f32_qc4w(
          layer.inputs, layer.outputs, layer.x_stride, layer.y_stride, kNibbleZero, layer.scales.data(),
          static_cast<const uint8_t*>(layer.weights), bias, layer.range.min, layer.range.max, 0, nullptr,
          weights_.get(), &operator_);
    }
    reshape_ = xnn_reshape_fully_connected_nc_f32_qc8w;
    setup_ = xnn_setup_fully_connected_nc_f32_qc8w;
    return xnn_create_fully_connected_nc_f32_qc8w(
        layer.inputs, layer.outputs, layer.x_stride, layer.y_stride, layer.scales.data(),
        static_cast<const int8_t*>(layer.weights), bias, layer.range.min, layer.range.max, 0, nullptr,
        weights_.get(), &operator_);
  }

  Status expand(const OpContext& context, const Layer& layer, xnn_status* status) {
    Array<float> floats;
    if (!floats.allocate(layer.inputs * layer.outputs)) return out_of_memory(context);
    for (size_t i = 0; i < layer.inputs * layer.outputs; ++i) floats[i] = layer.weight(i);
    reshape_ = xnn_reshape_fully_connected_nc_f32;
    setup_ = xnn_setup_fully_connected_nc_f32;
    *status = xnn_create_fully_connected_nc_f32(layer.inputs, layer.outputs, layer.x_stride, layer.y_stride,
                                                floats.data(), layer.bias.data(), layer.range.min,
                                                layer.range.max, 0, nullptr, weights_.get(), &operator_);
    return ok_status();
  }

  xnn_status setup(const RunContext& context) override {
    return setup_(operator_, input_as<float>(context, 0), output_as<float>(context));
  }

  decltype(&xnn_reshape_fully_connected_nc_f32) reshape_ = nullptr;
  decltype(&xnn_setup_fully_connected_nc_f32) setup_ = nullptr;
};

}  // namespace

// Relies on: x float32 [..., K], w constant int8 [O, K] or [O, K / 2] with scales, bias constant float [O],
// y float32 [..., O].
Status create_narrow_fully_connected(const OpContext& context, Kernel** out) {
  if (context.op->attributes_as_NarrowFullyConnected()->quantize_rows()) {
    return make_kernel<RowQuantizedKernel>(context, out);
  }
  return make_kernel<NarrowWeightsKernel>(context, out);
}

}  // namespace bantam::kernels
