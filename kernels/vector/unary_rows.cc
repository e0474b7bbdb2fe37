// See float_rows.h. Compiled once per instruction set.
#include "vector/float_rows.h"

#include "int8/highway_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vector/unary_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// After highway.h.
#include "hwy/contrib/math/math-inl.h"
#include "vector/clamp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
using plan::UnaryKind;

template <typename Function>
HWY_INLINE void map_row(const float* x, float* y, int64_t n, const Function& function) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(function(d, hn::LoadU(d, x + i)), d, y + i);
  if (i < n) {
    const auto rest = static_cast<size_t>(n - i);
    hn::StoreN(function(d, hn::LoadN(d, x + i, rest)), d, y + i, rest);
  }
}

HWY_INLINE V constant(D d, float value) { return hn::Set(d, value); }

// Highway's exp is defined up to 104, where the result is infinite already; NaN stays.
HWY_INLINE V exp_of(D d, V x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, hn::Min(x, constant(d, 104.0f))));
}
HWY_INLINE V expm1_of(D d, V x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Expm1(d, hn::Min(x, constant(d, 104.0f))));
}
HWY_INLINE V log_of(D d, V x) {
  const V zero = hn::Zero(d);
  const V infinity = hn::Inf(d);
  const V regular = hn::Log(d, x);
  const V edge =
      hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), hn::IfThenElse(hn::Gt(x, zero), x, hn::NaN(d)));
  return hn::IfThenElse(hn::And(hn::Gt(x, zero), hn::Lt(x, infinity)), regular, edge);
}
// exp for |x| <= 87, where nothing over- or underflows: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial for
// exp(r) (its coefficients are those of XNNPACK's p5), and n added to the exponent.
HWY_INLINE V bounded_exp(D d, V x) {
  const hn::RebindToSigned<D> di;
  const auto n = hn::NearestInt(hn::Mul(x, constant(d, 1.44269504f)));
  const V whole = hn::ConvertTo(d, n);
  const V reduced = hn::NegMulAdd(whole, constant(d, 0x1.62E400p-1f), x);
  const V r = hn::NegMulAdd(whole, constant(d, 0x1.7F7D1Cp-20f), reduced);
  V p = constant(d, 0x1.0F9F9Cp-7f);
  p = hn::MulAdd(p, r, constant(d, 0x1.573A1Ap-5f));
  p = hn::MulAdd(p, r, constant(d, 0x1.555A80p-3f));
  p = hn::MulAdd(p, r, constant(d, 0x1.FFFDC6p-2f));
  p = hn::MulAdd(p, r, constant(d, 0x1.FFFFF6p-1f));
  p = hn::MulAdd(p, r, constant(d, 1.0f));
  return hn::Mul(p, hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(n, hn::Set(di, 127)))));
}

// 1 / x for 1 <= x < 2^126, to two units in the last place: the CPU's estimate and Newton's steps cost less
// than a division.
HWY_INLINE V reciprocal_of(D d, V x) {
  const V two = constant(d, 2.0f);
  V r = hn::ApproximateReciprocal(x);
#if !HWY_ARCH_X86
  r = hn::Mul(r, hn::NegMulAdd(x, r, two));  // ARM's estimate has 8 bits, x86's 11 or more
#endif
  return hn::Mul(r, hn::NegMulAdd(x, r, two));
}

HWY_INLINE V sigmoid_of(D d, V x) {
  const V limit = constant(d, 87.0f);
  const V bounded = clamped(hn::Neg(x), hn::Neg(limit), limit);
  return reciprocal_of(d, hn::Add(constant(d, 1.0f), bounded_exp(d, bounded)));
}
HWY_INLINE V silu_of(D d, V x) { return hn::Mul(x, sigmoid_of(d, x)); }
HWY_INLINE V softplus_of(D d, V x) {
  return hn::Add(hn::Max(x, hn::Zero(d)), hn::Log1p(d, hn::Exp(d, hn::Neg(hn::Abs(x)))));
}
HWY_INLINE V negative_part(D d, V x) { return hn::Min(x, hn::Zero(d)); }

