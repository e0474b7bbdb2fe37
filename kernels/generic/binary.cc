#include "generic/scalar_ops.h"
#include "int8/int8_kernels.h"
#include "kernel_list.h"
#include "kernel_support.h"
#include "layout.h"
#include "vector/float_rows.h"
#include "xnn/constants.h"

namespace bantam::kernels {

namespace {

using plan::BinaryKind;
using plan::DType;

Loop<3> binary_loop(const OpContext& context) {
  const TensorInfo& y = context.output();
  return make_loop<3>(
      {broadcast_layout(context.input(0), y), broadcast_layout(context.input(1), y), layout_of(y)});
}

// Rows that Highway can take: the output contiguous, each operand contiguous or one element (but not both of
// them one element: the output's shape is the operands' together).
bool vectorizes(const Loop<3>& loop) {
  const int64_t a = loop.row_stride(0), b = loop.row_stride(1);
  return (loop.row_stride(2) == 1 || loop.row_length() == 1) && a <= 1 && b <= 1;
}

class FloatBinaryKernel final : public Kernel {
 public:
  Status init(const OpContext& context, const Loop<3>& loop, const BinaryKind& kind) {
    loop_ = loop;
    // A row of one element reads both operands once, whatever their strides.
    const Operands operands = loop.row_stride(1) == 0 && loop.row_length() > 1   ? Operands::kRowAndScalar
                              : loop.row_stride(0) == 0 && loop.row_length() > 1 ? Operands::kScalarAndRow
                                                                                 : Operands::kRows;
    row_ = binary_row(kind, operands);
    const Range range(context.op->attributes_as_Binary()->clamp());
    low_ = range.min;
    high_ = range.max;
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const float* a = input_as<float>(context, 0);
    const float* b = input_as<float>(context, 1);
    float* y = output_as<float>(context);
    for_each_run(context.threads, loop_, 1, [&](const int64_t* offsets, int64_t count) {
      row_(a + offsets[0], b + offsets[1], y + offsets[2], count, low_, high_);
    });
    return ok_status();
  }

 private:
  Loop<3> loop_;
  BinaryRow row_ = nullptr;
  float low_ = 0, high_ = 0;
};

// In -> Out by a function of two elements.
template <typename In, typename Out, Out (*kFunction)(In, In)>
class ScalarBinaryKernel final : public Kernel {
 public:
  Status init(const OpContext&, const Loop<3>& loop) {
    loop_ = loop;
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const In* a = input_as<In>(context, 0);
    const In* b = input_as<In>(context, 1);
    Out* y = output_as<Out>(context);
    const int64_t sa = loop_.row_stride(0), sb = loop_.row_stride(1), sy = loop_.row_stride(2);
    for_each_run(context.threads, loop_, 4, [&](const int64_t* offsets, int64_t count) {
      const In* pa = a + offsets[0];
      const In* pb = b + offsets[1];
      Out* py = y + offsets[2];
      for (int64_t i = 0; i < count; ++i) py[i * sy] = kFunction(pa[i * sa], pb[i * sb]);
    });
    return ok_status();
  }

