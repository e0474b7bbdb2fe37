#include <algorithm>
#include <bit>
#include <cstring>

#include "bantam/runtime/array.h"
#include "float16.h"
#include "kernel_list.h"
#include "movement/strided_copy.h"

namespace bantam::kernels {

namespace {

using plan::DType;

// The bit pattern of the padding value; int8 tensors are padded with the quantized value.
uint64_t pattern_of(const TensorInfo& y, float value) {
  switch (y.dtype) {
    case DType::kFloat32:
      return std::bit_cast<uint32_t>(value);
    case DType::kFloat16:
      return float_to_half(value);
    case DType::kInt8: {
      if (!y.quantized()) return static_cast<uint8_t>(static_cast<int8_t>(value));
      // One division and one rounding to even (by adding 1.5 * 2^23), the same everywhere.
      const float ratio = value / y.scale();
      const float clamped = ratio != ratio ? 0.0f : std::clamp(ratio, -65536.0f, 65536.0f);
      const auto rounded = static_cast<int32_t>((clamped + 12582912.0f) - 12582912.0f);
      return static_cast<uint8_t>(std::clamp(rounded + y.zero_point, -128, 127));
    }
    case DType::kInt64:
      return static_cast<uint64_t>(static_cast<int64_t>(value));
    case DType::kInt32:
      return static_cast<uint32_t>(static_cast<int32_t>(value));
    default:
      return static_cast<uint8_t>(value);
  }
}

// Fills the output, then copies the input into it.
class ConstantPadKernel final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    const plan::Pad& attributes = *context.op->attributes_as_Pad();
    size_ = element_size(y.dtype);
    value_ = pattern_of(y, attributes.value());
    output_ = make_loop<1>({layout_of(y)});
    Layout from = layout_of(x), to = layout_of(y);
    int64_t from_offset = 0, to_offset = 0;
    for (int32_t axis = 0; axis < y.rank; ++axis) {
      const int64_t before = (*attributes.before())[axis];  // negative: cut off
      const int64_t begin = std::max<int64_t>(0, before);
      const int64_t end = std::min<int64_t>(y.dims[axis], before + x.dims[axis]);
      from.dims[axis] = to.dims[axis] = std::max<int64_t>(0, end - begin);
      from_offset += (begin - before) * from.strides[axis];
      to_offset += begin * to.strides[axis];
    }
    copy_ = StridedCopy(size_, from, from_offset, to, to_offset);
    return ok_status();
  }

  Status run(const RunContext& context) override {
    char* y = output_as<char>(context);
    for_each_run(context.threads, output_, 1, [&](const int64_t* offsets, int64_t count) {
      fill(y + offsets[0] * static_cast<int64_t>(size_), count, output_.row_stride(0), size_, value_);
    });
    copy_.run(context.threads, context.inputs[0], context.outputs[0]);
    return ok_status();
  }

 private:
  Loop<1> output_;
  StridedCopy copy_;
  size_t size_ = 1;
  uint64_t value_ = 0;
};

// Where position i of an axis that is padded by `before` comes from; dim >= 1.
int64_t source_of(plan::PadMode mode, int64_t i, int64_t before, int64_t dim) {
  const int64_t at = i - before;
  if (mode == plan::PadMode::kEdge) return std::clamp<int64_t>(at, 0, dim - 1);
  const int64_t period = mode == plan::PadMode::kWrap ? dim : std::max<int64_t>(1, 2 * dim - 2);
  const int64_t phase = (at % period + period) % period;
  return phase < dim ? phase : period - phase;
}

// Reflect, edge and wrap: a table per axis says where each coordinate comes from.
class MappedPadKernel final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    const plan::Pad& attributes = *context.op->attributes_as_Pad();
    const Layout from = layout_of(x);
    to_ = layout_of(y);
    size_ = element_size(y.dtype);
    size_t total = 0;
    for (int32_t axis = 0; axis < y.rank; ++axis) total += static_cast<size_t>(y.dims[axis]);
    if (!sources_.allocate(total)) return out_of_memory(context);
    int64_t* map = sources_.data();
    for (int32_t axis = 0; axis < y.rank; ++axis) {
      maps_[axis] = map;
      for (int64_t i = 0; i < y.dims[axis]; ++i) {
        *map++ =
            source_of(attributes.mode(), i, (*attributes.before())[axis], x.dims[axis]) * from.strides[axis];
      }
    }
    return ok_status();
  }

  Status run(const RunContext& context) override {
    switch (size_) {
      case 1:
        copy<uint8_t>(context);
        break;
      case 2:
        copy<uint16_t>(context);
        break;
      case 4:
        copy<uint32_t>(context);
        break;
      default:
        copy<uint64_t>(context);
        break;
    }
    return ok_status();
  }

  size_t state_bytes() const override { return sources_.size() * sizeof(int64_t); }

 private:
  template <typename T>
  void copy(const RunContext& context) {
    const T* x = input_as<T>(context, 0);
    T* y = output_as<T>(context);
    const int32_t last = to_.rank - 1;
    int64_t rows = 1;
    for (int32_t axis = 0; axis < last; ++axis) rows *= to_.dims[axis];
    parallel_ranges(context.threads, rows, tile_for(to_.dims[last]), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        int64_t rest = row, from = 0, to = 0;
        for (int32_t axis = last - 1; axis >= 0; --axis) {
          const int64_t i = rest % to_.dims[axis];
          rest /= to_.dims[axis];
          from += maps_[axis][i];
          to += i * to_.strides[axis];
        }
        for (int64_t i = 0; i < to_.dims[last]; ++i) y[to + i] = x[from + maps_[last][i]];
      }
    });
  }

  Array<int64_t> sources_;
  const int64_t* maps_[kMaxRank] = {};
  Layout to_;
  size_t size_ = 1;
};

}  // namespace

// Relies on: before and after one per axis, y.dim = before + x.dim + after, same dtype. Reflect, edge and
// wrap of an empty input are refused.
Status create_pad(const OpContext& context, Kernel** out) {
  if (context.op->attributes_as_Pad()->mode() == plan::PadMode::kConstant) {
    return make_kernel<ConstantPadKernel>(context, out);
  }
  if (context.input(0).elements == 0) return unsupported(context, "nothing to pad with");
  if (context.input(0).rank == 0) return create_copy(context, out);
  return make_kernel<MappedPadKernel>(context, out);
}

}  // namespace bantam::kernels
