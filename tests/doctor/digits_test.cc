// The doctor on the network that the project carries.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "data/labels.h"
#include "doctor/doctor.h"
#include "io/failure.h"
#include "measure.h"

namespace bantam::tests {
namespace {

using Catch::Matchers::ContainsSubstring;
using tools::FindingKind;
using Kinds = std::vector<FindingKind>;

const std::string kDigits = std::string(BANTAM_EXAMPLES) + "/digits/";

tools::ImageOptions gray(std::vector<float> mean, std::vector<float> std) {
  tools::ImageOptions image;
  image.order = plan::ChannelOrder::kGray;
  image.mean = std::move(mean);
  image.std = std::move(std);
  return image;
}

const tools::ImageOptions kRight = gray({78.7f}, {88.9f});

tools::DoctorOptions options(const tools::ImageOptions& image) {
  tools::DoctorOptions options;
  options.model = kDigits + "digits.onnx";
  options.image = compiler::ImageOptions{image.order, 0, 0, image.mean, image.std};
  options.calibration = calibration(kDigits + "calib", image);
  return options;
}

void add_test(tools::DoctorOptions& options, const tools::ImageOptions& image, bool labelled) {
  options.test = calibration(kDigits + "test", image);
  if (!labelled) return;
  options.test_labels = tools::read_labels(
      kDigits + "test/labels.csv", *tools::open_samples(kDigits + "test", image), options.test->count);
}

Kinds kinds_of(const tools::DoctorOptions& options) {
  Kinds kinds;
  for (const tools::Finding& finding : tools::examine(options).findings) {
    UNSCOPED_INFO(finding.text());
    kinds.push_back(finding.kind);
  }
  return kinds;
}

// Sample i is what `change` makes of the bytes of image i.
template <typename Change>
tools::DoctorOptions changed(const Change& change) {
  tools::DoctorOptions right = options(kRight);
  const compiler::SampleSource all = right.calibration;
  right.calibration.load = [all, change](int i) {
    std::vector<compiler::TensorData> tensors = all.load(i);
    change(i, tensors[0].bytes);
    return tensors;
  };
  return right;
}

TEST_CASE("digits: nothing is said of the right samples, with and without a test set") {
  tools::DoctorOptions right = options(kRight);
  CHECK(kinds_of(right).empty());
  add_test(right, kRight, false);
  CHECK(kinds_of(right).empty());
  add_test(right, kRight, true);
  CHECK(kinds_of(right).empty());
}

TEST_CASE("digits: images normalized twice are found, by what the network tells and by the labels") {
  const tools::ImageOptions twice = gray({78.7f + 88.9f * 78.7f}, {88.9f * 88.9f});
  tools::DoctorOptions wrong = options(twice);
  const tools::Diagnosis found = tools::examine(wrong);
  REQUIRE(found.found(FindingKind::kNormalization));
  const auto it = std::find_if(found.findings.begin(), found.findings.end(),
                               [](const auto& f) { return f.kind == FindingKind::kNormalization; });
  CHECK(it->after > it->before + 0.3);
  CHECK_THAT(it->text(), ContainsSubstring("bits") && ContainsSubstring("--mean"));
  add_test(wrong, twice, true);
  CHECK(tools::examine(wrong).found(FindingKind::kNormalization));
}

TEST_CASE("digits: constant samples and copies are found, and all constant ones refused") {
  const auto some = changed([](int i, std::vector<std::byte>& bytes) {
    if (i == 7) std::fill(bytes.begin(), bytes.end(), std::byte{9});
  });
  CHECK(kinds_of(some) == Kinds{FindingKind::kConstant});
  const auto all = changed(
      [](int, std::vector<std::byte>& bytes) { std::fill(bytes.begin(), bytes.end(), std::byte{9}); });
  CHECK_THROWS_WITH(tools::examine(all), ContainsSubstring("all 100 samples are constant"));
  tools::DoctorOptions copies = options(kRight);
  const compiler::SampleSource source = copies.calibration;
  copies.calibration.load = [source](int i) { return source.load(i - i % 2); };
  CHECK(kinds_of(copies) == Kinds{FindingKind::kDuplicates});
}

TEST_CASE("digits: few samples are found") {
  tools::DoctorOptions few = options(kRight);
  few.calibration.count = 8;
  CHECK(kinds_of(few) == Kinds{FindingKind::kTooFew});
}

TEST_CASE("digits: samples unlike the test set are found") {
  auto dim = changed([](int, std::vector<std::byte>& bytes) {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(std::to_integer<int>(byte) / 2);
  });
  add_test(dim, kRight, false);
  const Kinds kinds = kinds_of(dim);
  CHECK(std::count(kinds.begin(), kinds.end(), FindingKind::kUnlikeTestSet) == 1);
}

}  // namespace
}  // namespace bantam::tests
