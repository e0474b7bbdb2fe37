#include <algorithm>
#include <type_traits>

#include "kernel_list.h"
#include "layout.h"
#include "xnn/constants.h"
#include "xnn_support.h"

namespace bantam::kernels {

namespace {

using plan::DType;

// b is one constant matrix: packed once, as the weights of a fully connected layer. kType: of a and y,
// float32 or float16.
template <DType kType>
class ConstantMatMulKernel final : public XnnKernel {
 public:
  Status init(const OpContext& context, const bool& transpose_b) {
    BANTAM_RETURN_IF_ERROR(begin(context));
    const TensorInfo& a = context.input(0);
    const TensorInfo& b = context.input(1);
    const int64_t k = a.dims[a.rank - 1];
    const int64_t n = context.output().dims[context.output().rank - 1];
    if (!packing_fits(n, k, 1, 1)) return unsupported(context, "too large for this machine");
    std::conditional_t<kHalf, HalfConstant, FloatConstant> constant;
    if (!constant.load(&b)) return out_of_memory(context);
    weights_.init(context);
    const Range all;
    const auto create = [&](auto function, float low, float high) {
      return xnn_result(
          context,
          function(k, n, a.pixel_stride, context.output().pixel_stride, constant.data(), nullptr, low, high,
                   transpose_b ? 0 : XNN_FLAG_TRANSPOSE_WEIGHTS, nullptr, weights_.get(), &operator_));
    };
    if constexpr (kHalf) {
      BANTAM_RETURN_IF_ERROR(create(xnn_create_fully_connected_nc_f16, all.half_min(), all.half_max()));
    } else {
      BANTAM_RETURN_IF_ERROR(create(xnn_create_fully_connected_nc_f32, all.min, all.max));
    }
    const auto reshape = kHalf ? xnn_reshape_fully_connected_nc_f16 : xnn_reshape_fully_connected_nc_f32;
    return finish(context, reshape(operator_, static_cast<size_t>(a.elements / k), pool_));
  }

 private:
  static constexpr bool kHalf = kType == DType::kFloat16;

  xnn_status setup(const RunContext& context) override {
    if constexpr (kHalf) {
      return xnn_setup_fully_connected_nc_f16(operator_, context.inputs[0], context.outputs[0]);
    } else {
      return xnn_setup_fully_connected_nc_f32(operator_, input_as<float>(context, 0),
                                              output_as<float>(context));
    }
  }
};

// kType: of all tensors, float32 or float16.
template <DType kType>
class MatMulKernel final : public XnnKernel {
 public:
  Status init(const OpContext& context, const bool& transpose_b) {
    BANTAM_RETURN_IF_ERROR(begin(context));
    const TensorInfo& a = context.input(0);
    const TensorInfo& b = context.input(1);
    const TensorInfo& y = context.output();
    size_t batch_a[kMaxRank], batch_b[kMaxRank];
    const size_t batch_rank = batches(a, b, y, batch_a, batch_b);
    if (batch_rank > XNN_MAX_TENSOR_DIMS) return unsupported(context, "too many batch dimensions");
    const size_t m = y.dims[y.rank - 2], n = y.dims[y.rank - 1], k = a.dims[a.rank - 1];
    int64_t matrices = 1;
    for (size_t i = 0; i < batch_rank; ++i) matrices *= static_cast<int64_t>(batch_b[i]);
    if (!packing_fits(n, k, 1, matrices)) return unsupported(context, "too large for this machine");
    const auto create =
        kHalf ? xnn_create_batch_matrix_multiply_nc_f16 : xnn_create_batch_matrix_multiply_nc_f32;
    const auto reshape =
        kHalf ? xnn_reshape_batch_matrix_multiply_nc_f16 : xnn_reshape_batch_matrix_multiply_nc_f32;
    BANTAM_RETURN_IF_ERROR(xnn_result(context, create(transpose_b ? XNN_FLAG_TRANSPOSE_B : 0, &operator_)));
    return finish(context, reshape(operator_, batch_rank, batch_a, batch_b, m, k, n, &workspace_bytes_,
                                   &workspace_alignment_, pool_));
  }

 private:
  static constexpr bool kHalf = kType == DType::kFloat16;

  // The batch dimensions of a and b, neighbours joined where both have them or the same one has not.
  static size_t batches(const TensorInfo& a, const TensorInfo& b, const TensorInfo& y, size_t* batch_a,
                        size_t* batch_b) {
    size_t rank = 0;
    for (int32_t axis = 0; axis < y.rank - 2; ++axis) {
      const auto dim = [&](const TensorInfo& t) {
        const int32_t own = axis - (y.rank - t.rank);
        return own < 0 ? size_t{1} : static_cast<size_t>(t.dims[own]);
      };
      const size_t in_a = dim(a), in_b = dim(b);
      if (in_a == 1 && in_b == 1) continue;
      const bool joins =
          rank > 0 && (batch_a[rank - 1] == 1) == (in_a == 1) && (batch_b[rank - 1] == 1) == (in_b == 1);
      if (!joins) {
        batch_a[rank] = batch_b[rank] = 1;
        ++rank;
      }
      batch_a[rank - 1] *= in_a;
      batch_b[rank - 1] *= in_b;
    }
    if (rank == 0) {
      batch_a[0] = batch_b[0] = 1;
      rank = 1;
    }
    return rank;
  }

  xnn_status setup(const RunContext& context) override {
    if constexpr (kHalf) {
      return xnn_setup_batch_matrix_multiply_nc_f16(operator_, context.workspace, context.inputs[0],
                                                    context.inputs[1], context.outputs[0]);
    } else {
      return xnn_setup_batch_matrix_multiply_nc_f32(operator_, context.workspace, input_as<float>(context, 0),
                                                    input_as<float>(context, 1), output_as<float>(context));
    }
  }
};

}  // namespace

// Relies on: ranks >= 2, a [..., M, K], b [..., K, N] (or [..., N, K]), y [..., M, N], batch dimensions that
// broadcast to those of y.
template <DType kType>
Status create_matmul(const OpContext& context, Kernel** out) {
  const TensorInfo& a = context.input(0);
  const TensorInfo& b = context.input(1);
  const plan::MatMul* attributes = context.op->attributes_as_MatMul();
  const bool transpose_b = attributes != nullptr && attributes->transpose_b();
  const bool half_b =
      kType == DType::kFloat32 && b.dtype == DType::kFloat16 && b.data != nullptr && b.rank == 2;
  if (a.dtype != kType || context.output().dtype != kType || (b.dtype != kType && !half_b)) {
    return unsupported(context, "a matrix product takes floats of one type");
  }
  if (a.dims[a.rank - 1] == 0) return unsupported(context, "empty rows");
  if (b.data != nullptr && b.rank == 2)
    return make_kernel<ConstantMatMulKernel<kType>>(context, out, transpose_b);
  if (!a.dense() || !b.dense() || !context.output().dense()) return unsupported(context, "strided operands");
  return make_kernel<MatMulKernel<kType>>(context, out, transpose_b);
}

template Status create_matmul<DType::kFloat32>(const OpContext& context, Kernel** out);
template Status create_matmul<DType::kFloat16>(const OpContext& context, Kernel** out);

}  // namespace bantam::kernels
