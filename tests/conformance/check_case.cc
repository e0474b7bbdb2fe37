#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "bantam/compiler/compiler.h"
#include "bantam/kernels/kernel_table.h"
#include "engine/plan_runner.h"
#include "op_case.h"
#include "passes/pass.h"
#include "reference/node.h"
#include "support/table_runner.h"
#include "temporary_directory.h"

namespace bantam::tests {
namespace {

using compiler::Precision;
using compiler::TensorData;

constexpr int kSamples = 3;  // compared
constexpr int kCalibrationSamples = 64;

// Plans can be written from this pass on: before it softmax may be along any axis.
constexpr std::string_view kFirstStage = "move_softmax_axis";

using Sample = std::vector<Array>;  // one per input

Kind kind_of(const Input& input) {
  if (input.type == onnx::TensorProto::INT8) return Kind::kInt8;
  return input.type == onnx::TensorProto::UINT8 ? Kind::kUInt8 : Kind::kFloat;
}

// Sample `number` of the case's inputs; elements are exact as floats.
Sample draw(const OpCase& it, uint32_t number) {
  std::mt19937 random(number);
  Sample sample;
  for (const Input& input : it.inputs) {
    const Kind kind = kind_of(input);
    const auto next = [&](const Index&) {
      const double share = static_cast<double>(random()) / 4294967296.0;
      const double value = input.low + (input.high - input.low) * share;
      return kind == Kind::kFloat ? double{static_cast<float>(value)} : std::floor(value);
    };
    sample.push_back(make(input.shape, next, kind));
  }
  return sample;
}

template <typename T>
TensorData narrow(const Array& array, plan::DType dtype) {
  const std::vector<T> values(array.values.begin(), array.values.end());
  TensorData data{dtype, array.shape, std::vector<std::byte>(values.size() * sizeof(T))};
  std::memcpy(data.bytes.data(), values.data(), data.bytes.size());
  return data;
}

std::vector<TensorData> tensors(const Sample& sample) {
  std::vector<TensorData> list;
  for (const Array& array : sample) {
    list.push_back(array.kind == Kind::kInt8    ? narrow<int8_t>(array, plan::DType::kInt8)
                   : array.kind == Kind::kUInt8 ? narrow<uint8_t>(array, plan::DType::kUInt8)
                                                : narrow<float>(array, plan::DType::kFloat32));
  }
  return list;
}

template <typename T>
std::vector<double> widen(const TensorData& data) {
  std::vector<T> values(data.bytes.size() / sizeof(T));
  std::memcpy(values.data(), data.bytes.data(), data.bytes.size());
  return {values.begin(), values.end()};
}

std::vector<double> values_of(const TensorData& data) {
  switch (data.dtype) {
    case plan::DType::kFloat32:
      return widen<float>(data);
    case plan::DType::kInt64:
      return widen<int64_t>(data);
    case plan::DType::kInt32:
      return widen<int32_t>(data);
    case plan::DType::kInt8:
      return widen<int8_t>(data);
    default:
      return widen<uint8_t>(data);
  }
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (double value : values) most = std::max(most, std::fabs(value));
  return most;
}

// `relative`: to the largest element and to the element itself; `step`: allowed on top.
void check_close(const std::vector<double>& actual, const std::vector<double>& expected, double relative,
                 double step) {
  const double room = relative * largest(expected) + step;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = std::fabs(actual[i] - expected[i]);
    if (error <= room + relative * std::fabs(expected[i])) continue;
    INFO("element " << i << " is " << actual[i] << ", expected " << expected[i]);
    FAIL_CHECK("outside the tolerance");
    return;
  }
}

double signal_to_noise(const std::vector<double>& actual, const std::vector<double>& expected) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    signal += expected[i] * expected[i];
    noise += std::pow(actual[i] - expected[i], 2);
  }
  return noise == 0 ? HUGE_VAL : 10 * std::log10(signal / noise);
}

class CaseRunner {
 public:
  explicit CaseRunner(const OpCase& it) : it_(it), model_(build_model(it)) {
    path_ = directory_.file("model.onnx");
    std::ofstream file(path_, std::ios::binary);
    REQUIRE(model_.SerializeToOstream(&file));
    file.close();
    for (uint32_t i = 0; i < kSamples; ++i) {
      samples_.push_back(draw(it, i));
      expected_.push_back(run_reference(model_, samples_.back()));
    }
  }

