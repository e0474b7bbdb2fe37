#include "generic/fallbacks.h"
#include "int8/int8_kernels.h"
#include "kernel_list.h"
#include "rounding.h"
#include "xnn/constants.h"
#include "xnn/narrow_block.h"
#include "xnn/output_blocks.h"
#include "xnn/row_gather.h"
#include "xnn_support.h"

namespace bantam::kernels {

namespace {

using plan::DType;

// kType: of input and output: float32, float16 or int8.
template <DType kType>
class Conv2dKernel final : public XnnKernel {
 public:
  // `block` is all output channels when there are groups.
  Status init(const OpContext& context, const OutputBlock& block) {
    BANTAM_RETURN_IF_ERROR(begin(context));
    block_ = block;
    const TensorInfo& w = context.input(1);
    const TensorInfo& y = context.output();
    const plan::Conv2d& attributes = *context.op->attributes_as_Conv2d();
    const int64_t kernel_size = int64_t{w.dims[1]} * w.dims[2];
    const int32_t groups = attributes.groups();
    if (!indirection_fits(int64_t{y.dims[1]} * y.dims[2], kernel_size) ||
        !packing_fits(w.dims[0] / groups, w.dims[3], kernel_size, groups)) {
      return unsupported(context, "too large for this machine");
    }
    Columns columns(context, attributes);
    weights_.init(context, block.first);
    if constexpr (kType == DType::kInt8) {
      if (RowGather::pays(context)) columns = gather(context);
      BANTAM_RETURN_IF_ERROR(create_int8(context, attributes, columns));
    } else if constexpr (kType == DType::kFloat16) {
      BANTAM_RETURN_IF_ERROR(create_half(context, attributes, columns));
    } else {
      BANTAM_RETURN_IF_ERROR(create_float(context, attributes, columns));
    }
    return reshape(context, columns);
  }

  Status run(const RunContext& context) override {
    if constexpr (kType == DType::kInt8) {
      if (gathers_) return run_gathered(context);
    }
    return XnnKernel::run(context);
  }

 private:
  // What the convolution is like for XNNPACK.
  struct Columns {
    int32_t images, height, pad_top, pad_bottom, out_height;
    int32_t width, kernel, stride, dilation, pad_before, pad_after, depth, pixel_stride;

    Columns(const OpContext& context, const plan::Conv2d& a)
        : images(context.input(0).dims[0]),
          height(context.input(0).dims[1]),
          pad_top(a.pad_top()),
          pad_bottom(a.pad_bottom()),
          out_height(context.output().dims[1]),
          width(context.input(0).dims[2]),
          kernel(context.input(1).dims[2]),
          stride(a.stride_w()),
          dilation(a.dilation_w()),
          pad_before(a.pad_left()),
          pad_after(a.pad_right()),
          depth(context.input(1).dims[3]),
          pixel_stride(context.input(0).pixel_stride) {}
    Columns(const OpContext& context, const RowGather& gather)
        : images(1),
          height(gather.in_rows()),
          pad_top(0),
          pad_bottom(0),
          out_height(gather.out_rows()),
          width(context.output().dims[2]),
          kernel(1),
          stride(1),
          dilation(1),
          pad_before(0),
          pad_after(0),
          depth(context.input(1).dims[2] * context.input(1).dims[3]),
          pixel_stride(gather.pixel_stride()) {}
  };

  Columns gather(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    gathers_ = true;
    gather_ = RowGather(context);
    images_ = x.dims[0];
    out_height_ = y.dims[1];
    x_image_ = x.elements / images_;
    y_row_ = int64_t{y.dims[2]} * y.pixel_stride;
    return Columns(context, gather_);
  }

  Status run_gathered(const RunContext& context) {
    int8_t* gathered = static_cast<int8_t*>(context.workspace) + gathered_at_;
    const int32_t last = out_height_ - gather_.out_rows();
    for (int32_t image = 0; image < images_; ++image) {
      const int8_t* x = input_as<int8_t>(context, 0) + image * x_image_;
      int8_t* y = output_as<int8_t>(context) + image * y_row_ * out_height_;
      for (int32_t row = 0; row < out_height_; row += gather_.out_rows()) {
        const int32_t first = std::min(row, last);  // the last band may overlap the one before
        gather_.run(context.threads, x, first, gathered);
        BANTAM_RETURN_IF_ERROR(run_operator(xnn_setup_convolution2d_nhwc_qs8_qc8w(
            operator_, context.workspace, gathered, y + first * y_row_)));
      }
    }
    return ok_status();
  }

  size_t first() const { return static_cast<size_t>(block_.first); }

  // The block's, in the plan.
  const std::byte* weights(const OpContext& context) const {
    const TensorInfo& w = context.input(1);
    return static_cast<const std::byte*>(w.data) + first() * (w.bytes / static_cast<size_t>(w.dims[0]));
  }

