// Every trained network with its right preprocessing, of which nothing may be said, and with wrong ones,
// which must be found.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "data/labels.h"
#include "data/npy.h"
#include "doctor/doctor.h"
#include "measure.h"
#include "models/shared_folder.h"

namespace bantam::tests {
namespace {

using plan::ChannelOrder;
using tools::Diagnosis;
using tools::FindingKind;
using Kinds = std::vector<FindingKind>;
using Image = std::optional<tools::ImageOptions>;

Image image(ChannelOrder order, std::vector<float> mean, std::vector<float> std) {
  tools::ImageOptions options;
  options.order = order;
  options.mean = std::move(mean);
  options.std = std::move(std);
  return options;
}

const Image kNone;
const Image kPixels = image(ChannelOrder::kRgb, {}, {});
const Image kUnit = image(ChannelOrder::kRgb, {0, 0, 0}, {255, 255, 255});
const Image kSigned = image(ChannelOrder::kRgb, {127.5, 127.5, 127.5}, {127.5, 127.5, 127.5});
const Image kNormal = image(ChannelOrder::kRgb, {123.675f, 116.28f, 103.53f}, {58.395f, 57.12f, 57.375f});
// Normalized, and once more as if it were from 0 to 1.
const Image kTwice = image(ChannelOrder::kRgb, {152.0f, 142.33f, 126.82f}, {13.372f, 12.795f, 12.909f});
const Image kCaffe = image(ChannelOrder::kBgr, {104, 117, 123}, {});
const Image kCaffeRgb = image(ChannelOrder::kRgb, {123, 117, 104}, {});
const Image kCaffeSwapped = image(ChannelOrder::kRgb, {104, 117, 123}, {});

const std::string kCifar = "cifar10/calib_images.npy", kVww = "vww/calib_images.npy",
                  kKws = "kws/calib_inputs.npy", kImageNet = "imagenet/calib";

compiler::SampleSource first(compiler::SampleSource source, int count) {
  source.count = std::min(source.count, count);
  return source;
}

tools::DoctorOptions options(const std::string& model, const Image& image, const std::string& data) {
  tools::DoctorOptions options;
  options.model = shared("models/" + model + ".onnx");
  if (image)
    options.image = compiler::ImageOptions{image->order, image->resize, image->crop, image->mean, image->std};
  options.calibration = calibration(shared("datasets/" + data), image);
  return options;
}

void add_test(tools::DoctorOptions& options, const Image& image, const std::string& data,
              const std::string& labels) {
  options.test = calibration(shared("datasets/" + data), image);
  if (labels.empty()) return;
  Image any = image;
  if (data.find(".npy") == std::string::npos && !any) any.emplace();
  options.test_labels =
      tools::read_labels(shared("datasets/" + labels), *tools::open_samples(shared("datasets/" + data), any),
                         options.test->count);
}

Kinds kinds_of(const std::string& title, const tools::DoctorOptions& options) {
  const Diagnosis diagnosis = tools::examine(options);
  std::printf("%-50s %.2f s, %d samples run\n", title.c_str(), diagnosis.seconds, diagnosis.samples_run);
  Kinds kinds;
  for (const tools::Finding& finding : diagnosis.findings) {
    std::printf("  %s\n", finding.text().c_str());
    kinds.push_back(finding.kind);
  }
  std::fflush(stdout);
  return kinds;
}

struct Case {
  const char* model;
  Image image;
  std::string calibration, test, labels;
};
#define CIFAR kCifar, "cifar10/test_images.npy", "cifar10/test_labels.npy"
#define IMAGENET kImageNet, "imagenet/test", "imagenet/test/labels.csv"
const Case kRight[] = {
    {"resnet8_cifar10", kPixels, CIFAR},
    {"resnet20_cifar10", kNormal, CIFAR},
    {"resnet56_cifar10", kNormal, CIFAR},
    {"mobilenetv1_025_vww", kUnit, kVww, "vww/test_images.npy", "vww/test_labels.npy"},
    {"dscnn_kws", kNone, kKws, "kws/test_inputs.npy", "kws/test_labels.npy"},
    {"mobilenetv1_025_imagenet", kSigned, IMAGENET},
    {"mobilenetv2_imagenet", kSigned, IMAGENET},
    {"squeezenet11_imagenet", kCaffe, IMAGENET},
};

TEST_CASE("nothing is said of the right samples") {
  for (const Case& it : kRight) {
    tools::DoctorOptions right = options(it.model, it.image, it.calibration);
    CHECK(kinds_of(it.model + std::string(", right"), right).empty());
    add_test(right, it.image, it.test, it.labels);
    CHECK(kinds_of(it.model + std::string(", right, labelled test set"), right).empty());
  }
}

TEST_CASE("wrong preprocessing is found without labels") {
  struct Wrong {
    const char* model;
    Image image;
    std::string data;
    FindingKind kind;
    const char* what;
  };
  const Wrong wrong[] = {
      {"squeezenet11_imagenet", kCaffeRgb, kImageNet, FindingKind::kChannelOrder, "rgb"},
      {"squeezenet11_imagenet", kCaffeSwapped, kImageNet, FindingKind::kChannelOrder, "rgb, mean as bgr"},
      {"resnet20_cifar10", kPixels, kCifar, FindingKind::kNormalization, "unscaled"},
      {"resnet20_cifar10", kUnit, kCifar, FindingKind::kNormalization, "0 to 1"},
      {"resnet20_cifar10", kTwice, kCifar, FindingKind::kNormalization, "normalized twice"},
      {"resnet56_cifar10", kPixels, kCifar, FindingKind::kNormalization, "unscaled"},
      {"resnet56_cifar10", kTwice, kCifar, FindingKind::kNormalization, "normalized twice"},
      {"resnet8_cifar10", kUnit, kCifar, FindingKind::kNormalization, "0 to 1"},
      {"resnet8_cifar10", kNormal, kCifar, FindingKind::kNormalization, "normalized"},
      {"mobilenetv2_imagenet", kPixels, kImageNet, FindingKind::kNormalization, "unscaled"},
      {"mobilenetv1_025_imagenet", kPixels, kImageNet, FindingKind::kNormalization, "unscaled"},
  };
  for (const Wrong& it : wrong) {
    const Kinds kinds =
        kinds_of(it.model + std::string(", ") + it.what, options(it.model, it.image, it.data));
    CHECK(std::count(kinds.begin(), kinds.end(), it.kind) == 1);
  }
}

TEST_CASE("nothing is said of the preprocessing of other right samples either") {
  for (const Case& it : kRight) {
    const int size = std::string(it.model).ends_with("imagenet") ? 32 : 64;
    tools::DoctorOptions right = options(it.model, it.image, it.test);
    const compiler::SampleSource all = right.calibration;
    for (int part = 0; part < 5; ++part) {
      right.calibration.count = size;
      right.calibration.load = [&all, part](int i) { return all.load(i * 5 + part); };
      const Kinds kinds = kinds_of(it.model + std::string(", test images"), right);
      CHECK(std::count(kinds.begin(), kinds.end(), FindingKind::kNormalization) == 0);
      CHECK(std::count(kinds.begin(), kinds.end(), FindingKind::kChannelOrder) == 0);
      CHECK(std::count(kinds.begin(), kinds.end(), FindingKind::kUnbalanced) == 0);
    }
  }
}

// Of two classes alone answers tell too little: there it takes labels.
TEST_CASE("wrong preprocessing is found with the labels of a test set") {
  tools::DoctorOptions vww = options("mobilenetv1_025_vww", kPixels, kVww);
  add_test(vww, kPixels, "vww/test_images.npy", "vww/test_labels.npy");
  CHECK(kinds_of("vww, unscaled, labelled", vww) == Kinds{FindingKind::kNormalization});
  tools::DoctorOptions squeezenet = options("squeezenet11_imagenet", kCaffeRgb, kImageNet);
  add_test(squeezenet, kCaffeRgb, "imagenet/test", "imagenet/test/labels.csv");
  CHECK(kinds_of("squeezenet, rgb, labelled", squeezenet) == Kinds{FindingKind::kChannelOrder});
}

TEST_CASE("constant, copied and few samples are found") {
  tools::DoctorOptions kws = options("dscnn_kws", kNone, kKws);
  const compiler::SampleSource all = kws.calibration;
  kws.calibration.load = [all](int i) {
    std::vector<compiler::TensorData> tensors = all.load(i);
    if (i % 10 == 3) std::fill(tensors[0].bytes.begin(), tensors[0].bytes.end(), std::byte{0});
    return tensors;
  };
  const Kinds constant = kinds_of("kws, every tenth constant", kws);
  CHECK(constant == Kinds{FindingKind::kConstant});
  kws.calibration.load = [all](int i) { return all.load(i / 4); };
  CHECK(kinds_of("kws, each four times", kws) == Kinds{FindingKind::kDuplicates});
  tools::DoctorOptions cifar = options("resnet20_cifar10", kNormal, kCifar);
  cifar.calibration = first(cifar.calibration, 8);
  CHECK(kinds_of("resnet20, 8 samples", cifar) == Kinds{FindingKind::kTooFew});
}

// CIFAR images three times as large: smooth ones.
TEST_CASE("samples unlike the test set are found") {
  tools::DoctorOptions vww = options("mobilenetv1_025_vww", kUnit, kVww);
  const compiler::SampleSource cifar = calibration(shared("datasets/" + kCifar), kUnit);
  vww.calibration = first(cifar, 200);
  vww.calibration.load = [cifar](int i) {
    std::vector<compiler::TensorData> tensors = cifar.load(i);
    std::vector<std::byte> large(size_t{96} * 96 * 3);
    for (size_t at = 0; at < large.size(); ++at) {
      const size_t y = at / (96 * 3) / 3, x = at / 3 % 96 / 3, c = at % 3;
      large[at] = tensors[0].bytes[(y * 32 + x) * 3 + c];
    }
    tensors[0].bytes = std::move(large);
    tensors[0].shape = {1, 96, 96, 3};
    return tensors;
  };
  add_test(vww, kUnit, "vww/test_images.npy", "");
  CHECK(kinds_of("vww, CIFAR images", vww) == Kinds{FindingKind::kUnlikeTestSet});
}

// 5 of 200 frames per sample, as the network takes them.
TEST_CASE("nothing is said of frames of sound for an autoencoder") {
  tools::DoctorOptions toycar;
  toycar.model = shared("models/autoencoder_toycar.onnx");
  auto windows = [](const std::string& path) {
    auto frames = std::make_shared<tools::NpyFile>(shared(path));
    compiler::SampleSource source;
    source.count = static_cast<int>(frames->shape()[0]);
    source.load = [frames](int i) {
      const tools::Tensor window = frames->read(int64_t{i} * 200 * 128 + (i * 37 % 196) * 128, {1, 640});
      return std::vector{compiler::TensorData{window.dtype, window.shape, window.bytes}};
    };
    return source;
  };
  toycar.calibration = windows("datasets/ad/calib_frames.npy");
  toycar.test = windows("datasets/ad/test_frames.npy");
  CHECK(kinds_of("autoencoder_toycar, right, test set", toycar).empty());
}

}  // namespace
}  // namespace bantam::tests
