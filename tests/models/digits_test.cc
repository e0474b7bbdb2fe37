// The network that the project carries, on its labelled images.
#include <catch2/catch_test_macros.hpp>

#include "bantam/kernels/kernel_table.h"
#include "measure.h"

namespace bantam::tests {
namespace {

const std::string kDigits = std::string(BANTAM_EXAMPLES) + "/digits/";
const std::string kModel = kDigits + "digits.onnx", kTest = kDigits + "test",
                  kLabels = kDigits + "test/labels.csv";

tools::ImageOptions image_options() {
  tools::ImageOptions image;
  image.order = plan::ChannelOrder::kGray;
  image.mean = {78.7f};
  image.std = {88.9f};
  return image;
}

TEST_CASE("digits: int8 reads what fp32 reads") {
  const PlanBytes fp32 = compile_fp32(kModel, image_options());
  const PlanBytes int8 = check_int8(kModel, image_options(), calibration(kDigits + "calib", image_options()));
  const std::vector<int> expected = classify(fp32, "fp32", kTest), actual = classify(int8, "int8", kTest);
  const double fp32_top1 = top1(expected, kLabels, kTest), int8_top1 = top1(actual, kLabels, kTest);
  CAPTURE(fp32_top1, int8_top1);
  CHECK(fp32_top1 >= 99.0);  // 496 of 500, and one of them is almost a tie
  CHECK(fp32_top1 <= 99.4);
  CHECK(int8_top1 >= fp32_top1 - 1.0);
  CHECK(agreement(expected, actual) >= 98.0);
  check_arena(fp32);
  check_arena(int8);
}

TEST_CASE("digits: fp16 reads what fp32 reads, in either arithmetic") {
  const PlanBytes fp32 = compile_fp32(kModel, image_options()), fp16 = compile_fp16(kModel, image_options());
  const std::vector<int> expected = classify(fp32, "fp32", kTest);
  const KernelTable& narrow = kernels::float16_kernel_table();
  const KernelTable& wide = kernels::float32_kernel_table();
  CHECK(agreement(classify_with(wide, fp16, kTest, image_options()), expected) >= 99.5);
  CHECK(agreement(classify_with(narrow, fp16, kTest, image_options()), expected) >= 99.5);
  CHECK(difference(wide, narrow, fp16, kTest, image_options(), 100) <= 1e-2);
  CHECK(difference(wide, narrow, fp32, kTest, image_options(), 10) == 0);  // never computes in float16
  check_half_size(fp16, fp32);
  check_arena(fp16);
}

}  // namespace
}  // namespace bantam::tests
