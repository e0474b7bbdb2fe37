// bantam's own int8 kernels. All tensors are dense row-major and NHWC unless a factory says otherwise, and
// every result is the same on every CPU: integer arithmetic, or float steps that are one IEEE rounding each.
//
// The float steps, used by all of them:
//   requantize(acc, scale, zp) = clamp(round_to_nearest_even(float(acc) * scale) + zp, q_min, q_max)
//   quantize(x, scale, zp)     = clamp(round_to_nearest_even(x / scale) + zp, -128, 127), NaN gives zp
//   dequantize(q, scale, zp)   = float(q - zp) * scale
//
// A factory answers kUnsupported when another kernel has to take the op.
#pragma once

#include "bantam/runtime/kernel.h"

namespace bantam::kernels {

// kLookup: inputs x int8, table int8 [256]; y[i] = table[x[i] + 128]. x and y may have a pixel stride.
Status create_lookup(const OpContext& context, Kernel** out);

// kBinary kMul, kAdd, kSub, kMin, kMax on int8, broadcast as in ONNX.
Status create_int8_binary(const OpContext& context, Kernel** out);

// kAveragePool2d and kReduce (kMean, kSum, kMax, kMin) on int8.
Status create_int8_average_pool(const OpContext& context, Kernel** out);
Status create_int8_reduce(const OpContext& context, Kernel** out);

// kQuantize, kDequantize, kRequantize; the last honours the pixel strides of both tensors.
Status create_quantize(const OpContext& context, Kernel** out);
Status create_dequantize(const OpContext& context, Kernel** out);
Status create_requantize(const OpContext& context, Kernel** out);

// kNormalizeImage: uint8 x [N,H,W,C] (C 1, 3 or 4), table [C,256] of int8 or float32.
Status create_normalize_image(const OpContext& context, Kernel** out);

// kResize of int8, nearest and linear, where input and output have one scale and zero point.
Status create_int8_resize(const OpContext& context, Kernel** out);

// kSoftmax of int8 x over its last axis; inputs x, table int32 [256] (contract in softmax.cc); int8 or
// float32 out.
Status create_int8_softmax(const OpContext& context, Kernel** out);

// kConv2d with groups == C and one output channel per group; the same bits as XNNPACK's qs8_qc8w kernels.
// kUnsupported where XNNPACK is the faster one.
Status create_int8_depthwise(const OpContext& context, Kernel** out);

// kConv2d in one group, for AVX2 and AVX-512 with VNNI; the same bits as XNNPACK's qs8_qc8w kernels.
Status create_int8_conv2d(const OpContext& context, Kernel** out);
// Whether it is faster than XNNPACK's on this CPU.
bool int8_conv_pays();

}  // namespace bantam::kernels
