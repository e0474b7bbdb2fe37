// An autoencoder that scores sounds by how badly it reconstructs them.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

#include "data/npy.h"
#include "engine/evaluate.h"
#include "engine/plan_runner.h"
#include "measure.h"
#include "plan_format.h"
#include "plan_generated.h"
#include "shared_folder.h"

namespace bantam::tests {
namespace {

constexpr int kFrame = 128;          // log-mel values of a frame
constexpr int kWindow = 5 * kFrame;  // the model's input: consecutive frames
constexpr int kWindows = 196;        // of a recording of 200 frames
constexpr double kOnnxRuntime = 0.9089;

std::vector<tools::Tensor> recordings(const std::string& path) {
  const tools::NpyFile file(path);
  std::vector<tools::Tensor> all;
  for (int64_t i = 0; i < file.shape()[0]; ++i) all.push_back(file.read_item(i));
  return all;
}

// Every 14th window of every recording.
compiler::SampleSource windows_of(const std::string& path) {
  constexpr int kStep = 14, kPerRecording = kWindows / kStep;
  auto sounds = std::make_shared<std::vector<tools::Tensor>>(recordings(path));
  compiler::SampleSource source;
  source.count = static_cast<int>(sounds->size()) * kPerRecording;
  source.description = "windows of calib_frames.npy";
  source.load = [sounds](int index) {
    const float* frames = (*sounds)[static_cast<size_t>(index / kPerRecording)].as<float>().data();
    compiler::TensorData window{
        plan::DType::kFloat32, {1, kWindow}, std::vector<std::byte>(kWindow * sizeof(float))};
    std::memcpy(window.bytes.data(), frames + index % kPerRecording * kStep * kFrame, window.bytes.size());
    return std::vector{window};
  };
  return source;
}

// Mean over the windows of the mean squared error of the reconstruction.
double anomaly_score(Session& session, const tools::Tensor& sound) {
  double sum = 0;
  std::vector<float> output;
  for (int window = 0; window < kWindows; ++window) {
    const float* input = sound.as<float>().data() + window * kFrame;
    std::memcpy(session.input(0).data, input, kWindow * sizeof(float));
    tools::require(session.run(), "autoencoder");
    tools::read_real(session.output(0), output);
    for (int i = 0; i < kWindow; ++i) sum += std::pow(double{output[static_cast<size_t>(i)]} - input[i], 2);
  }
  return sum / (kWindows * kWindow);
}

// Share of the pairs of an anomaly and a normal recording whose scores stand in the right order.
double area_under_curve(const std::vector<double>& scores, std::span<const int64_t> labels) {
  double right = 0, pairs = 0;
  for (size_t a = 0; a < scores.size(); ++a) {
    for (size_t n = 0; n < scores.size(); ++n) {
      if (labels[a] != 1 || labels[n] != 0) continue;
      pairs += 1;
      right += scores[a] > scores[n] ? 1 : scores[a] == scores[n] ? 0.5 : 0;
    }
  }
  return right / pairs;
}

double area(const PlanBytes& plan, const std::string& data) {
  const Model model = load(plan, "autoencoder");
  Session session = tools::open_session(model, 1, "autoencoder");
  std::vector<double> scores;
  for (const tools::Tensor& sound : recordings(data + "test_frames.npy")) {
    scores.push_back(anomaly_score(session, sound));
  }
  const tools::Tensor labels = tools::NpyFile(data + "test_labels.npy").read_all();
  REQUIRE(labels.dtype == plan::DType::kInt64);
  return area_under_curve(scores, labels.as<int64_t>());
}

TEST_CASE("autoencoder_toycar") {
  const std::string model = shared("models/autoencoder_toycar.onnx");
  const std::string golden = shared("models/golden") + "/autoencoder_toycar",
                    data = shared("datasets/ad") + "/";
  const PlanBytes fp32 = compile_fp32(model, std::nullopt);
  const double error = golden_error(fp32, golden + ".input.npy", golden + ".output.npy");
  CHECK(error <= 1e-4);
  check_arena(fp32);
  const PlanBytes int8 = check_int8(model, std::nullopt, windows_of(data + "calib_frames.npy"));
  check_arena(int8);
  const double fp32_area = area(fp32, data), int8_area = area(int8, data);
  std::printf("%-26s fp32 error %.1e  AUC fp32 %.4f  int8 %.4f  plan %zu bytes\n", "autoencoder_toycar",
              error, fp32_area, int8_area, int8.size());
  CHECK(std::fabs(fp32_area - kOnnxRuntime) <= 0.001);
  CHECK(int8_area >= fp32_area - 0.01);
  CHECK(int8.size() <= 307470);  // ONNX Runtime's quantized file
}

// As ONNX Runtime's tool quantized it, statically.
TEST_CASE("autoencoder_toycar, quantized by others") {
  const std::string model = shared("models/quantized/autoencoder_toycar.qdq.onnx");
  const double found = area(compile_fp32(model, std::nullopt), shared("datasets/ad") + "/");
  std::printf("%-26s AUC %.4f (ONNX Runtime 0.9124)\n", "autoencoder_toycar.qdq", found);
  CHECK(std::fabs(found - 0.9124) <= 0.003);
}

PlanBytes compile_as_model(const std::string& onnx, int weight_bits, bool quantize_rows) {
  compiler::CompileOptions options;
  options.weight_bits = weight_bits;
  options.quantize_rows = quantize_rows;
  return compiler::compile(onnx, options, tools::plan_runner_factory()).plan;
}

// As ONNX Runtime's tool quantized it, dynamically: the ranges of one row are those of the whole tensor.
TEST_CASE("autoencoder_toycar, quantized dynamically by others") {
  const std::string model = shared("models/quantized/autoencoder_toycar.dynamic.onnx");
  const std::string golden = shared("models/golden") + "/autoencoder_toycar";
  const PlanBytes plan = compile_as_model(model, 0, false);
  const auto& ops = *plan::GetPlan(plan.data() + sizeof(PlanHeader))->ops();
  for (const plan::Op* op : ops) CHECK(op->code() == plan::OpCode::kNarrowFullyConnected);
  const double error = golden_error(plan, golden + ".input.npy", golden + ".dynamic.output.npy");
  const double found = area(plan, shared("datasets/ad") + "/");
  std::printf("%-26s %u ops, error %.1e  AUC %.4f (ONNX Runtime 0.8703)  plan %zu bytes\n",
              "autoencoder_toycar.dynamic", ops.size(), error, found, plan.size());
  CHECK(error <= 0.02);
  CHECK(found >= 0.8703 - 0.001);
}

TEST_CASE("autoencoder_toycar with narrow weights") {
  const std::string model = shared("models/autoencoder_toycar.onnx"), data = shared("datasets/ad") + "/";
  const std::string golden = shared("models/golden") + "/autoencoder_toycar";
  const PlanBytes fp32 = compile_as_model(model, 0, false);
  const double reference = area(fp32, data);
  for (const int bits : {8, 4}) {
    for (const bool quantize_rows : {false, true}) {
      const PlanBytes plan = compile_as_model(model, bits, quantize_rows);
      const double error = golden_error(plan, golden + ".input.npy", golden + ".output.npy");
      const double found = area(plan, data);
      std::printf("%-26s %d bits%s  error %.1e  AUC %.4f (fp32 %.4f)  plan %zu of %zu bytes\n",
                  "autoencoder_toycar", bits, quantize_rows ? ", int8 rows" : "", error, found, reference,
                  plan.size(), fp32.size());
      CHECK(static_cast<double>(plan.size()) <= static_cast<double>(fp32.size()) * (bits == 8 ? 0.30 : 0.18));
      CHECK(error <= (bits == 8 ? 0.03 : 0.3));
      if (bits == 8) CHECK(found >= reference - 0.01);  // the errors of 4 bits are as large as the scores
    }
  }
}

}  // namespace
}  // namespace bantam::tests
