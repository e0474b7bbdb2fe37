#include "float16/halves.h"

#include <cpuinfo.h>

#include "float16/staged.h"
#include "kernel_support.h"
#include "xnn_support.h"

namespace bantam::kernels {

namespace {

using plan::DType;
using plan::OpCode;

bool is_half(const TensorInfo& tensor) { return tensor.dtype == DType::kFloat16; }

bool packs_weights(const OpContext& context) {
  const OpCode code = context.op->code();
  return code == OpCode::kConv2d || code == OpCode::kConvTranspose2d || code == OpCode::kFullyConnected;
}

// A convolution or fully connected layer whose weights lie in the plan as float16.
bool has_half_weights(const OpContext& context) {
  const TensorInfo& w = context.input(1);
  return is_half(w) && w.data != nullptr && w.dims[1] > 0 &&
         (!context.has_input(2) || context.input(2).data != nullptr);
}

// Whether the float32 kernel takes this constant as it is.
bool widens_itself(const OpContext& context, int32_t i) {
  if (context.input(i).data == nullptr || i == 0) return false;
  return packs_weights(context) || (context.op->code() == OpCode::kMatMul && context.input(i).rank == 2);
}

bool multiplies_halves(const OpContext& context) {
  const TensorInfo& b = context.input(1);
  return b.data == nullptr ? b.dtype == DType::kFloat32 : is_half(b) && b.rank == 2;
}

}  // namespace

bool has_float16_kernel(const OpContext& context) {
  if (context.input_count == 0 || !context.has_input(0)) return false;
  if (context.input(0).dtype != DType::kFloat32 || context.output().dtype != DType::kFloat32) return false;
  if (!init_xnn(context).ok() || !xnn_has_float16()) return false;
  if (packs_weights(context)) return has_half_weights(context);
  return context.op->code() == OpCode::kMatMul && multiplies_halves(context);
}

// On x86 the kernels of AVX2 convert to float32 and back for every operation.
bool float16_pays(const OpContext& context) {
  return cpuinfo_initialize() && cpuinfo_has_arm_neon_fp16_arith() && has_float16_kernel(context);
}

bool has_halves(const OpContext& context) {
  if (context.float16 || is_half(context.output())) return true;
  for (int32_t i = 0; i < context.input_count; ++i) {
    if (context.has_input(i) && is_half(context.input(i)) && !widens_itself(context, i)) return true;
  }
  return false;
}

Status convert_halves(const OpContext& context, Create create, Kernel** out) {
  return create_staged(context, DType::kFloat32, Constants::kConvert, create, out);
}

Status move_halves(const OpContext& context, Create create, Kernel** out) {
  return create_staged(context, context.output().dtype, Constants::kConvert, create, out);
}

Status compute_halves(const OpContext& context, Create create_half, Create create, Kernel** out) {
  // Weights are converted while they are packed.
  const Constants constants = packs_weights(context) ? Constants::kKeep : Constants::kConvert;
  if (context.float16) {
    const Status status = create_staged(context, DType::kFloat16, constants, create_half, out);
    if (status.code() != StatusCode::kUnsupported) return status;
  }
  return create_staged(context, DType::kFloat32, constants, create, out);
}

Status pool_halves(const OpContext& context, Create create_half, Create create, Kernel** out) {
  if (is_half(context.input(0)) && is_half(context.output())) {
    const Status status = create_half(context, out);
    if (status.code() != StatusCode::kUnsupported) return status;
  }
  return convert_halves(context, create, out);
}

}  // namespace bantam::kernels
