// ONNX files as torch.nn.utils.prune leaves them: masks of zeros in convolutions and batch normalization.
#include <catch2/catch_test_macros.hpp>

#include <fstream>

#include "engine/plan_runner.h"
#include "net.h"
#include "onnx/onnx.pb.h"
#include "temporary_directory.h"

namespace bantam::tests {
namespace {

using tools::TemporaryDirectory;

class File {
 public:
  File() {
    model_.set_ir_version(8);
    model_.add_opset_import()->set_version(13);
    declare(*model_.mutable_graph()->add_input(), "x", {1, 3, 8, 8});
    declare(*model_.mutable_graph()->add_output(), "y", {1, 4, 8, 8});
  }

  // Random, but zero where the first index is in `masked`.
  void weights(const std::string& name, const std::vector<int64_t>& shape, const std::vector<int64_t>& masked,
               float least) {
    onnx::TensorProto& tensor = *model_.mutable_graph()->add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    for (int64_t dim : shape) tensor.add_dims(dim);
    const int64_t row = compiler::element_count(shape) / shape[0];
    std::uniform_real_distribution<float> values(least, 1.0f);
    for (int64_t i = 0; i < shape[0] * row; ++i) {
      const float value = values(random_);
      tensor.add_float_data(std::find(masked.begin(), masked.end(), i / row) == masked.end() ? value : 0.0f);
    }
  }

  onnx::NodeProto& node(const std::string& type, const std::vector<std::string>& inputs,
                        const std::string& output) {
    onnx::NodeProto& node = *model_.mutable_graph()->add_node();
    node.set_op_type(type);
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(output);
    return node;
  }

  void conv(const std::vector<std::string>& inputs, const std::string& output, int64_t pad) {
    onnx::AttributeProto& pads = *node("Conv", inputs, output).add_attribute();
    pads.set_name("pads");
    pads.set_type(onnx::AttributeProto::INTS);
    for (int i = 0; i < 4; ++i) pads.add_ints(pad);
  }

  std::string save(const TemporaryDirectory& dir) const {
    const std::string path = dir.file("masked.onnx");
    std::ofstream(path, std::ios::binary) << model_.SerializeAsString();
    return path;
  }

 private:
  static void declare(onnx::ValueInfoProto& value, const std::string& name,
                      const std::vector<int64_t>& shape) {
    value.set_name(name);
    onnx::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    for (int64_t dim : shape) type.mutable_shape()->add_dim()->set_dim_value(dim);
  }

  onnx::ModelProto model_;
  std::mt19937 random_{3};
};

// conv1 has 8 channels, of which 1 and 3 are masked, in its normalization too; conv2 has 6, without 0 and 4.
std::string masked_file(const TemporaryDirectory& dir) {
  File file;
  file.weights("w1", {8, 3, 3, 3}, {1, 3}, -1);
  file.weights("scale", {8}, {1, 3}, 0.5f);
  file.weights("shift", {8}, {1, 3}, -1);
  file.weights("mean", {8}, {}, -1);
  file.weights("variance", {8}, {}, 0.5f);
  file.weights("w2", {6, 8, 3, 3}, {0, 4}, -1);
  file.weights("w3", {4, 6, 1, 1}, {}, -1);
  file.conv({"x", "w1"}, "conv1", 1);
  file.node("BatchNormalization", {"conv1", "scale", "shift", "mean", "variance"}, "norm1");
  file.node("Relu", {"norm1"}, "relu1");
  file.conv({"relu1", "w2"}, "conv2", 1);
  file.node("Relu", {"conv2"}, "relu2");
  file.conv({"relu2", "w3"}, "y", 0);
  return file.save(dir);
}

std::vector<float> run_file(const std::string& path) {
  const compiler::CompileResult compiled = compiler::compile(path, {}, tools::plan_runner_factory());
  compiler::TensorData input{
      DType::kFloat32, {1, 3, 8, 8}, std::vector<std::byte>(3 * 8 * 8 * sizeof(float))};
  auto* x = reinterpret_cast<float*>(input.bytes.data());
  for (int i = 0; i < 3 * 8 * 8; ++i) x[i] = std::sin(static_cast<float>(i));
  const compiler::TensorData y =
      tools::plan_runner_factory()(compiled.plan)->run(std::span(&input, 1), {}).at(0);
  const auto* data = reinterpret_cast<const float*>(y.bytes.data());
  return {data, data + y.bytes.size() / sizeof(float)};
}

TEST_CASE("a file with masked channels loses them, and computes the same") {
  const TemporaryDirectory dir;
  const std::string masked = masked_file(dir);
  const compiler::PrunedModel pruned = compiler::prune_onnx(masked, {}, tools::plan_runner_factory());
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(pruned.onnx));
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const onnx::TensorProto& tensor : model.graph().initializer())
    shapes[tensor.name()] = {tensor.dims().begin(), tensor.dims().end()};
  CHECK(shapes["w1"] == std::vector<int64_t>{6, 3, 3, 3});
  CHECK(shapes["w2"] == std::vector<int64_t>{4, 6, 3, 3});
  CHECK(shapes["w3"] == std::vector<int64_t>{4, 4, 1, 1});
  const std::string path = dir.file("pruned.onnx");
  std::ofstream(path, std::ios::binary) << pruned.onnx;
  CHECK(largest_difference(run_file(masked), run_file(path)) < 1e-5);
}

}  // namespace
}  // namespace bantam::tests
