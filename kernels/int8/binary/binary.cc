#include <cstring>

#include "int8/arithmetic.h"
#include "int8/binary/params.h"
#include "int8/dispatch.h"
#include "int8/highway_targets.h"
#include "int8/int8_kernels.h"
#include "kernel_support.h"
#include "layout.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "int8/binary/binary.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "int8/binary/sums-inl.h"
#include "int8/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

// Products of int16 as int32, in-block.
HWY_INLINE void widening_multiply(VI16 a, VI16 b, VI32& lower, VI32& upper) {
#if HWY_ARCH_X86
  const VI16 low = hn::Mul(a, b), high = hn::MulHigh(a, b);
  lower = hn::BitCast(DI32(), hn::InterleaveLower(DI16(), low, high));
  upper = hn::BitCast(DI32(), hn::InterleaveUpper(DI16(), low, high));
#elif HWY_TARGET == HWY_EMU128
  lower = hn::Mul(widen_lower(a), widen_lower(b));
  upper = hn::Mul(widen_upper(a), widen_upper(b));
#else
  lower = VI32(vmull_s16(vget_low_s16(a.raw), vget_low_s16(b.raw)));
  upper = VI32(vmull_s16(vget_high_s16(a.raw), vget_high_s16(b.raw)));
#endif
}

struct MulOp {
  VI16 a_zero, b_zero;
  VF32 scale;
  Output output;

  explicit MulOp(const BinaryParams& p)
      : a_zero(hn::Set(DI16(), static_cast<int16_t>(p.a_zero))),
        b_zero(hn::Set(DI16(), static_cast<int16_t>(p.b_zero))),
        scale(hn::Set(DF32(), p.scale)),
        output(p.y_zero, p.range.min, p.range.max) {}

  HWY_INLINE VI16 half(VI16 a, VI16 b) const {
    VI32 lower, upper;
    widening_multiply(hn::Sub(a, a_zero), hn::Sub(b, b_zero), lower, upper);
    return narrow(scale_to_int(lower, scale), scale_to_int(upper, scale));
  }
  HWY_INLINE VI8 operator()(VI8 a, VI8 b) const {
    return output(half(widen_lower(a), widen_lower(b)), half(widen_upper(a), widen_upper(b)));
  }
};

struct MinOp {
  Output output;
  explicit MinOp(const BinaryParams& p) : output(0, p.range.min, p.range.max) {}
  HWY_INLINE VI8 operator()(VI8 a, VI8 b) const { return output.clamp(hn::Min(a, b)); }
};

struct MaxOp {
  Output output;
  explicit MaxOp(const BinaryParams& p) : output(0, p.range.min, p.range.max) {}
  HWY_INLINE VI8 operator()(VI8 a, VI8 b) const { return output.clamp(hn::Max(a, b)); }
};