  void check(Precision precision, const std::string& stage) {
    INFO((stage.empty() ? "whole pipeline" : "up to " + stage));
    compiler::CompileOptions options;
    options.precision = precision;
    options.stop_after = stage;
    options.threads = 1;
    if (precision == Precision::kInt8) options.calibration = calibration();
    const auto factory = tools::plan_runner_factory();
    const std::vector<std::byte> plan = compiler::compile(path_, options, factory).plan;
    REQUIRE(!plan.empty());
    const bool fp16 = precision == Precision::kFp16;
    if (fp16) run_float16(plan);
    const auto runner = factory(plan);
    std::vector<std::vector<double>> all_actual(expected_[0].size()), all_expected(expected_[0].size());
    for (size_t s = 0; s < samples_.size(); ++s) {
      INFO("sample " << s);
      const std::vector<TensorData> outputs = runner->run(tensors(samples_[s]), {});
      REQUIRE(outputs.size() == expected_[s].size());
      for (size_t i = 0; i < outputs.size(); ++i) {
        INFO("output " << i);
        const Array& expected = expected_[s][i];
        CHECK(outputs[i].shape == expected.shape);
        CHECK((outputs[i].dtype == plan::DType::kFloat32) == (expected.kind == Kind::kFloat));
        const std::vector<double> actual = values_of(outputs[i]);
        REQUIRE(actual.size() == expected.values.size());
        if (precision != Precision::kInt8) {
          check_close(actual, expected.values, fp16 ? 3e-3 : 2e-5,
                      precision == Precision::kAsModel ? it_.step : 0);
        }
        all_actual[i].insert(all_actual[i].end(), actual.begin(), actual.end());
        all_expected[i].insert(all_expected[i].end(), expected.values.begin(), expected.values.end());
      }
    }
    for (size_t i = 0; i < all_actual.size(); ++i) {
      if (precision == Precision::kAsModel) check_steps(all_actual[i], all_expected[i]);
      if (precision == Precision::kInt8 && it_.int8_db > 0) {
        CHECK(signal_to_noise(all_actual[i], all_expected[i]) >= it_.int8_db);
      }
    }
  }

 private:
  // What other roundings of the same numbers differ in: next to nothing, and there by one step.
  void check_steps(const std::vector<double>& actual, const std::vector<double>& expected) const {
    size_t different = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      different += std::fabs(actual[i] - expected[i]) > 0.01 * it_.step ? 1 : 0;
    }
    CHECK(different <= expected.size() / 50);
  }

  // In float16 wherever there are kernels, whether this CPU is quick with them or not.
  void run_float16(const std::vector<std::byte>& plan) {
    INFO("computed in float16");
    test::TableRunner runner(kernels::float16_kernel_table(), plan);
    for (size_t s = 0; s < samples_.size(); ++s) {
      INFO("sample " << s);
      const std::vector<TensorData> outputs = runner.run(tensors(samples_[s]));
      for (size_t i = 0; i < outputs.size(); ++i) {
        INFO("output " << i);
        check_close(values_of(outputs[i]), expected_[s][i].values, 1e-2, 0);
      }
    }
  }

  compiler::SampleSource calibration() const {
    compiler::SampleSource source;
    source.count = kCalibrationSamples;
    source.description = "random";
    source.load = [this](int index) { return tensors(draw(it_, static_cast<uint32_t>(index))); };
    return source;
  }

  const OpCase& it_;
  onnx::ModelProto model_;
  tools::TemporaryDirectory directory_;
  std::string path_;
  std::vector<Sample> samples_;
  std::vector<Outputs> expected_;
};

}  // namespace

void check_case(const OpCase& it) {
  CaseRunner runner(it);
  const auto stages = compiler::pipeline();
  const auto first =
      std::find_if(stages.begin(), stages.end(), [](const auto& pass) { return pass.name == kFirstStage; });
  REQUIRE(first != stages.end());
  for (auto pass = first; pass != stages.end(); ++pass)
    runner.check(Precision::kFp32, std::string(pass->name));
  if (it.step > 0) {
    INFO("as the model is quantized");
    return runner.check(Precision::kAsModel, "");
  }
  {
    INFO("fp16");
    runner.check(Precision::kFp16, "");
  }
  INFO("int8");
  runner.check(Precision::kInt8, "");
}

}  // namespace bantam::tests
