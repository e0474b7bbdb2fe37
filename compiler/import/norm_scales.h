#pragma once

#include <map>
#include <string>
#include <vector>

namespace bantam::compiler {

// The scales of the BatchNormalization nodes of an ONNX file, by the name of the node each of them follows
// (of its output, where that has none).
std::map<std::string, std::vector<float>> batch_norm_scales(const std::string& onnx_path);

}  // namespace bantam::compiler
