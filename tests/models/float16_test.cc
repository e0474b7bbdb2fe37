// fp16 plans of trained models: half the size, and the same answers in float32 and in float16 arithmetic.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "bantam/kernels/kernel_table.h"
#include "measure.h"
#include "shared_folder.h"

namespace bantam::tests {
namespace {

// Of the largest output, by one rounding of every weight, and of every value: what the networks make of it.
// The outputs of MobileNetV2 change as much when its ONNX weights are rounded and all else is float32.
constexpr double kMostChange = 5e-2;

TEST_CASE("fp16 plans of all models") {
  for (const auto& entry : std::filesystem::directory_iterator(shared("models"))) {
    if (entry.path().extension() != ".onnx") continue;
    const std::string model = entry.path().string(), name = entry.path().stem().string();
    const std::string golden = shared("models/golden") + "/" + name;
    INFO(name);
    const PlanBytes fp32 = compile_fp32(model, std::nullopt), fp16 = compile_fp16(model, std::nullopt);
    const KernelTable& narrow = kernels::float16_kernel_table();
    const KernelTable& wide = kernels::float32_kernel_table();
    const double stored = golden_error(fp16, golden + ".input.npy", golden + ".output.npy");
    const double computed = difference(wide, narrow, fp16, golden + ".input.npy", std::nullopt, 4);
    std::printf("%-26s plan fp16/fp32 %.3f  stored as float16 %.1e  computed in it %.1e\n", name.c_str(),
                static_cast<double>(fp16.size()) / static_cast<double>(fp32.size()), stored, computed);
    CHECK(stored <= kMostChange);
    CHECK(computed <= kMostChange);
    check_half_size(fp16, fp32);
    check_arena(fp16);
  }
}

}  // namespace
}  // namespace bantam::tests
