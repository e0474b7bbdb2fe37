// ONNX TensorProto to constant tensor.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "ir/graph.h"

namespace onnx {
class TensorProto;
}

namespace bantam::compiler {

// The dtype bantam computes an ONNX element type in: float16 and double become float32, small
// integers without a kernel of their own int32. Empty when there is none (string, complex, bfloat16 ...).
std::optional<DType> dtype_from_onnx(int onnx_type);
std::string onnx_type_name(int onnx_type);

// `directory`: where external data may lie; empty where it cannot occur (attributes).
// Throws CompileError naming the tensor: unknown type, sizes that contradict, data outside the file.
Tensor tensor_from_onnx(const onnx::TensorProto& proto, const std::filesystem::path& directory);

}  // namespace bantam::compiler