 private:
  Loop<3> loop_;
};

template <BinaryKind kKind, typename T>
Status make_arithmetic(const OpContext& context, const Loop<3>& loop, Kernel** out) {
  return make_kernel<ScalarBinaryKernel<T, T, arithmetic<kKind, T>>>(context, out, loop);
}
template <BinaryKind kKind, typename T>
Status make_comparison(const OpContext& context, const Loop<3>& loop, Kernel** out) {
  return make_kernel<ScalarBinaryKernel<T, bool, comparison<kKind, T>>>(context, out, loop);
}

template <typename T>
Status make_scalar(const OpContext& context, BinaryKind kind, const Loop<3>& loop, Kernel** out) {
  switch (kind) {
    case BinaryKind::kAdd:
      return make_arithmetic<BinaryKind::kAdd, T>(context, loop, out);
    case BinaryKind::kSub:
      return make_arithmetic<BinaryKind::kSub, T>(context, loop, out);
    case BinaryKind::kMul:
      return make_arithmetic<BinaryKind::kMul, T>(context, loop, out);
    case BinaryKind::kDiv:
      return make_arithmetic<BinaryKind::kDiv, T>(context, loop, out);
    case BinaryKind::kMin:
      return make_arithmetic<BinaryKind::kMin, T>(context, loop, out);
    case BinaryKind::kMax:
      return make_arithmetic<BinaryKind::kMax, T>(context, loop, out);
    case BinaryKind::kPow:
      return make_arithmetic<BinaryKind::kPow, T>(context, loop, out);
    case BinaryKind::kPRelu:
      return make_arithmetic<BinaryKind::kPRelu, T>(context, loop, out);
    case BinaryKind::kMod:
      return make_arithmetic<BinaryKind::kMod, T>(context, loop, out);
    case BinaryKind::kFmod:
      return make_arithmetic<BinaryKind::kFmod, T>(context, loop, out);
    case BinaryKind::kEqual:
      return make_comparison<BinaryKind::kEqual, T>(context, loop, out);
    case BinaryKind::kLess:
      return make_comparison<BinaryKind::kLess, T>(context, loop, out);
    case BinaryKind::kLessOrEqual:
      return make_comparison<BinaryKind::kLessOrEqual, T>(context, loop, out);
    case BinaryKind::kGreater:
      return make_comparison<BinaryKind::kGreater, T>(context, loop, out);
    case BinaryKind::kGreaterOrEqual:
      return make_comparison<BinaryKind::kGreaterOrEqual, T>(context, loop, out);
    default:
      return unsupported(context, "logic takes bool");
  }
}

Status make_logic(const OpContext& context, BinaryKind kind, const Loop<3>& loop, Kernel** out) {
  switch (kind) {
    case BinaryKind::kAnd:
      return make_comparison<BinaryKind::kAnd, uint8_t>(context, loop, out);
    case BinaryKind::kOr:
      return make_comparison<BinaryKind::kOr, uint8_t>(context, loop, out);
    case BinaryKind::kXor:
      return make_comparison<BinaryKind::kXor, uint8_t>(context, loop, out);
    case BinaryKind::kEqual:
      return make_comparison<BinaryKind::kEqual, uint8_t>(context, loop, out);
    default:
      return unsupported(context, "bool has logic and equality only");
  }
}

bool yields_bool(BinaryKind kind) { return kind >= BinaryKind::kEqual && kind <= BinaryKind::kXor; }

bool same_quantization(const TensorInfo& a, const TensorInfo& b) {
  if (!a.quantized() && !b.quantized()) return true;
  return a.quantized() && b.quantized() && a.scale() == b.scale() && a.zero_point == b.zero_point;
}

bool clamps(const plan::Clamp* clamp) {
  const Range range(clamp);
  const Range everything;
  return range.min != everything.min || range.max != everything.max;
}

Status check(const OpContext& context, BinaryKind kind) {
  const DType dtype = context.input(0).dtype;
  if (dtype != context.input(1).dtype) return unsupported(context, "operands of two types");
  if (context.output().dtype != (yields_bool(kind) ? DType::kBool : dtype)) {
    return unsupported(context, "an output of another type");
  }
  return ok_status();
}

}  // namespace

// Relies on: a and b of one dtype, their shapes broadcasting to that of y; y bool for comparisons and logic
// and of the dtype of a otherwise. y may be the memory of an operand that has its shape.
template <DType kType>
Status create_binary(const OpContext& context, Kernel** out) {
  const plan::Binary& attributes = *context.op->attributes_as_Binary();
  const BinaryKind kind = attributes.kind();
  BANTAM_RETURN_IF_ERROR(check(context, kind));
  if constexpr (kType == DType::kInt8) {
    if (context.output().quantized()) return create_int8_binary(context, out);
  }
  if (!same_quantization(context.input(0), context.input(1)))
    return unsupported(context, "two quantizations");
  const Loop<3> loop = binary_loop(context);
  if constexpr (kType == DType::kFloat32) {
    const bool in_highway = binary_row(kind, Operands::kRows) != nullptr;
    if (in_highway && vectorizes(loop)) return make_kernel<FloatBinaryKernel>(context, out, loop, kind);
    if (in_highway && clamps(attributes.clamp()))
      return make_kernel<FloatBinaryKernel>(context, out, single_elements(loop), kind);
  }
  if (clamps(attributes.clamp())) return unsupported(context, "a clamp after this");
  if constexpr (kType == DType::kBool) {
    return make_logic(context, kind, loop, out);
  } else {
    return make_scalar<ElementOf<kType>>(context, kind, loop, out);
  }
}

template Status create_binary<DType::kFloat32>(const OpContext& context, Kernel** out);
template Status create_binary<DType::kInt8>(const OpContext& context, Kernel** out);
template Status create_binary<DType::kUInt8>(const OpContext& context, Kernel** out);
template Status create_binary<DType::kInt32>(const OpContext& context, Kernel** out);
template Status create_binary<DType::kInt64>(const OpContext& context, Kernel** out);
template Status create_binary<DType::kBool>(const OpContext& context, Kernel** out);

}  // namespace bantam::kernels
