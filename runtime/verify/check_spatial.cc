// Ops over images: NHWC.
#include <cmath>

#include "verify/op_checks.h"

namespace bantam::verify {
namespace {

// Larger ones occur in no model, and with smaller ones no sum of a few overflows 32 bits.
constexpr int32_t kMostPixels = 1 << 24;

// How windows slide along one axis.
struct Window {
  int32_t in, out, kernel, stride, dilation, pad_before, pad_after;

  int64_t extent() const { return (int64_t{kernel} - 1) * dilation + 1; }
  bool in_range() const {
    return in <= kMostPixels && out <= kMostPixels && kernel >= 1 && stride >= 1 && stride <= kMostPixels &&
           dilation >= 1 && dilation <= kMostPixels && pad_before >= 0 && pad_before <= kMostPixels &&
           pad_after >= 0 && pad_after <= kMostPixels && kernel <= kMostPixels;
  }
  // Floor: only windows that lie wholly inside the padded input.
  bool fits() const {
    const int64_t room = int64_t{in} + pad_before + pad_after - extent();
    return room >= 0 && out == room / stride + 1;
  }
  // Ceil: the last window may reach past the padding but begins in the input or the padding before it.
  bool fits_rounded_up() const {
    const int64_t room = int64_t{in} + pad_before + pad_after - extent();
    const int64_t last = (int64_t{out} - 1) * stride;
    return last < int64_t{in} + pad_before && last < room + stride && last + stride > room;
  }
  bool fits_transposed(int32_t output_pad) const {
    const int64_t full = (int64_t{in} - 1) * stride + extent() + output_pad;
    return full <= 4 * int64_t{kMostPixels} && out == full - pad_before - pad_after;
  }
};

Window conv_height(const OpContext& op, const plan::Conv2d& a) {
  return {op.input(0).dims[1], op.output().dims[1], op.input(1).dims[1], a.stride_h(),
          a.dilation_h(),      a.pad_top(),         a.pad_bottom()};
}
Window conv_width(const OpContext& op, const plan::Conv2d& a) {
  return {op.input(0).dims[2], op.output().dims[2], op.input(1).dims[2], a.stride_w(),
          a.dilation_w(),      a.pad_left(),        a.pad_right()};
}

// What Conv2d and ConvTranspose2d share.
const char* check_conv(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& w = op.input(1);
  const TensorInfo& y = op.output();
  const auto& a = attributes<plan::Conv2d>(op);
  BANTAM_CHECK(x.rank == 4 && w.rank == 4 && y.rank == 4, kRankProblem);
  BANTAM_RETURN_IF_PROBLEM(check_weighted_dtypes(op));
  BANTAM_CHECK(a.groups() >= 1 && x.dims[3] % a.groups() == 0 && w.dims[0] % a.groups() == 0 &&
                   w.dims[3] == x.dims[3] / a.groups(),
               "its groups do not divide its channels");
  BANTAM_CHECK(x.dims[0] == y.dims[0] && w.dims[0] == y.dims[3], kShapeProblem);
  BANTAM_CHECK(!op.has_input(2) || is_vector(op.input(2), w.dims[0]), "its bias has the wrong length");
  BANTAM_CHECK(conv_height(op, a).in_range() && conv_width(op, a).in_range(), kWindowProblem);
  BANTAM_CHECK(is_clamp(a.clamp()), kClampProblem);
  return nullptr;
}

}  // namespace

const char* check_conv2d(const OpContext& op) {
  BANTAM_RETURN_IF_PROBLEM(check_conv(op));
  const auto& a = attributes<plan::Conv2d>(op);
  BANTAM_CHECK(conv_height(op, a).fits() && conv_width(op, a).fits(), kShapeProblem);
  return nullptr;
}

const char* check_conv_transpose2d(const OpContext& op) {
  BANTAM_RETURN_IF_PROBLEM(check_conv(op));
  const auto& a = attributes<plan::Conv2d>(op);
  const auto valid = [](int32_t pad, int32_t stride, int32_t dilation) {
    return pad >= 0 && pad < (stride > dilation ? stride : dilation);
  };
  BANTAM_CHECK(valid(a.output_pad_h(), a.stride_h(), a.dilation_h()) &&
                   valid(a.output_pad_w(), a.stride_w(), a.dilation_w()),
               kWindowProblem);
  BANTAM_CHECK(conv_height(op, a).fits_transposed(a.output_pad_h()) &&
                   conv_width(op, a).fits_transposed(a.output_pad_w()),
               kShapeProblem);
  return nullptr;
}

const char* check_pool2d(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& y = op.output();
  const auto& a = attributes<plan::Pool2d>(op);
  BANTAM_CHECK(x.rank == 4 && y.rank == 4, kRankProblem);
  BANTAM_CHECK(x.dtype == y.dtype, kDtypeProblem);
  BANTAM_CHECK(x.dims[0] == y.dims[0] && x.dims[3] == y.dims[3], kShapeProblem);
  const Window height = {x.dims[1],      y.dims[1],   a.kernel_h(),  a.stride_h(),
                         a.dilation_h(), a.pad_top(), a.pad_bottom()};
  const Window width = {x.dims[2],      y.dims[2],    a.kernel_w(), a.stride_w(),
                        a.dilation_w(), a.pad_left(), a.pad_right()};
  for (const Window& window : {height, width}) {
    // With less padding than kernel, every window sees at least one element.
    BANTAM_CHECK(
        window.in_range() && window.pad_before < window.extent() && window.pad_after < window.extent(),
        kWindowProblem);
    BANTAM_CHECK(window.fits() || (a.ceil_mode() && window.fits_rounded_up()), kShapeProblem);
  }
  BANTAM_CHECK(is_clamp(a.clamp()), kClampProblem);
  return nullptr;
}

const char* check_average_pool2d(const OpContext& op) {
  BANTAM_CHECK(is_real(op.input(0)) && is_real(op.output()), kQuantizationProblem);
  return check_pool2d(op);
}

const char* check_resize(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& y = op.output();
  const auto& a = attributes<plan::Resize>(op);
  BANTAM_CHECK(x.rank == 4 && y.rank == 4, kRankProblem);
  BANTAM_CHECK(x.dtype == y.dtype, kDtypeProblem);
  BANTAM_CHECK(x.dtype != plan::DType::kInt8 || (is_real(x) && is_real(y)), kQuantizationProblem);
  BANTAM_CHECK(x.dims[0] == y.dims[0] && x.dims[3] == y.dims[3], kShapeProblem);
  BANTAM_CHECK(x.dims[1] <= kMostPixels && x.dims[2] <= kMostPixels && y.dims[1] <= kMostPixels &&
                   y.dims[2] <= kMostPixels,
               "it is too large");
  BANTAM_CHECK(a.mode() <= plan::ResizeMode::MAX && a.coordinates() <= plan::CoordinateMode::MAX &&
                   a.nearest() <= plan::NearestMode::MAX,
               kEnumProblem);
  BANTAM_CHECK(std::isnormal(a.scale_h()) && a.scale_h() > 0 && std::isnormal(a.scale_w()) && a.scale_w() > 0,
               "a scale is not a positive number");
  BANTAM_CHECK(std::isfinite(a.cubic_a()) && !std::isnan(a.extrapolation()), "an attribute is not a number");
  const uint32_t roi = a.roi() == nullptr ? 0 : a.roi()->size();
  BANTAM_CHECK(roi == 4 || (roi == 0 && a.coordinates() != plan::CoordinateMode::kTfCropAndResize),
               "its region has not 4 numbers");
  for (uint32_t i = 0; i < roi; ++i) BANTAM_CHECK(std::isfinite(a.roi()->Get(i)), "its region is not finite");
  return nullptr;
}

const char* check_instance_norm(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  BANTAM_CHECK(x.rank >= 3, kRankProblem);
  BANTAM_CHECK(is_float(x) && is_float(op.input(1)) && is_float(op.input(2)) && is_float(op.output()),
               kDtypeProblem);
  BANTAM_CHECK(same_shape(x, op.output()), kShapeProblem);
  const int32_t channels = x.dims[x.rank - 1];
  BANTAM_CHECK(is_vector(op.input(1), channels) && is_vector(op.input(2), channels),
               "its scale or bias has the wrong length");
  const float epsilon = attributes<plan::InstanceNorm>(op).epsilon();
  BANTAM_CHECK(std::isfinite(epsilon) && epsilon >= 0, "its epsilon is out of range");
  return nullptr;
}

const char* check_normalize_image(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& table = op.input(1);
  BANTAM_CHECK(x.rank == 4 && table.rank == 2, kRankProblem);
  BANTAM_CHECK(x.dtype == plan::DType::kUInt8 && table.dtype == op.output().dtype, kDtypeProblem);
  BANTAM_CHECK(table.dims[0] == x.dims[3] && table.dims[1] == 256, "its table is not [channels, 256]");
  BANTAM_CHECK(same_shape(x, op.output()), kShapeProblem);
  return nullptr;
}

}  // namespace bantam::verify
