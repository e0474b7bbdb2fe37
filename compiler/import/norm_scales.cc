#include "import/norm_scales.h"

#include <filesystem>
#include <fstream>

#include "import/onnx_tensor.h"
#include "onnx/onnx.pb.h"

namespace bantam::compiler {

std::map<std::string, std::vector<float>> batch_norm_scales(const std::string& onnx_path) {
  std::ifstream file(onnx_path, std::ios::binary);
  onnx::ModelProto model;
  std::map<std::string, std::vector<float>> scales;
  if (!model.ParseFromIstream(&file)) return scales;  // the importer has refused it before
  std::filesystem::path folder = std::filesystem::path(onnx_path).parent_path();
  if (folder.empty()) folder = ".";
  std::map<std::string, const onnx::TensorProto*> initializers;
  for (const auto& tensor : model.graph().initializer()) initializers[tensor.name()] = &tensor;
  std::map<std::string, std::string> makers;
  for (const auto& node : model.graph().node()) {
    for (const std::string& output : node.output())
      makers[output] = node.name().empty() ? node.output(0) : node.name();
    if (node.op_type() != "BatchNormalization" || node.input_size() < 2) continue;
    const auto maker = makers.find(node.input(0));
    const auto scale = initializers.find(node.input(1));
    if (maker == makers.end() || scale == initializers.end()) continue;
    const Tensor tensor = tensor_from_onnx(*scale->second, folder);
    if (tensor.type.dtype == DType::kFloat32) scales[maker->second] = tensor.to_float();
  }
  return scales;
}

}  // namespace bantam::compiler