  // XNNPACK needs pointers to the input pixels of every output pixel. Where each of them serves thousands of
  // multiplications, making it costs a percent or two of them: every run makes the pointers, in the workspace
  // that the ops share. Otherwise the operator keeps them, which for a network of images are megabytes.
  uint32_t flags(const Columns& c) const {
    constexpr int64_t kMany = 4096;
    return int64_t{c.depth} * block_.count >= kMany ? XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER : 0;
  }

  Status create_float(const OpContext& context, const plan::Conv2d& a, const Columns& c) {
    const TensorInfo& w = context.input(1);
    const size_t row = static_cast<size_t>(w.elements / w.dims[0]), count = static_cast<size_t>(block_.count);
    FloatConstant kernel, bias;
    if (!kernel.load(&w, first() * row, count * row) ||
        !bias.load(context.has_input(2) ? &context.input(2) : nullptr, first(), count)) {
      return out_of_memory(context);
    }
    const Range range(a.clamp());
    return xnn_result(
        context, xnn_create_convolution2d_nhwc_f32(
                     c.pad_top, c.pad_after, c.pad_bottom, c.pad_before, w.dims[1], c.kernel, a.stride_h(),
                     c.stride, a.dilation_h(), c.dilation, a.groups(), c.depth, block_.count / a.groups(),
                     c.pixel_stride, context.output().pixel_stride, kernel.data(), bias.data(), range.min,
                     range.max, flags(c), nullptr, weights_.get(), &operator_));
  }

  Status create_half(const OpContext& context, const plan::Conv2d& a, const Columns& c) {
    const TensorInfo& w = context.input(1);
    const size_t row = static_cast<size_t>(w.elements / w.dims[0]), count = static_cast<size_t>(block_.count);
    HalfConstant kernel, bias;
    if (!kernel.load(&w, first() * row, count * row) ||
        !bias.load(context.has_input(2) ? &context.input(2) : nullptr, first(), count)) {
      return out_of_memory(context);
    }
    const Range range(a.clamp());
    return xnn_result(
        context, xnn_create_convolution2d_nhwc_f16(
                     c.pad_top, c.pad_after, c.pad_bottom, c.pad_before, w.dims[1], c.kernel, a.stride_h(),
                     c.stride, a.dilation_h(), c.dilation, a.groups(), c.depth, block_.count / a.groups(),
                     c.pixel_stride, context.output().pixel_stride, kernel.data(), bias.data(),
                     range.half_min(), range.half_max(), flags(c), nullptr, weights_.get(), &operator_));
  }

  Status create_int8(const OpContext& context, const plan::Conv2d& a, const Columns& c) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& w = context.input(1);
    const TensorInfo& y = context.output();
    ChannelScales scales;
    if (!scales.load(w, w.dims[0])) return out_of_memory(context);
    const int32_t* bias = nullptr;
    if (context.has_input(2)) bias = static_cast<const int32_t*>(context.input(2).data) + first();
    const Range range(a.clamp());
    return xnn_result(
        context,
        xnn_create_convolution2d_nhwc_qs8_qc8w(
            c.pad_top, c.pad_after, c.pad_bottom, c.pad_before, w.dims[1], c.kernel, a.stride_h(), c.stride,
            a.dilation_h(), c.dilation, a.groups(), c.depth, block_.count / a.groups(), c.pixel_stride,
            y.pixel_stride, static_cast<int8_t>(x.zero_point), x.scale(), scales.data() + first(),
            reinterpret_cast<const int8_t*>(weights(context)), bias, static_cast<int8_t>(y.zero_point),
            y.scale(), range.q_min, range.q_max, flags(c), nullptr, weights_.get(), &operator_));
  }

  Status reshape(const OpContext& context, const Columns& columns) {
    const TensorInfo& y = context.output();
    size_t height = 0, width = 0, xnn_bytes = 0;
    const auto function = kType == DType::kInt8      ? xnn_reshape_convolution2d_nhwc_qs8_qc8w
                          : kType == DType::kFloat16 ? xnn_reshape_convolution2d_nhwc_f16
                                                     : xnn_reshape_convolution2d_nhwc_f32;
    const xnn_status status = function(operator_, columns.images, columns.height, columns.width, &xnn_bytes,
                                       &workspace_alignment_, &height, &width, pool_);
    BANTAM_RETURN_IF_ERROR(finish(context, status));
    if (height != size_t(columns.out_height) || width != size_t(y.dims[2])) {
      return unsupported(context, "the output's shape is not that of this convolution");
    }
    if (gathers_) gathered_at_ = round_up(xnn_bytes, kTensorAlignment);
    workspace_bytes_ = gathers_ ? gathered_at_ + gather_.bytes() : xnn_bytes;
    return ok_status();
  }

