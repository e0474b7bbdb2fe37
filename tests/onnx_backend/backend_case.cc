#include "backend_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>

#include "bantam/compiler/compiler.h"
#include "engine/plan_runner.h"
#include "import/onnx_tensor.h"
#include "onnx/onnx.pb.h"

namespace bantam::tests {
namespace {

namespace fs = std::filesystem;
using compiler::Tensor;
using compiler::TensorData;

constexpr float kRelative = 1e-3f;
constexpr float kAbsolute = 1e-5f;

template <typename Proto>
std::optional<Proto> read_proto(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  Proto proto;
  if (!file || !proto.ParseFromIstream(&file)) return std::nullopt;
  return proto;
}

// The tensors PREFIX_0.pb, PREFIX_1.pb ... of a data set.
std::vector<Tensor> read_tensors(const fs::path& folder, const std::string& prefix) {
  std::vector<Tensor> tensors;
  for (int i = 0;; ++i) {
    const fs::path path = folder / fmt::format("{}_{}.pb", prefix, i);
    if (!fs::exists(path)) return tensors;
    const auto proto = read_proto<onnx::TensorProto>(path);
    if (!proto) throw compiler::CompileError(path.string() + ": is no tensor");
    tensors.push_back(compiler::tensor_from_onnx(*proto, folder));
  }
}

bool close(float actual, float expected) {
  if (std::isnan(expected) || std::isinf(expected))
    return std::isnan(expected) ? std::isnan(actual) : actual == expected;
  return std::fabs(actual - expected) <= kAbsolute + kRelative * std::fabs(expected);
}

// Empty when they agree.
std::string difference(const TensorData& actual, const Tensor& expected) {
  if (actual.dtype != expected.type.dtype || actual.shape != expected.type.shape) {
    return fmt::format("{}, expected {}", to_string(compiler::TensorType{actual.dtype, actual.shape}),
                       to_string(expected.type));
  }
  if (actual.dtype != plan::DType::kFloat32) {
    return actual.bytes == expected.bytes ? "" : "other elements";
  }
  const auto* values = reinterpret_cast<const float*>(actual.bytes.data());
  const std::span<const float> wanted = expected.as<float>();
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!close(values[i], wanted[i]))
      return fmt::format("element {} is {}, expected {}", i, values[i], wanted[i]);
  }
  return "";
}

std::string run_data_set(const fs::path& folder, compiler::PlanRunner& runner) {
  std::vector<TensorData> inputs;
  for (Tensor& tensor : read_tensors(folder, "input")) {
    inputs.push_back({tensor.type.dtype, tensor.type.shape, std::move(tensor.bytes)});
  }
  const std::vector<TensorData> outputs = runner.run(inputs, {});
  const std::vector<Tensor> expected = read_tensors(folder, "output");
  if (outputs.size() != expected.size())
    return fmt::format("{} outputs, expected {}", outputs.size(), expected.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string text = difference(outputs[i], expected[i]);
    if (!text.empty()) return fmt::format("output {}: {}", i, text);
  }
  return "";
}

// Free dimensions get the shapes of the first data set.
std::map<std::string, std::vector<int64_t>> input_shapes(const fs::path& folder) {
  std::map<std::string, std::vector<int64_t>> shapes;
  const auto model = read_proto<onnx::ModelProto>(folder / "model.onnx");
  const std::vector<Tensor> tensors = read_tensors(folder / "test_data_set_0", "input");
  for (int i = 0; model && i < model->graph().input_size() && i < static_cast<int>(tensors.size()); ++i) {
    shapes[model->graph().input(i).name()] = tensors[static_cast<size_t>(i)].type.shape;
  }
  return shapes;
}

}  // namespace

std::vector<std::string> backend_cases(const fs::path& suite) {
  std::vector<std::string> names;
  for (const auto& group : fs::directory_iterator(suite)) {
    for (const auto& entry : fs::directory_iterator(group)) {
      if (!fs::exists(entry.path() / "model.onnx")) continue;
      names.push_back(group.path().filename().string() + "/" + entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

CaseResult run_case(const fs::path& folder) {
  const compiler::PlanRunnerFactory factory = tools::plan_runner_factory();
  try {
    compiler::CompileOptions options;
    options.shapes = input_shapes(folder);
    const compiler::CompileResult compiled =
        compiler::compile((folder / "model.onnx").string(), options, factory);
    const std::unique_ptr<compiler::PlanRunner> runner = factory(compiled.plan);
    for (int set = 0; fs::exists(folder / fmt::format("test_data_set_{}", set)); ++set) {
      const std::string text = run_data_set(folder / fmt::format("test_data_set_{}", set), *runner);
      if (!text.empty()) return {Verdict::kWrong, text};
    }
  } catch (const compiler::CompileError& error) {
    return {Verdict::kRefused, error.what()};
  } catch (const std::exception& error) {
    return {Verdict::kWrong, error.what()};
  }
  return {Verdict::kPassed, ""};
}

}  // namespace bantam::tests