// Reads past the ends of a and b, less than a vector.
template <class Op>
void apply(const BinaryParams& params, const int8_t* a, const int8_t* b, bool b_is_scalar, int8_t* y,
           size_t count) {
  const DI8 d;
  const Op op(params);
  const size_t lanes = hn::Lanes(d);
  const VI8 scalar = hn::Set(d, *b);
  size_t i = 0;
  if (b_is_scalar) {
    for (; i + lanes <= count; i += lanes) hn::StoreU(op(hn::LoadU(d, a + i), scalar), d, y + i);
  } else {
    for (; i + lanes <= count; i += lanes) hn::StoreU(op(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  }
  if (i < count) {
    const VI8 last = b_is_scalar ? scalar : hn::LoadU(d, b + i);
    hn::StoreN(op(hn::LoadU(d, a + i), last), d, y + i, count - i);
  }
}

void apply_mul(const BinaryParams& params, const int8_t* a, const int8_t* b, bool b_is_scalar, int8_t* y,
               size_t count) {
  apply<MulOp>(params, a, b, b_is_scalar, y, count);
}
void apply_add(const BinaryParams& params, const int8_t* a, const int8_t* b, bool b_is_scalar, int8_t* y,
               size_t count) {
  apply<AddOp>(params, a, b, b_is_scalar, y, count);
}
void apply_onnx_add(const BinaryParams& params, const int8_t* a, const int8_t* b, bool b_is_scalar, int8_t* y,
                    size_t count) {
  apply<OnnxAddOp>(params, a, b, b_is_scalar, y, count);
}
void apply_min(const BinaryParams& params, const int8_t* a, const int8_t* b, bool b_is_scalar, int8_t* y,
               size_t count) {
  apply<MinOp>(params, a, b, b_is_scalar, y, count);
}
void apply_max(const BinaryParams& params, const int8_t* a, const int8_t* b, bool b_is_scalar, int8_t* y,
               size_t count) {
  apply<MaxOp>(params, a, b, b_is_scalar, y, count);
}

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace bantam::kernels {

HWY_EXPORT(apply_mul);
HWY_EXPORT(apply_add);
HWY_EXPORT(apply_onnx_add);
HWY_EXPORT(apply_min);
HWY_EXPORT(apply_max);

namespace {

using plan::BinaryKind;
using ApplyFunction = void (*)(const BinaryParams&, const int8_t*, const int8_t*, bool, int8_t*, size_t);

ApplyFunction apply_function(BinaryKind kind, bool onnx) {
  switch (kind) {
    case BinaryKind::kMul:
      return HWY_DYNAMIC_POINTER(apply_mul);
    case BinaryKind::kAdd:
    case BinaryKind::kSub:
      return onnx ? HWY_DYNAMIC_POINTER(apply_onnx_add) : HWY_DYNAMIC_POINTER(apply_add);
    case BinaryKind::kMin:
      return HWY_DYNAMIC_POINTER(apply_min);
    case BinaryKind::kMax:
      return HWY_DYNAMIC_POINTER(apply_max);
    default:
      return nullptr;
  }
}

bool same_quantization(const TensorInfo& a, const TensorInfo& b) {
  return a.scale() == b.scale() && a.zero_point == b.zero_point;
}

class Int8Binary final : public Kernel {
 public:
  Status init(const OpContext& context, const plan::Binary& binary) {
    const BinaryKind kind = binary.kind();
    const plan::SumRounding rounding = binary.rounding();
    const TensorInfo& a = context.input(0);
    const TensorInfo& b = context.input(1);
    const TensorInfo& y = context.output();
    params_.a_zero = a.zero_point;
    params_.b_zero = b.zero_point;
    params_.y_zero = y.zero_point;
    params_.range = q_range(binary.clamp());
    params_.scale = capped_ratio(a.scale() * b.scale() / y.scale());
    const bool onnx = rounding != plan::SumRounding::kFast;
    params_.is_uint8 = rounding == plan::SumRounding::kOnnxUInt8;
    if (kind == BinaryKind::kAdd || kind == BinaryKind::kSub) {
      const bool subtract = kind == BinaryKind::kSub;
      if (!(onnx ? set_onnx_sum : set_sum)(a, b, y, subtract, params_)) {
        return unsupported(context, "an int8 sum needs scales closer to each other");
      }
    }
    if ((kind == BinaryKind::kMin || kind == BinaryKind::kMax) &&
        !(same_quantization(a, y) && same_quantization(b, y))) {
      return unsupported(context, "int8 min and max need one quantization for all three tensors");
    }
    choose_target();
    apply_ = apply_function(kind, onnx);
    if (apply_ == nullptr) return unsupported(context, "no int8 kernel for this kind of binary op");
    set_loop(make_loop({broadcast_layout(a, y), broadcast_layout(b, y), layout_of(y)}));
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const int8_t* a = input_as<int8_t>(context, first_);
    const int8_t* b = input_as<int8_t>(context, 1 - first_);
    int8_t* y = output_as<int8_t>(context);
    if (repeats_ > 1) {
      run_repeated(context.threads, a, b, y);
      return ok_status();
    }
    const bool b_is_scalar = loop_.row_stride(1) == 0;
    for_each_run(context.threads, loop_, 1, [&](const int64_t* offsets, int64_t count) {
      apply_(params_, a + offsets[0], b + offsets[1], b_is_scalar, y + offsets[2],
             static_cast<size_t>(count));
    });
    return ok_status();
  }

 private:
  static constexpr int64_t kRepeatedBytes = 1024;

  // Puts the operand that is the same along a row second.
  void set_loop(const Loop<3>& loop) {
    loop_ = loop;
    if (loop_.row_stride(0) == 0 && loop_.row_length() > 1) {
      first_ = 1;
      std::swap(loop_.strides[0], loop_.strides[1]);
      std::swap(params_.a_zero, params_.b_zero);
      std::swap(params_.a_multiplier, params_.b_multiplier);
      std::swap(params_.a_ratio, params_.b_ratio);
    }
    const int32_t rank = loop_.rank;
    if (rank < 2 || rank > 3 || loop_.strides[1][rank - 2] != 0 || loop_.row_stride(1) != 1) return;
    const int64_t length = loop_.row_length();
    for (int i : {0, 2}) {
      if (loop_.strides[i][rank - 2] != length) return;
      if (rank == 3 && loop_.strides[i][0] != length * loop_.dims[1]) return;
    }
    repeats_ = kRepeatedBytes / length;
  }

  // b is one short row for many rows of a: repeats it into a longer one.
  void run_repeated(ThreadPool* threads, const int8_t* a, const int8_t* b, int8_t* y) const {
    const int64_t length = loop_.row_length(), rows = loop_.dims[loop_.rank - 2];
    const int64_t b_stride = loop_.rank == 3 ? loop_.strides[1][0] : 0;
    parallel_ranges(threads, loop_.rows(), tile_for(length), [&](int64_t begin, int64_t end) {
      int8_t repeated[kRepeatedBytes + kReadPadding];
      std::memset(repeated + kRepeatedBytes, 0, kReadPadding);
      while (begin < end) {
        const int64_t outer = begin / rows, stop = std::min(end, (outer + 1) * rows);
        const int64_t copies = std::min(repeats_, stop - begin);
        for (int64_t i = 0; i < copies; ++i) {
          std::memcpy(repeated + i * length, b + outer * b_stride, static_cast<size_t>(length));
        }
        for (; begin < stop; begin += copies) {
          const int64_t count = std::min(copies, stop - begin) * length;
          apply_(params_, a + begin * length, repeated, false, y + begin * length,
                 static_cast<size_t>(count));
        }
        begin = stop;
      }
    });
  }

  BinaryParams params_;
  ApplyFunction apply_ = nullptr;
  Loop<3> loop_;
  int32_t first_ = 0;    // the input that is operand a of the loop
  int64_t repeats_ = 0;  // rows that one repeated row of b serves; at most 1: not used
};

}  // namespace

// kAdd and kSub: SumRounding::kFast uses 15-bit multipliers. The others are what ONNX Runtime's kernels for
// AVX2 do with int8 or uint8 (a, b, y and their zero points all 128 higher): with ra = a_scale / y_scale, rb
// = b_scale / y_scale, round_to_nearest_even(fma(a, ra, fma(b, rb, y_zero - (ra * a_zero + rb * b_zero)))).
// Relies on dense tensors.
Status create_int8_binary(const OpContext& context, Kernel** out) {
  const plan::Binary* binary = context.op->attributes_as_Binary();
  for (const TensorInfo* tensor : {&context.input(0), &context.input(1), &context.output()}) {
    if (tensor->dtype != plan::DType::kInt8) return unsupported(context, "not an int8 op");
    if (!tensor->dense()) return unsupported(context, "int8 binary ops need dense tensors");
    if (!usable_scale(*tensor)) return unsupported(context, "scale out of range");
  }
  return make_kernel<Int8Binary>(context, out, *binary);
}

}  // namespace bantam::kernels

#endif