  xnn_status setup(const RunContext& context) override {
    if constexpr (kType == DType::kInt8) {
      return xnn_setup_convolution2d_nhwc_qs8_qc8w(operator_, context.workspace, input_as<int8_t>(context, 0),
                                                   output_as<int8_t>(context) + first());
    } else if constexpr (kType == DType::kFloat16) {
      return xnn_setup_convolution2d_nhwc_f16(operator_, context.workspace, context.inputs[0],
                                              output_as<uint16_t>(context) + first());
    } else {
      return xnn_setup_convolution2d_nhwc_f32(operator_, context.workspace, input_as<float>(context, 0),
                                              output_as<float>(context) + first());
    }
  }

  OutputBlock block_;
  bool gathers_ = false;
  RowGather gather_;
  size_t gathered_at_ = 0;  // bytes into the workspace
  int32_t images_ = 0, out_height_ = 0;
  int64_t x_image_ = 0, y_row_ = 0;  // bytes, of gathered convolutions
};

template <DType kType>
Status create_block(const OpContext& context, Kernel** out, OutputBlock block) {
  if constexpr (kType == DType::kFloat32) {
    if (block.count == narrow_channels(context)) return create_narrow_block(context, out, block);
  }
  return make_kernel<Conv2dKernel<kType>>(context, out, block);
}

template <DType kType>
Status create_xnn_conv2d(const OpContext& context, Kernel** out) {
  const TensorInfo& w = context.input(1);
  const TensorInfo& y = context.output();
  const int32_t channels = w.dims[0];
  bool whole = context.op->attributes_as_Conv2d()->groups() != 1;
  if constexpr (kType == DType::kInt8) whole = whole || RowGather::pays(context);
  const auto size = static_cast<int64_t>(element_size(kType));
  int32_t per_block =
      whole ? channels : channels_per_block(channels, w.elements / channels * size, y.elements / channels);
  if constexpr (kType == DType::kFloat32) {
    const int32_t narrow = narrow_channels(context);
    if (per_block == channels && narrow < channels) per_block -= narrow;
  }
  if (per_block == channels) return create_block<kType>(context, out, {0, channels});
  return make_kernel<BlockedKernel>(context, out, channels, per_block, &create_block<kType>);
}

Status create_int8(const OpContext& context, Kernel** out) {
  const TensorInfo& w = context.input(1);
  if (w.dtype != DType::kInt8 || context.output().dtype != DType::kInt8) {
    return unsupported(context, "a convolution of int8 has int8 weights and output");
  }
  if (w.data == nullptr) return unsupported(context, "int8 weights have to be constant");
  Status own = create_int8_depthwise(context, out);
  if (own.code() != StatusCode::kUnsupported) return own;
  if (int8_conv_pays()) own = create_int8_conv2d(context, out);
  if (own.code() != StatusCode::kUnsupported) return own;
  return create_xnn_conv2d<DType::kInt8>(context, out);
}

Status create_half(const OpContext& context, Kernel** out) {
  if (context.input(0).dtype != DType::kFloat16 || context.output().dtype != DType::kFloat16 ||
      context.input(1).data == nullptr) {
    return unsupported(context, "a convolution of float16 has constant weights and float16 output");
  }
  return create_xnn_conv2d<DType::kFloat16>(context, out);
}

Status create_float(const OpContext& context, Kernel** out) {
  const TensorInfo& w = context.input(1);
  if (context.input(0).dtype != DType::kFloat32 || context.output().dtype != DType::kFloat32 ||
      (w.dtype != DType::kFloat32 && w.dtype != DType::kFloat16)) {
    return unsupported(context, "a convolution of float32 has float weights and output");
  }
  const bool constant = w.data != nullptr && (!context.has_input(2) || context.input(2).data != nullptr);
  if (constant) {
    const Status depthwise = create_float_depthwise(context, out);
    if (depthwise.code() != StatusCode::kUnsupported) return depthwise;
    const Status sparse = create_sparse_conv2d(context, out);
    if (sparse.code() != StatusCode::kUnsupported) return sparse;
    const Status status = create_xnn_conv2d<DType::kFloat32>(context, out);
    if (status.code() != StatusCode::kUnsupported) return status;
  }
  return create_generic_conv2d(context, out);
}

}  // namespace

// Relies on: x, w, y of rank 4, w [O, KH, KW, C / groups] with groups dividing C and O, bias [O] (int32 for
// int8), strides, dilations and groups >= 1, padding >= 0, dense constants, quantized x, w and y when int8,
// a constant bias when float16.
template <DType kType>
Status create_conv2d(const OpContext& context, Kernel** out) {
  if constexpr (kType == DType::kInt8) {
    return create_int8(context, out);
  } else if constexpr (kType == DType::kFloat16) {
    return create_half(context, out);
  } else {
    return create_float(context, out);
  }
}

template Status create_conv2d<DType::kFloat32>(const OpContext& context, Kernel** out);
template Status create_conv2d<DType::kFloat16>(const OpContext& context, Kernel** out);
template Status create_conv2d<DType::kInt8>(const OpContext& context, Kernel** out);

}  // namespace bantam::kernels
