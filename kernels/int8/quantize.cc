#include "int8/arithmetic.h"
#include "int8/highway_targets.h"
#include "int8/int8_kernels.h"
#include "int8/lookup.h"
#include "int8/rows.h"
#include "kernel_support.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "int8/quantize.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "int8/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

// Exactly rounded, which the vector division of 32-bit ARM is not.
HWY_INLINE VF32 divide(VF32 x, VF32 by) {
#if HWY_ARCH_ARM_V7
  const DF32 d;
  alignas(16) float quotients[4], divisors[4];
  hn::Store(x, d, quotients);
  hn::Store(by, d, divisors);
  for (size_t i = 0; i < hn::Lanes(d); ++i) quotients[i] /= divisors[i];
  return hn::Load(d, quotients);
#else
  return hn::Div(x, by);
#endif
}

HWY_INLINE VI32 quantize_lanes(VF32 x, VF32 scale) {
  const DF32 d;
  const VF32 y = divide(x, scale);
  const VI32 q = round_to_int(hn::Min(y, hn::Set(d, 0x1p30f)));
  return hn::IfThenElseZero(hn::RebindMask(DI32(), hn::Eq(y, y)), q);
}

// In-block narrowing of four vectors leaves a block of the result with one 32-bit lane of each; this puts
// them in order.
HWY_INLINE VI8 unblock(VI8 v) {
  const DI32 d;
  const size_t blocks = hn::Lanes(d) / 4;
  if (blocks == 1) return v;
  alignas(64) int32_t lanes[16];
  for (size_t i = 0; i < 4 * blocks; ++i) lanes[i] = static_cast<int32_t>(i % blocks * 4 + i / blocks);
  return hn::BitCast(DI8(), hn::TableLookupLanes(hn::BitCast(d, v), hn::SetTableIndices(d, lanes)));
}

void quantize(const float* x, int8_t* y, size_t count, float scale, int32_t zero_point) {
  const DI8 d;
  const DF32 df;
  const size_t lanes = hn::Lanes(d), quarter = hn::Lanes(df);
  const VF32 divisor = hn::Set(df, scale);
  const Output output(zero_point, -128, 127);
  const auto one = [&](const float* from) HWY_ATTR {
    const VI32 q0 = quantize_lanes(hn::LoadU(df, from), divisor);
    const VI32 q1 = quantize_lanes(hn::LoadU(df, from + quarter), divisor);
    const VI32 q2 = quantize_lanes(hn::LoadU(df, from + 2 * quarter), divisor);
    const VI32 q3 = quantize_lanes(hn::LoadU(df, from + 3 * quarter), divisor);
    return unblock(output(narrow(q0, q1), narrow(q2, q3)));
  };
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(one(x + i), d, y + i);
  if (i == count) return;
  alignas(64) float rest[HWY_MAX_BYTES];
  for (size_t k = 0; k < lanes; ++k) rest[k] = i + k < count ? x[i + k] : 0.0f;
  hn::StoreN(one(rest), d, y + i, count - i);
}

void dequantize(const int8_t* x, float* y, size_t count, float scale, int32_t zero_point) {
  const DI32 d;
  const DF32 df;
  const hn::Rebind<int8_t, DI32> d8;
  const size_t lanes = hn::Lanes(d);
  const VI32 zero = hn::Set(d, zero_point);
  const VF32 factor = hn::Set(df, scale);
  const auto one = [&](const int8_t* from) HWY_ATTR {
    return hn::Mul(hn::ConvertTo(df, hn::Sub(hn::PromoteTo(d, hn::LoadU(d8, from)), zero)), factor);
  };
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(one(x + i), df, y + i);
  if (i < count) hn::StoreN(one(x + i), df, y + i, count - i);
}

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace bantam::kernels {

HWY_EXPORT(quantize);
HWY_EXPORT(dequantize);

namespace {

class Quantize final : public Kernel {
 public:
  Status init(const OpContext& context) {
    scale_ = context.output().scale();
    zero_point_ = context.output().zero_point;
    loop_ = loop_over_rows(context.input(0), context.output());
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const float* x = input_as<float>(context, 0);
    int8_t* y = output_as<int8_t>(context);
    for_each_run(context.threads, loop_, 2, [&](const int64_t* offsets, int64_t count) {
      HWY_DYNAMIC_DISPATCH(quantize)
      (x + offsets[0], y + offsets[1], static_cast<size_t>(count), scale_, zero_point_);
    });
    return ok_status();
  }

 private:
  float scale_ = 1.0f;
  int32_t zero_point_ = 0;
  Loop<2> loop_;
};

class Dequantize final : public Kernel {
 public:
  Status init(const OpContext& context) {
    scale_ = context.input(0).scale();
    zero_point_ = context.input(0).zero_point;
    loop_ = loop_over_rows(context.input(0), context.output());
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const int8_t* x = input_as<int8_t>(context, 0);
    float* y = output_as<float>(context);
    for_each_run(context.threads, loop_, 2, [&](const int64_t* offsets, int64_t count) {
      HWY_DYNAMIC_DISPATCH(dequantize)
      (x + offsets[0], y + offsets[1], static_cast<size_t>(count), scale_, zero_point_);
    });
    return ok_status();
  }

 private:
  float scale_ = 1.0f;
  int32_t zero_point_ = 0;
  Loop<2> loop_;
};

}  // namespace

Status create_quantize(const OpContext& context, Kernel** out) {
  if (context.input(0).dtype != plan::DType::kFloat32 || context.output().dtype != plan::DType::kInt8) {
    return unsupported(context, "quantize maps float32 to int8");
  }
  if (!usable_scale(context.output())) return unsupported(context, "scale out of range");
  return make_kernel<Quantize>(context, out);
}

Status create_dequantize(const OpContext& context, Kernel** out) {
  if (context.input(0).dtype != plan::DType::kInt8 || context.output().dtype != plan::DType::kFloat32) {
    return unsupported(context, "dequantize maps int8 to float32");
  }
  if (!usable_scale(context.input(0))) return unsupported(context, "scale out of range");
  return make_kernel<Dequantize>(context, out);
}

Status create_requantize(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& y = context.output();
  if (x.dtype != plan::DType::kInt8 || y.dtype != plan::DType::kInt8) {
    return unsupported(context, "requantize maps int8 to int8");
  }
  if (!usable_scale(x) || !usable_scale(y)) return unsupported(context, "scale out of range");
  const float ratio = capped_ratio(x.scale() / y.scale());
  int8_t table[256];
  for (int32_t q = -128; q < 128; ++q) table[q + 128] = requantize(q - x.zero_point, ratio, y.zero_point);
  return make_lookup(context, table, out);
}

}  // namespace bantam::kernels

#endif
