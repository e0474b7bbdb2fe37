// Files that ONNX Runtime's quantization tool made: outputs within a step of ONNX Runtime's, and its
// accuracy.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "data/npy.h"
#include "data/samples.h"
#include "engine/evaluate.h"
#include "engine/plan_runner.h"
#include "measure.h"
#include "plan_format.h"
#include "plan_generated.h"
#include "shared_folder.h"

namespace bantam::tests {
namespace {

using plan::ChannelOrder;

// Input of the model: (pixel / divisor - mean) / std.
struct Preprocess {
  float divisor = 1;
  std::vector<float> mean = {0, 0, 0}, std = {1, 1, 1};
  ChannelOrder order = ChannelOrder::kRgb;
};

struct Quantized {
  const char* file;
  const char* model;  // whose golden input it shares
  std::optional<Preprocess> image;
  const char* inputs;  // null: no classifier
  const char* labels;
  double top1;  // percent, by ONNX Runtime
};

constexpr double kMostPoints = 0.3;  // that our top-1 may be away from it

const Preprocess kPixels;
const Preprocess kUnit = {255};
const Preprocess kSigned = {127.5f, {1, 1, 1}};
const Preprocess kNormal = {255, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
const Preprocess kCaffe = {1, {104, 117, 123}, {1, 1, 1}, ChannelOrder::kBgr};

#define CIFAR "cifar10/test_images.npy", "cifar10/test_labels.npy"
#define IMAGENET "imagenet/test", "imagenet/test/labels.csv"

const Quantized kFiles[] = {
    {"resnet8_cifar10.qdq", "resnet8_cifar10", kPixels, CIFAR, 87.02},
    {"resnet8_cifar10.qop", "resnet8_cifar10", kPixels, CIFAR, 87.02},
    {"resnet8_cifar10.qdq_s8s8", "resnet8_cifar10", kPixels, CIFAR, 86.54},
    {"resnet20_cifar10.qdq", "resnet20_cifar10", kNormal, CIFAR, 91.46},
    {"resnet56_cifar10.qdq", "resnet56_cifar10", kNormal, CIFAR, 92.76},
    {"mobilenetv1_025_vww.qdq", "mobilenetv1_025_vww", kUnit, "vww/test_images.npy", "vww/test_labels.npy",
     85.20},
    {"dscnn_kws.qdq", "dscnn_kws", {}, "kws/test_inputs.npy", "kws/test_labels.npy", 91.00},
    {"mobilenetv1_025_imagenet.qdq", "mobilenetv1_025_imagenet", kSigned, IMAGENET, 54.00},
    {"mobilenetv2_imagenet.qdq", "mobilenetv2_imagenet", kSigned, IMAGENET, 88.75},
    {"mobilenetv2_imagenet.qop", "mobilenetv2_imagenet", kSigned, IMAGENET, 88.75},
    {"squeezenet11_imagenet.qdq", "squeezenet11_imagenet", kCaffe, IMAGENET, 61.25},
    {"autoencoder_toycar.qdq", "autoencoder_toycar", {}, nullptr, nullptr, 0},
};

PlanBytes compile_as_model(const std::string& onnx) {
  return compiler::compile(onnx, compiler::CompileOptions(), tools::plan_runner_factory()).plan;
}

const plan::Plan& metadata(const PlanBytes& plan) { return *plan::GetPlan(plan.data() + sizeof(PlanHeader)); }

const plan::Tensor& tensor(const plan::Plan& plan, int32_t index) {
  return *plan.tensors()->Get(static_cast<uint32_t>(index));
}

// Ops whose result is float, but for the Dequantize that makes the output.
int float_ops(const PlanBytes& plan) {
  int count = 0;
  for (const plan::Op* op : *metadata(plan).ops()) {
    const bool real = tensor(metadata(plan), op->outputs()->Get(0)).dtype() == plan::DType::kFloat32;
    count += real && op->code() != plan::OpCode::kDequantize ? 1 : 0;
  }
  return count;
}

// The scale of the int8 tensor that the output is made of.
float output_step(const PlanBytes& plan) {
  const plan::Plan& data = metadata(plan);
  const plan::Op& last = *data.ops()->Get(data.ops()->size() - 1);
  REQUIRE(last.code() == plan::OpCode::kDequantize);
  return tensor(data, last.inputs()->Get(0)).quantization()->scales()->Get(0);
}

void check_verifies(const PlanBytes& plan, const std::string& name) {
  const Model model = load(plan, name);
  const auto result = tools::open_session(model, 1, name).verify();
  tools::require(result.outcome(), name);
  CHECK(result->matches == 1);
  CHECK(result->ops_compared == static_cast<int32_t>(metadata(plan).ops()->size()));
}

double percent_within_a_step(const PlanBytes& plan, const std::string& input_npy,
                             const std::string& output_npy) {
  const Model model = load(plan, input_npy);
  Session session = tools::open_session(model, 1, input_npy);
  const tools::NpyFile inputs(input_npy), outputs(output_npy);
  const double limit = 1.01 * output_step(plan);
  int64_t within = 0, elements = 0;
  for (int64_t i = 0; i < inputs.shape()[0]; ++i) {
    const tools::Tensor input = inputs.read_item(i), expected = outputs.read_item(i);
    REQUIRE(session.input(0).bytes == input.bytes.size());
    std::memcpy(session.input(0).data, input.bytes.data(), input.bytes.size());
    tools::require(session.run(), input_npy);
    std::vector<float> actual;
    tools::read_real(session.output(0), actual);
    REQUIRE(actual.size() == expected.as<float>().size());
    for (size_t k = 0; k < actual.size(); ++k) {
      within += std::fabs(double{actual[k]} - expected.as<float>()[k]) <= limit ? 1 : 0;
      ++elements;
    }
  }
  return 100.0 * static_cast<double>(within) / static_cast<double>(elements);
}

// The best class of each image by a plan whose input is the model's own, which the pixels are normalized for
// in the arithmetic of its training. With image options the compiler's table rounds otherwise: where the
// input's scale is 2 / 255, pixels lie half-way between two steps, and go to the other one.
std::vector<int> classify_floats(const PlanBytes& plan, const std::string& inputs, const Preprocess& how) {
  tools::ImageOptions options;
  options.order = how.order;
  const auto samples = tools::open_samples(inputs, options);
  const Model model = load(plan, inputs);
  Session session = tools::open_session(model, 1, inputs);
  std::vector<int> classes;
  for (int64_t i = 0; i < samples->count(); ++i) {
    const tools::Tensor image = samples->load(i);  // [1, H, W, C]
    const auto channels = static_cast<size_t>(image.shape.back());
    const size_t pixels = image.bytes.size() / channels;
    REQUIRE(session.input(0).bytes == image.bytes.size() * sizeof(float));
    auto* planes = static_cast<float*>(session.input(0).data);
    for (size_t k = 0; k < image.bytes.size(); ++k) {
      const size_t c = k % channels;
      const float pixel = image.as<uint8_t>()[k];
      planes[c * pixels + k / channels] = (pixel / how.divisor - how.mean[c]) / how.std[c];
    }
    tools::require(session.run(), inputs);
    std::vector<float> scores;
    tools::read_real(session.output(0), scores);
    classes.push_back(tools::top_classes(scores, 1)[0]);
  }
  return classes;
}

void check_file(const std::string& name) {
  const Quantized& it = *std::find_if(std::begin(kFiles), std::end(kFiles),
                                      [&](const Quantized& row) { return name == row.file; });
  const std::string onnx = shared("models/quantized/" + name + ".onnx");
  const std::string golden = shared("models/golden") + "/", data = shared("datasets") + "/";
  const PlanBytes plain = compile_as_model(onnx);
  CHECK(plain == compile_as_model(onnx));
  CHECK(float_ops(plain) == 0);
  check_verifies(plain, name);
  const double within =
      percent_within_a_step(plain, golden + it.model + ".input.npy", golden + name + ".output.npy");
  CHECK(within >= 99.9);
  std::printf("%-30s within a step %.3f %%", it.file, within);
  if (it.inputs == nullptr) return;
  const std::vector<int> classes = it.image ? classify_floats(plain, data + it.inputs, *it.image)
                                            : classify(plain, name, data + it.inputs);
  const double accuracy = top1(classes, data + it.labels, data + it.inputs);
  std::printf("  top-1 %.2f (ONNX Runtime %.2f)\n", accuracy, it.top1);
  CHECK(std::fabs(accuracy - it.top1) <= kMostPoints + 1e-9);
}

TEST_CASE("resnet8_cifar10.qdq") { check_file("resnet8_cifar10.qdq"); }
TEST_CASE("resnet8_cifar10.qop") { check_file("resnet8_cifar10.qop"); }
TEST_CASE("resnet8_cifar10.qdq_s8s8") { check_file("resnet8_cifar10.qdq_s8s8"); }
TEST_CASE("resnet20_cifar10.qdq") { check_file("resnet20_cifar10.qdq"); }
TEST_CASE("resnet56_cifar10.qdq") { check_file("resnet56_cifar10.qdq"); }
TEST_CASE("mobilenetv1_025_vww.qdq") { check_file("mobilenetv1_025_vww.qdq"); }
TEST_CASE("dscnn_kws.qdq") { check_file("dscnn_kws.qdq"); }
TEST_CASE("mobilenetv1_025_imagenet.qdq") { check_file("mobilenetv1_025_imagenet.qdq"); }
TEST_CASE("mobilenetv2_imagenet.qdq") { check_file("mobilenetv2_imagenet.qdq"); }
TEST_CASE("mobilenetv2_imagenet.qop") { check_file("mobilenetv2_imagenet.qop"); }
TEST_CASE("squeezenet11_imagenet.qdq") { check_file("squeezenet11_imagenet.qdq"); }

TEST_CASE("autoencoder_toycar.qdq") { check_file("autoencoder_toycar.qdq"); }

}  // namespace
}  // namespace bantam::tests