// Rational minimax approximation on [-4, 4], beyond which erf is 1 in float (the coefficients are those of
// Eigen's generic_fast_erf_float).
HWY_INLINE V erf_of(D d, V x) {
  const V t = clamped(x, constant(d, -4.0f), constant(d, 4.0f));
  const V t2 = hn::Mul(t, t);
  V p = constant(d, -2.72614225801306e-10f);
  p = hn::MulAdd(p, t2, constant(d, 2.77068142495902e-08f));
  p = hn::MulAdd(p, t2, constant(d, -2.10102402082508e-06f));
  p = hn::MulAdd(p, t2, constant(d, -5.69250639462346e-05f));
  p = hn::MulAdd(p, t2, constant(d, -7.34990630326855e-04f));
  p = hn::MulAdd(p, t2, constant(d, -2.95459980854025e-03f));
  p = hn::MulAdd(p, t2, constant(d, -1.60960333262415e-02f));
  V q = constant(d, -1.45660718464996e-05f);
  q = hn::MulAdd(q, t2, constant(d, -2.13374055278905e-04f));
  q = hn::MulAdd(q, t2, constant(d, -1.68282697438203e-03f));
  q = hn::MulAdd(q, t2, constant(d, -7.37332916720468e-03f));
  q = hn::MulAdd(q, t2, constant(d, -1.42647390514189e-02f));
  return hn::Div(hn::Mul(t, p), q);
}

// One row function per kind; `alpha` and `beta` are vectors in the expressions.
#define BANTAM_UNARY(name, expression)                                                                    \
  void name(const float* in, float* out, int64_t n, [[maybe_unused]] float a, [[maybe_unused]] float b) { \
    map_row(in, out, n, [a, b](D d, V x) HWY_ATTR {                                                       \
      [[maybe_unused]] const V alpha = constant(d, a);                                                    \
      [[maybe_unused]] const V beta = constant(d, b);                                                     \
      [[maybe_unused]] const V zero = hn::Zero(d);                                                        \
      [[maybe_unused]] const V one = constant(d, 1.0f);                                                   \
      [[maybe_unused]] const V half = constant(d, 0.5f);                                                  \
      return expression;                                                                                  \
    });                                                                                                   \
  }

BANTAM_UNARY(row_clamp, clamped(x, alpha, beta))
BANTAM_UNARY(row_leaky_relu, hn::IfThenElse(hn::Lt(x, zero), hn::Mul(x, alpha), x))
BANTAM_UNARY(row_elu, hn::IfThenElse(hn::Lt(x, zero), hn::Mul(alpha, expm1_of(d, negative_part(d, x))), x))
BANTAM_UNARY(row_selu, hn::Mul(beta, hn::IfThenElse(hn::Lt(x, zero),
                                                    hn::Mul(alpha, expm1_of(d, negative_part(d, x))), x)))
BANTAM_UNARY(row_celu, hn::IfThenElse(hn::Lt(x, zero),
                                      hn::Mul(alpha, expm1_of(d, hn::Div(negative_part(d, x), alpha))), x))
BANTAM_UNARY(row_sigmoid, sigmoid_of(d, x))
BANTAM_UNARY(row_hard_sigmoid, clamped(hn::Add(hn::Mul(x, alpha), beta), zero, one))
BANTAM_UNARY(row_hard_swish, hn::Mul(x, clamped(hn::MulAdd(x, constant(d, 1.0f / 6.0f), half), zero, one)))
BANTAM_UNARY(row_tanh, hn::Tanh(d, x))
BANTAM_UNARY(row_softplus, softplus_of(d, x))
BANTAM_UNARY(row_gelu,
             hn::Mul(hn::Mul(half, x), hn::Add(one, erf_of(d, hn::Mul(x, constant(d, 0.70710678f))))))
