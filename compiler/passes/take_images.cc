// With image options the plan takes the uint8 NHWC image itself: (x - mean) / std becomes a table of 256
// entries per channel, so the board computes no floats here.
#include <fmt/format.h>

#include "bantam/compiler/error.h"
#include "passes/pass.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

std::vector<float> per_channel(const std::vector<float>& given, int64_t channels, float otherwise,
                               const char* what) {
  if (given.empty()) return std::vector<float>(static_cast<size_t>(channels), otherwise);
  if (static_cast<int64_t>(given.size()) == channels) return given;
  if (given.size() == 1) return std::vector<float>(static_cast<size_t>(channels), given[0]);
  throw CompileError(
      fmt::format("--{} has {} numbers, the model's image has {} channels", what, given.size(), channels));
}

Tensor normalization_table(const std::vector<float>& mean, const std::vector<float>& std) {
  Tensor table(TensorType{DType::kFloat32, {static_cast<int64_t>(mean.size()), 256}});
  const std::span<float> values = table.as<float>();
  for (size_t c = 0; c < mean.size(); ++c) {
    for (size_t x = 0; x < 256; ++x) values[c * 256 + x] = (static_cast<float>(x) - mean[c]) / std[c];
  }
  return table;
}

void check_input(const Graph& graph, const ImageOptions& image) {
  if (graph.inputs.empty()) throw CompileError("image options are given, but the model has no input");
  const Value& input = graph.value(graph.inputs[0]);
  const int64_t channels = image.order == plan::ChannelOrder::kGray ? 1 : 3;
  if (input.type.dtype != DType::kFloat32 || input.type.shape.size() != 4 ||
      input.type.shape[1] != channels) {
    throw CompileError(fmt::format("image options need a float32 input N,{},H,W; input '{}' is {}", channels,
                                   input.name, to_string(input.type)));
  }
  for (float s : image.std) {
    if (!(s > 0)) throw CompileError("--std must be positive");
  }
}

}  // namespace

void take_images(Graph& graph, PassContext& context) {
  if (!context.options.image) return;
  const ImageOptions& image = *context.options.image;
  check_input(graph, image);
  const ValueId tensor = graph.inputs[0];
  const Shape nchw = graph.shape(tensor);
  const std::vector<float> mean = per_channel(image.mean, nchw[1], 0, "mean");
  const std::vector<float> std = per_channel(image.std, nchw[1], 1, "std");
  const ValueId pixels =
      graph.add_value(graph.value(tensor).name, {DType::kUInt8, {nchw[0], nchw[2], nchw[3], nchw[1]}});
  const ValueId table = graph.add_constant("normalization", normalization_table(mean, std));
  graph.inputs[0] = pixels;
  Rewriter rewriter(graph);
  const ValueId normalized = rewriter.add(OpCode::kNormalizeImage, "normalize image", {pixels, table});
  rewriter.add_into(tensor, OpCode::kTranspose, "normalize image", {normalized}, transpose_by({0, 3, 1, 2}));
  for (Node& node : rewriter.old_nodes()) rewriter.keep(std::move(node));
  graph.has_preprocessing = true;
  graph.preprocessing.order = image.order;
  graph.preprocessing.resize = image.resize;
  graph.preprocessing.crop = image.crop;
  graph.preprocessing.mean = mean;
  graph.preprocessing.std = std;
}

}  // namespace bantam::compiler
