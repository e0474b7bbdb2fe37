// Plans through the public API, with its errors as Failures.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bantam/bantam.hpp"
#include "data/image_options.h"
#include "data/tensor.h"

namespace bantam::tools {

// Throws a Failure that begins with `where` unless `outcome` is a success.
void require(const Outcome& outcome, const std::string& where);

struct FreeMemory {
  void operator()(void* memory) const;
};
using AlignedMemory = std::unique_ptr<void, FreeMemory>;
AlignedMemory allocate_aligned(size_t bytes);  // zeros, aligned to BANTAM_ALIGNMENT

// A model and, unless it was mapped from a file, the plan in memory that it uses in place.
struct LoadedModel {
  AlignedMemory memory;
  Model model;
};

// What --cache says, and what `cache` below is; "" for none.
inline constexpr const char* kCacheHelp =
    "Keep weights in this CPU's layout in this folder, from which the next start maps them";
Model open_plan(const std::string& path, const std::string& cache = "");
// Copies `plan`. The outcome says what is wrong with it.
Expected<LoadedModel> load_plan(std::span<const std::byte> plan);
Session open_session(const Model& model, int threads, const std::string& where);
bool is_plan(const std::string& path);  // by its first bytes, or by its ending when it has none

// How the plan wants its images; empty when its input is not one.
std::optional<ImageOptions> image_options_of(const Model& model);

std::vector<int64_t> shape_of(const bantam_tensor& tensor);
plan::DType dtype_of(const bantam_tensor& tensor);
std::string type_text(const bantam_tensor& tensor);

// The input's index by name; a Failure that lists the inputs when there is none of that name.
int input_index(const Model& model, const std::string& name, const std::string& where);

// Copies `sample` into the session's input memory; a Failure when dtype or shape do not fit.
void write_input(const Session& session, int index, Tensor& sample, bool takes_image,
                 const std::string& where);
Tensor read_output(const Session& session, int index);

// Elements of a tensor of the running plan as real numbers: dequantized, widened and made dense.
void read_real(const bantam_tensor& tensor, std::vector<float>& out);
// The tensor's bytes without the gaps of a pixel stride; `scratch` holds them when there are gaps.
std::span<const std::byte> dense_bytes(const bantam_tensor& tensor, std::vector<std::byte>& scratch);

}  // namespace bantam::tools
