// Compiles trained models and measures what their plans do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bantam/compiler/compiler.h"
#include "bantam/runtime/kernel.h"
#include "data/image_options.h"
#include "engine/plan.h"

namespace bantam::tests {

using PlanBytes = std::vector<std::byte>;

// Samples for an int8 plan: a folder of images or an .npy, as the command line takes them.
compiler::SampleSource calibration(const std::string& path, const std::optional<tools::ImageOptions>& image);

PlanBytes compile_fp32(const std::string& onnx, const std::optional<tools::ImageOptions>& image);
// Default options otherwise.
PlanBytes compile_int8(const std::string& onnx, const std::optional<tools::ImageOptions>& image,
                       const compiler::SampleSource& samples, int threads);

// Without calibration data.
PlanBytes compile_fp16(const std::string& onnx, const std::optional<tools::ImageOptions>& image);

Model load(const PlanBytes& plan, const std::string& name);

// The best class of each sample.
std::vector<int> classify(const PlanBytes& plan, const std::string& name, const std::string& inputs);
// The same by a plan of one input with these kernels.
std::vector<int> classify_with(const KernelTable& kernels, const PlanBytes& plan, const std::string& inputs,
                               const std::optional<tools::ImageOptions>& image);
// The largest difference between what the plan computes with two tables, divided by the largest output; over
// the first `limit` inputs.
double difference(const KernelTable& a, const KernelTable& b, const PlanBytes& plan,
                  const std::string& inputs, const std::optional<tools::ImageOptions>& image, int limit);
// Percent of the labels (an .npy or a CSV) that `classes` has right.
double top1(const std::vector<int>& classes, const std::string& labels, const std::string& inputs);
double agreement(const std::vector<int>& a, const std::vector<int>& b);  // percent

// The largest difference between the plan's outputs and the expected ones, divided by the largest of these.
// Both .npy files hold several samples along axis 0.
double golden_error(const PlanBytes& plan, const std::string& input_npy, const std::string& output_npy);

// What holds for any int8 plan: two compilations give the same bytes, whatever the number of threads, and the
// plan verifies here with one and two threads. Gives the plan.
PlanBytes check_int8(const std::string& onnx, const std::optional<tools::ImageOptions>& image,
                     const compiler::SampleSource& samples);
// The weights of an fp16 plan take half of what they take in the fp32 plan, up to alignment.
void check_half_size(const PlanBytes& fp16, const PlanBytes& fp32);
// The arena is at most 5 % larger than the tensors alive at one time.
void check_arena(const PlanBytes& plan);

}  // namespace bantam::tests
