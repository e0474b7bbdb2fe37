// Unary and binary ops, by the rows of vector/float_rows.h: a piece is made float32, computed, and made
// float16 again while it is in the cache.
#include <algorithm>

#include "float16/conversion.h"
#include "float16/halves.h"
#include "kernel_support.h"
#include "layout.h"
#include "vector/float_rows.h"
#include "xnn/constants.h"

namespace bantam::kernels {

namespace {

using plan::DType;

constexpr int64_t kPiece = 512;  // elements

// Elements of a tensor of either type as float32.
class Source {
 public:
  void init(const TensorInfo& tensor) {
    half_ = tensor.dtype == DType::kFloat16;
    widen_ = widen_row();
  }
  // Elements [first, first + count), in `buffer` unless they lie in memory so.
  const float* read(const void* data, int64_t first, int64_t count, float* buffer) const {
    if (!half_) return static_cast<const float*>(data) + first;
    widen_(static_cast<const uint16_t*>(data) + first, buffer, count);
    return buffer;
  }

 private:
  bool half_ = false;
  WidenRow widen_ = nullptr;
};

// Where the elements of a tensor of either type are written as float32.
class Target {
 public:
  void init(const TensorInfo& tensor) {
    half_ = tensor.dtype == DType::kFloat16;
    narrow_ = narrow_row();
  }
  float* place(void* data, int64_t first, float* buffer) const {
    return half_ ? buffer : static_cast<float*>(data) + first;
  }
  void finish(void* data, int64_t first, int64_t count, const float* buffer) const {
    if (half_) narrow_(buffer, static_cast<uint16_t*>(data) + first, count);
  }

 private:
  bool half_ = false;
  NarrowRow narrow_ = nullptr;
};

template <typename Body>
void for_each_piece(int64_t count, const Body& body) {
  for (int64_t begin = 0; begin < count; begin += kPiece) body(begin, std::min(kPiece, count - begin));
}

class HalfUnaryKernel final : public Kernel {
 public:
  Status init(const OpContext& context, const Loop<2>& loop, const UnaryRow& row) {
    const plan::Unary& attributes = *context.op->attributes_as_Unary();
    loop_ = loop;
    row_ = row;
    alpha_ = attributes.alpha();
    beta_ = attributes.beta();
    x_.init(context.input(0));
    y_.init(context.output());
    return ok_status();
  }

  Status run(const RunContext& context) override {
    for_each_run(context.threads, loop_, 4, [&](const int64_t* offsets, int64_t count) {
      float buffers[2][kPiece];
      for_each_piece(count, [&](int64_t begin, int64_t n) {
        const int64_t first = offsets[1] + begin;
        const float* x = x_.read(context.inputs[0], offsets[0] + begin, n, buffers[0]);
        float* y = y_.place(context.outputs[0], first, buffers[1]);
        row_(x, y, n, alpha_, beta_);
        y_.finish(context.outputs[0], first, n, y);
      });
    });
    return ok_status();
  }

 private:
  Loop<2> loop_;
  UnaryRow row_ = nullptr;
  float alpha_ = 0, beta_ = 0;
  Source x_;
  Target y_;
};

class HalfBinaryKernel final : public Kernel {
 public:
  Status init(const OpContext& context, const Loop<3>& loop, const BinaryRow& row) {
    const Range range(context.op->attributes_as_Binary()->clamp());
    loop_ = loop;
    row_ = row;
    low_ = range.min;
    high_ = range.max;
    a_.init(context.input(0));
    b_.init(context.input(1));
    y_.init(context.output());
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const int64_t step_a = loop_.row_stride(0), step_b = loop_.row_stride(1);
    for_each_run(context.threads, loop_, 1, [&](const int64_t* offsets, int64_t count) {
      float buffers[3][kPiece];
      for_each_piece(count, [&](int64_t begin, int64_t n) {
        const int64_t first = offsets[2] + begin;
        const float* a =
            a_.read(context.inputs[0], offsets[0] + begin * step_a, step_a == 0 ? 1 : n, buffers[0]);
        const float* b =
            b_.read(context.inputs[1], offsets[1] + begin * step_b, step_b == 0 ? 1 : n, buffers[1]);
        float* y = y_.place(context.outputs[0], first, buffers[2]);
        row_(a, b, y, n, low_, high_);
        y_.finish(context.outputs[0], first, n, y);
      });
    });
    return ok_status();
  }

 private:
  Loop<3> loop_;
  BinaryRow row_ = nullptr;
  float low_ = 0, high_ = 0;
  Source a_, b_;
  Target y_;
};

}  // namespace

Status unary_halves(const OpContext& context, Create create, Kernel** out) {
  const UnaryRow row = unary_row(context.op->attributes_as_Unary()->kind());
  const Loop<2> loop = make_loop<2>({layout_of(context.input(0)), layout_of(context.output())});
  if (row == nullptr || !contiguous_rows(loop, 0) || !contiguous_rows(loop, 1))
    return convert_halves(context, create, out);
  return make_kernel<HalfUnaryKernel>(context, out, loop, row);
}

Status binary_halves(const OpContext& context, Create create, Kernel** out) {
  const TensorInfo& y = context.output();
  const Loop<3> loop = make_loop<3>(
      {broadcast_layout(context.input(0), y), broadcast_layout(context.input(1), y), layout_of(y)});
  const int64_t step_a = loop.row_stride(0), step_b = loop.row_stride(1);
  // A row of one element reads both operands once, whatever their strides.
  const Operands operands = loop.row_length() == 1 ? Operands::kRows
                            : step_b == 0          ? Operands::kRowAndScalar
                            : step_a == 0          ? Operands::kScalarAndRow
                                                   : Operands::kRows;
  const BinaryRow row = binary_row(context.op->attributes_as_Binary()->kind(), operands);
  if (row == nullptr || !contiguous_rows(loop, 2) || step_a > 1 || step_b > 1)
    return convert_halves(context, create, out);
  return make_kernel<HalfBinaryKernel>(context, out, loop, row);
}

}  // namespace bantam::kernels
