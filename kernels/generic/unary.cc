#include <cmath>

#include "generic/scalar_ops.h"
#include "kernel_list.h"
#include "kernel_support.h"
#include "layout.h"
#include "vector/float_rows.h"

namespace bantam::kernels {

namespace {

using plan::DType;
using plan::UnaryKind;

Loop<2> unary_loop(const OpContext& context) {
  const Loop<2> loop = make_loop<2>({layout_of(context.input(0)), layout_of(context.output())});
  // Not so when pixels of one channel lie apart.
  return contiguous_rows(loop, 0) && contiguous_rows(loop, 1) ? loop : single_elements(loop);
}

class FloatUnaryKernel final : public Kernel {
 public:
  Status init(const OpContext& context, const Loop<2>& loop, const UnaryRow& row) {
    const plan::Unary& attributes = *context.op->attributes_as_Unary();
    loop_ = loop;
    row_ = row;
    alpha_ = attributes.alpha();
    beta_ = attributes.beta();
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const float* x = input_as<float>(context, 0);
    float* y = output_as<float>(context);
    for_each_run(context.threads, loop_, 4, [&](const int64_t* offsets, int64_t count) {
      row_(x + offsets[0], y + offsets[1], count, alpha_, beta_);
    });
    return ok_status();
  }

 private:
  Loop<2> loop_;
  UnaryRow row_ = nullptr;
  float alpha_ = 0, beta_ = 0;
};

// In -> Out by a function of one element.
template <typename In, typename Out, Out (*kFunction)(In)>
class ScalarUnaryKernel final : public Kernel {
 public:
  Status init(const OpContext&, const Loop<2>& loop) {
    loop_ = loop;
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const In* x = input_as<In>(context, 0);
    Out* y = output_as<Out>(context);
    for_each_run(context.threads, loop_, 8, [&](const int64_t* offsets, int64_t count) {
      for (int64_t i = 0; i < count; ++i) y[offsets[1] + i] = kFunction(x[offsets[0] + i]);
    });
    return ok_status();
  }

 private:
  Loop<2> loop_;
};

// min(max(x, low), high) on integers.
template <typename T>
class ClampKernel final : public Kernel {
 public:
  Status init(const OpContext&, const Loop<2>& loop, const T& low, const T& high) {
    loop_ = loop;
    low_ = low;
    high_ = high;
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const T* x = input_as<T>(context, 0);
    T* y = output_as<T>(context);
    for_each_run(context.threads, loop_, 1, [&](const int64_t* offsets, int64_t count) {
      const T* from = x + offsets[0];
      T* to = y + offsets[1];
      for (int64_t i = 0; i < count; ++i) {
        const T raised = from[i] < low_ ? low_ : from[i];
        to[i] = raised < high_ ? raised : high_;
      }
    });
    return ok_status();
  }