BANTAM_UNARY(row_gelu_tanh,
             hn::Mul(hn::Mul(half, x),
                     hn::Add(one, hn::Tanh(d, hn::Mul(constant(d, 0.79788456f),
                                                      hn::MulAdd(hn::Mul(hn::Mul(x, x), x),
                                                                 constant(d, 0.044715f), x))))))
BANTAM_UNARY(row_erf, erf_of(d, x))
BANTAM_UNARY(row_exp, exp_of(d, x))
BANTAM_UNARY(row_log, log_of(d, x))
BANTAM_UNARY(row_sqrt, hn::Sqrt(x))
BANTAM_UNARY(row_reciprocal, hn::Div(one, x))
BANTAM_UNARY(row_neg, hn::Neg(x))
BANTAM_UNARY(row_abs, hn::Abs(x))
BANTAM_UNARY(row_floor, hn::Floor(x))
BANTAM_UNARY(row_ceil, hn::Ceil(x))
BANTAM_UNARY(row_round, hn::Round(x))
BANTAM_UNARY(row_silu, silu_of(d, x))
BANTAM_UNARY(row_rsqrt, hn::Div(one, hn::Sqrt(x)))
BANTAM_UNARY(row_sign, hn::IfThenElse(hn::Gt(x, zero), one, hn::IfThenElse(hn::Lt(x, zero), hn::Neg(one), x)))
BANTAM_UNARY(row_square, hn::Mul(x, x))
BANTAM_UNARY(row_thresholded_relu, hn::IfThenElseZero(hn::Gt(x, alpha), x))
BANTAM_UNARY(row_mish, hn::Mul(x, hn::Tanh(d, softplus_of(d, x))))
BANTAM_UNARY(row_softsign, hn::Div(x, hn::Add(one, hn::Abs(x))))

#undef BANTAM_UNARY

UnaryRow choose_unary(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::kClamp:
      return row_clamp;
    case UnaryKind::kLeakyRelu:
      return row_leaky_relu;
    case UnaryKind::kElu:
      return row_elu;
    case UnaryKind::kSelu:
      return row_selu;
    case UnaryKind::kSigmoid:
      return row_sigmoid;
    case UnaryKind::kHardSigmoid:
      return row_hard_sigmoid;
    case UnaryKind::kHardSwish:
      return row_hard_swish;
    case UnaryKind::kTanh:
      return row_tanh;
    case UnaryKind::kSoftplus:
      return row_softplus;
    case UnaryKind::kGelu:
      return row_gelu;
    case UnaryKind::kGeluTanh:
      return row_gelu_tanh;
    case UnaryKind::kErf:
      return row_erf;
    case UnaryKind::kExp:
      return row_exp;
    case UnaryKind::kLog:
      return row_log;
    case UnaryKind::kSqrt:
      return row_sqrt;
    case UnaryKind::kReciprocal:
      return row_reciprocal;
    case UnaryKind::kNeg:
      return row_neg;
    case UnaryKind::kAbs:
      return row_abs;
    case UnaryKind::kFloor:
      return row_floor;
    case UnaryKind::kCeil:
      return row_ceil;
    case UnaryKind::kRound:
      return row_round;
    case UnaryKind::kSilu:
      return row_silu;
    case UnaryKind::kRsqrt:
      return row_rsqrt;
    case UnaryKind::kSign:
      return row_sign;
    case UnaryKind::kSquare:
      return row_square;
    case UnaryKind::kThresholdedRelu:
      return row_thresholded_relu;
    case UnaryKind::kCelu:
      return row_celu;
    case UnaryKind::kMish:
      return row_mish;
    case UnaryKind::kSoftsign:
      return row_softsign;
    default:
      return nullptr;
  }
}

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bantam::kernels {

HWY_EXPORT(choose_unary);

UnaryRow unary_row(plan::UnaryKind kind) { return HWY_DYNAMIC_DISPATCH(choose_unary)(kind); }

}  // namespace bantam::kernels
#endif  // HWY_ONCE
