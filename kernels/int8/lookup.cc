#include "int8/lookup.h"

#include <cstring>

#include "int8/highway_targets.h"
#include "int8/int8_kernels.h"
#include "int8/rows.h"
#include "kernel_support.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "int8/lookup.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET <= HWY_AVX3_DL

// Two 128-byte lookups, chosen between by the sign of x.
void lookup(const LookupTable& table, const uint8_t* x, uint8_t* y, size_t count) {
  const __m512i t0 = _mm512_load_si512(table.bytes), t1 = _mm512_load_si512(table.bytes + 64);
  const __m512i t2 = _mm512_load_si512(table.bytes + 128), t3 = _mm512_load_si512(table.bytes + 192);
  const auto one = [&](__m512i v) HWY_ATTR {
    const __m512i low = _mm512_permutex2var_epi8(t0, v, t1);
    const __m512i high = _mm512_permutex2var_epi8(t2, v, t3);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(v), low, high);
  };
  size_t i = 0;
  for (; i + 128 <= count; i += 128) {
    const __m512i a = one(_mm512_loadu_si512(x + i)), b = one(_mm512_loadu_si512(x + i + 64));
    _mm512_storeu_si512(y + i, a);
    _mm512_storeu_si512(y + i + 64, b);
  }
  for (; i < count; i += 64) {
    const __mmask64 mask = count - i >= 64 ? ~uint64_t{0} : (uint64_t{1} << (count - i)) - 1;
    _mm512_mask_storeu_epi8(y + i, mask, one(_mm512_maskz_loadu_epi8(mask, x + i)));
  }
}

#elif HWY_TARGET == HWY_SSE2 || !(HWY_ARCH_X86 || HWY_ARCH_ARM_A64)

void lookup(const LookupTable& table, const uint8_t* x, uint8_t* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = table.bytes[x[i]];
}

#else

using D8 = hn::ScalableTag<uint8_t>;
using V8 = hn::Vec<D8>;

#if HWY_ARCH_ARM_A64

template <size_t kVectors>
HWY_INLINE void lookup_vectors(const LookupTable& table, V8 (&v)[kVectors]) {
  const uint8x16x4_t t0 = vld1q_u8_x4(table.bytes), t1 = vld1q_u8_x4(table.bytes + 64);
  const uint8x16x4_t t2 = vld1q_u8_x4(table.bytes + 128), t3 = vld1q_u8_x4(table.bytes + 192);
  const uint8x16_t k64 = vdupq_n_u8(64);
  for (V8& vector : v) {
    uint8x16_t index = vector.raw;
    uint8x16_t result = vqtbl4q_u8(t0, index);
    index = vsubq_u8(index, k64);
    result = vqtbx4q_u8(result, t1, index);
    index = vsubq_u8(index, k64);
    result = vqtbx4q_u8(result, t2, index);
    vector = V8(vqtbx4q_u8(result, t3, vsubq_u8(index, k64)));
  }
}

#else

// Sixteen shuffles of 16 bytes, each of which gives 0 where the top bit of the index is set. The index runs
// down by 16 a step, so row r of the table meets every step up to r, and the rows are stored as differences
// (exclusive or) that add up to row r. The first eight steps may wrap, which lets the upper half of the
// indices begin at step r - 7; the rows from 8 on undo that. The method is that of XNNPACK's x8-lut kernels.
template <size_t kVectors>
HWY_INLINE void lookup_vectors(const LookupTable& table, V8 (&v)[kVectors]) {
  const D8 d;
  const hn::RebindToSigned<D8> di;
  const auto k16 = hn::Set(di, 16);
  V8 index[kVectors];
  const V8 first = hn::LoadDup128(d, table.deltas);
  for (size_t i = 0; i < kVectors; ++i) {
    index[i] = v[i];
    v[i] = hn::TableLookupBytesOr0(first, index[i]);
  }
  for (size_t step = 1; step < 16; ++step) {
    const V8 row = hn::LoadDup128(d, table.deltas + 16 * step);
    for (size_t i = 0; i < kVectors; ++i) {
      const auto signed_index = hn::BitCast(di, index[i]);
      index[i] = hn::BitCast(d, step <= 8 ? hn::Sub(signed_index, k16) : hn::SaturatedSub(signed_index, k16));
      v[i] = hn::Xor(v[i], hn::TableLookupBytesOr0(row, index[i]));
    }
  }
}

#endif

void lookup(const LookupTable& table, const uint8_t* x, uint8_t* y, size_t count) {
  const D8 d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    V8 v[4];
    for (size_t k = 0; k < 4; ++k) v[k] = hn::LoadU(d, x + i + k * lanes);
    lookup_vectors(table, v);
    for (size_t k = 0; k < 4; ++k) hn::StoreU(v[k], d, y + i + k * lanes);
  }
  for (; i + lanes <= count; i += lanes) {
    V8 v[1] = {hn::LoadU(d, x + i)};
    lookup_vectors(table, v);
    hn::StoreU(v[0], d, y + i);
  }
  for (; i < count; ++i) y[i] = table.bytes[x[i]];
}

#endif

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace bantam::kernels {

HWY_EXPORT(lookup);

void LookupTable::init(const int8_t* table) {
  uint8_t by_bits[256];
  for (int i = 0; i < 256; ++i) by_bits[i] = static_cast<uint8_t>(table[i ^ 128]);
  init(by_bits);
}

void LookupTable::init(const uint8_t* table) {
  std::memcpy(bytes, table, sizeof(bytes));
  for (int row = 0; row < 16; ++row) {
    for (int i = 0; i < 16; ++i) {
      const auto delta = [&](int r) { return bytes[16 * r + i] ^ (r == 0 ? 0 : bytes[16 * (r - 1) + i]); };
      deltas[16 * row + i] = static_cast<uint8_t>(delta(row) ^ (row < 8 ? 0 : delta(row - 8)));
    }
  }
}

void lookup_bytes(const LookupTable& table, const uint8_t* x, uint8_t* y, size_t count) {
  HWY_DYNAMIC_DISPATCH(lookup)(table, x, y, count);
}

namespace {

class Lookup final : public Kernel {
 public:
  Status init(const OpContext& context, const int8_t* table) {
    table_.init(table);
    loop_ = loop_over_rows(context.input(0), context.output());
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const uint8_t* x = input_as<uint8_t>(context, 0);
    uint8_t* y = output_as<uint8_t>(context);
    for_each_run(context.threads, loop_, 1, [&](const int64_t* offsets, int64_t count) {
      lookup_bytes(table_, x + offsets[0], y + offsets[1], static_cast<size_t>(count));
    });
    return ok_status();
  }

 private:
  LookupTable table_;
  Loop<2> loop_;
};

}  // namespace

Status make_lookup(const OpContext& context, const int8_t* table, Kernel** out) {
  return make_kernel<Lookup>(context, out, table);
}

Status create_lookup(const OpContext& context, Kernel** out) {
  const TensorInfo& table = context.input(1);
  if (context.input(0).dtype != plan::DType::kInt8 || context.output().dtype != plan::DType::kInt8 ||
      table.dtype != plan::DType::kInt8 || table.elements != 256) {
    return unsupported(context, "a lookup maps int8 to int8 by 256 int8 values");
  }
  if (table.data == nullptr) return unsupported(context, "the table of a lookup must be constant");
  return make_lookup(context, static_cast<const int8_t*>(table.data), out);
}

}  // namespace bantam::kernels

#endif