 private:
  Loop<2> loop_;
  T low_ = 0, high_ = 0;
};

float sine(float x) { return std::sin(x); }
float cosine(float x) { return std::cos(x); }
bool is_nan(float x) { return x != x; }
bool logical_not(uint8_t x) { return x == 0; }
template <typename T>
T negative(T x) {
  return wrapping_sub<T>(0, x);
}
template <typename T>
T absolute(T x) {
  return x < 0 ? wrapping_sub<T>(0, x) : x;
}
template <typename T>
T sign(T x) {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}
template <typename T>
T square(T x) {
  return wrapping_mul(x, x);
}

// The nearest T below or at a float bound; infinities and what is too large become the limits of T.
template <typename T>
T bound(float value) {
  if (value >= static_cast<float>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  if (value <= static_cast<float>(std::numeric_limits<T>::lowest())) return std::numeric_limits<T>::lowest();
  return value == value ? static_cast<T>(value) : 0;
}

template <typename T>
Status make_integer(const OpContext& context, const Loop<2>& loop, Kernel** out) {
  const plan::Unary& attributes = *context.op->attributes_as_Unary();
  switch (attributes.kind()) {
    case UnaryKind::kClamp:
      return make_kernel<ClampKernel<T>>(context, out, loop, bound<T>(attributes.alpha()),
                                         bound<T>(attributes.beta()));
    case UnaryKind::kNeg:
      return make_kernel<ScalarUnaryKernel<T, T, negative<T>>>(context, out, loop);
    case UnaryKind::kAbs:
      return make_kernel<ScalarUnaryKernel<T, T, absolute<T>>>(context, out, loop);
    case UnaryKind::kSign:
      return make_kernel<ScalarUnaryKernel<T, T, sign<T>>>(context, out, loop);
    case UnaryKind::kSquare:
      return make_kernel<ScalarUnaryKernel<T, T, square<T>>>(context, out, loop);
    default:
      return unsupported(context, "not for integers");
  }
}

// The quantized value of a real bound: one division, one rounding to even, the same on every CPU.
int8_t quantized_bound(const TensorInfo& tensor, float bound) {
  const float ratio = bound / tensor.scale();
  const float limited = ratio < -512.0f ? -512.0f : ratio < 512.0f ? ratio : 512.0f;  // NaN: 512
  const auto rounded = static_cast<int32_t>((limited + 12582912.0f) - 12582912.0f);   // 1.5 * 2^23
  const int32_t value = rounded + tensor.zero_point;
  return static_cast<int8_t>(value < -128 ? -128 : value > 127 ? 127 : value);
}

Status make_quantized(const OpContext& context, const Loop<2>& loop, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& y = context.output();
  const plan::Unary& attributes = *context.op->attributes_as_Unary();
  if (attributes.kind() != UnaryKind::kClamp) return unsupported(context, "int8 takes a clamp or a Lookup");
  if (!y.quantized() || x.scale() != y.scale() || x.zero_point != y.zero_point) {
    return unsupported(context, "an int8 clamp between two quantizations");
  }
  return make_kernel<ClampKernel<int8_t>>(context, out, loop, quantized_bound(x, attributes.alpha()),
                                          quantized_bound(x, attributes.beta()));
}

Status make_float(const OpContext& context, const Loop<2>& loop, Kernel** out) {
  const UnaryKind kind = context.op->attributes_as_Unary()->kind();
  if (kind == UnaryKind::kSin) return make_kernel<ScalarUnaryKernel<float, float, sine>>(context, out, loop);
  if (kind == UnaryKind::kCos)
    return make_kernel<ScalarUnaryKernel<float, float, cosine>>(context, out, loop);
  const UnaryRow row = unary_row(kind);
  if (row == nullptr) return unsupported(context, "not for float32");
  return make_kernel<FloatUnaryKernel>(context, out, loop, row);
}

}  // namespace

// Relies on: x and y of one shape. y may be the memory of x when both have the same strides.
template <DType kType>
Status create_unary(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const UnaryKind kind = context.op->attributes_as_Unary()->kind();
  const Loop<2> loop = unary_loop(context);
  if constexpr (kType == DType::kFloat32) {
    if (kind == UnaryKind::kIsNaN && context.output().dtype == DType::kBool) {
      return make_kernel<ScalarUnaryKernel<float, bool, is_nan>>(context, out, loop);
    }
  }
  if (x.dtype != context.output().dtype) return unsupported(context, "an output of another type");
  if constexpr (kType == DType::kInt8) {
    if (x.quantized()) return make_quantized(context, loop, out);
  }
  if constexpr (kType == DType::kFloat32) {
    return make_float(context, loop, out);
  } else if constexpr (kType == DType::kBool) {
    if (kind != UnaryKind::kNot) return unsupported(context, "not for bool");
    return make_kernel<ScalarUnaryKernel<uint8_t, bool, logical_not>>(context, out, loop);
  } else {
    return make_integer<ElementOf<kType>>(context, loop, out);
  }
}

template Status create_unary<DType::kFloat32>(const OpContext& context, Kernel** out);
template Status create_unary<DType::kInt8>(const OpContext& context, Kernel** out);
template Status create_unary<DType::kInt32>(const OpContext& context, Kernel** out);
template Status create_unary<DType::kInt64>(const OpContext& context, Kernel** out);
template Status create_unary<DType::kBool>(const OpContext& context, Kernel** out);

}  // namespace bantam::kernels
