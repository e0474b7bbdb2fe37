// Trained classifiers, end to end: against ONNX Runtime's outputs, and int8 and fp16 against fp32 on labelled
// data.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdio>

#include "measure.h"
#include "shared_folder.h"

namespace bantam::tests {
namespace {

using plan::ChannelOrder;

struct Preprocess {
  ChannelOrder order;
  std::vector<float> mean, std;

  tools::ImageOptions options() const { return {.order = order, .mean = mean, .std = std}; }
};

struct Classifier {
  const char* name;
  std::optional<Preprocess> image;
  const char* calibration;
  const char* inputs;
  const char* labels;
  double fp32_top1;  // percent, by ONNX Runtime
  double max_drop;   // points of top-1
  size_t max_bytes;  // of the int8 plan: what ONNX Runtime's quantized file takes
};

const Preprocess kPixels = {ChannelOrder::kRgb, {}, {}};
const Preprocess kUnit = {ChannelOrder::kRgb, {0, 0, 0}, {255, 255, 255}};
const Preprocess kSigned = {ChannelOrder::kRgb, {127.5, 127.5, 127.5}, {127.5, 127.5, 127.5}};
const Preprocess kNormal = {ChannelOrder::kRgb, {123.675f, 116.28f, 103.53f}, {58.395f, 57.12f, 57.375f}};
const Preprocess kCaffe = {ChannelOrder::kBgr, {104, 117, 123}, {}};

#define CIFAR "cifar10/calib_images.npy", "cifar10/test_images.npy", "cifar10/test_labels.npy"
#define IMAGENET "imagenet/calib", "imagenet/test", "imagenet/test/labels.csv"

const Classifier kClassifiers[] = {
    {"resnet8_cifar10", kPixels, CIFAR, 87.14, 1.0, 106998},
    {"resnet20_cifar10", kNormal, CIFAR, 91.64, 1.0, 336134},
    {"resnet56_cifar10", kNormal, CIFAR, 92.78, 1.0, 1031771},
    {"mobilenetv1_025_vww", kUnit, "vww/calib_images.npy", "vww/test_images.npy", "vww/test_labels.npy",
     86.20, 1.0, 313850},
    {"dscnn_kws",
     {},
     "kws/calib_inputs.npy",
     "kws/test_inputs.npy",
     "kws/test_labels.npy",
     91.20,
     1.0,
     50865},
    {"mobilenetv1_025_imagenet", kSigned, IMAGENET, 57.50, 3.5, 583294},
    {"mobilenetv2_imagenet", kSigned, IMAGENET, 88.50, 1.0, 3866699},
    {"squeezenet11_imagenet", kCaffe, IMAGENET, 61.75, 1.0, 1352777},
};

void check_classifier(const std::string& name) {
  const Classifier& it = *std::find_if(std::begin(kClassifiers), std::end(kClassifiers),
                                       [&](const Classifier& row) { return name == row.name; });
  const std::string model = shared("models/" + name + ".onnx"), golden = shared("models/golden") + "/" + name;
  const std::string data = shared("datasets") + "/", inputs = data + it.inputs, labels = data + it.labels;
  std::optional<tools::ImageOptions> image;
  if (it.image) image = it.image->options();

  const PlanBytes plain = compile_fp32(model, std::nullopt);
  const double error = golden_error(plain, golden + ".input.npy", golden + ".output.npy");
  CHECK(error <= 1e-4);
  check_arena(plain);

  const PlanBytes fp32 = image ? compile_fp32(model, image) : plain;
  const PlanBytes int8 = check_int8(model, image, calibration(data + it.calibration, image));
  check_arena(int8);
  const std::vector<int> expected = classify(fp32, name + " fp32", inputs);
  const std::vector<int> actual = classify(int8, name + " int8", inputs);
  const double fp32_top1 = top1(expected, labels, inputs), int8_top1 = top1(actual, labels, inputs);
  const std::vector<int> half = classify(compile_fp16(model, image), name + " fp16", inputs);
  const double fp16_top1 = top1(half, labels, inputs);
  std::printf("%-26s fp32 error %.1e  top-1 fp32 %.2f  int8 %.2f  same %.2f %%  plan %zu bytes\n", it.name,
              error, fp32_top1, int8_top1, agreement(expected, actual), int8.size());
  std::printf("%-26s top-1 fp16 %.2f  same %.2f %%\n", it.name, fp16_top1, agreement(expected, half));
  CHECK(fp16_top1 >= fp32_top1 - 0.5);
  CHECK(agreement(expected, half) >= 98);
  CHECK(std::fabs(fp32_top1 - it.fp32_top1) <= 0.1);
  CHECK(int8_top1 >= fp32_top1 - it.max_drop);
  CHECK(int8.size() <= it.max_bytes);
}

TEST_CASE("resnet8_cifar10") { check_classifier("resnet8_cifar10"); }
TEST_CASE("resnet20_cifar10") { check_classifier("resnet20_cifar10"); }
TEST_CASE("resnet56_cifar10") { check_classifier("resnet56_cifar10"); }
TEST_CASE("mobilenetv1_025_vww") { check_classifier("mobilenetv1_025_vww"); }
TEST_CASE("dscnn_kws") { check_classifier("dscnn_kws"); }
TEST_CASE("mobilenetv1_025_imagenet") { check_classifier("mobilenetv1_025_imagenet"); }
TEST_CASE("mobilenetv2_imagenet") { check_classifier("mobilenetv2_imagenet"); }
TEST_CASE("squeezenet11_imagenet") { check_classifier("squeezenet11_imagenet"); }

}  // namespace
}  // namespace bantam::tests
