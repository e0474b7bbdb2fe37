#include "size/selective_size.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace bantam::tools {
namespace {

struct SizedKernel {
  std::string_view op;
  std::string_view type;  // of the op's first input; empty: any that has no kernel of its own
  bool halves;            // what it needs besides for float16 tensors
};

// What `kernels`, by index, share.
struct SizedGroup {
  size_t bytes;
  std::initializer_list<size_t> kernels;
};

#include "size/kernel_sizes.inc"

constexpr size_t kNone = std::size(kKernels);

size_t kernel_of(std::string_view op, std::string_view type, bool halves) {
  size_t found = kNone;
  for (size_t i = 0; i < kNone; ++i) {
    if (kKernels[i].op != op || kKernels[i].halves != halves) continue;
    if (kKernels[i].type == type) return i;
    if (kKernels[i].type.empty()) found = i;
  }
  return found;
}

// Which tensors may become float16 is not to be seen from outside; of a plan with such weights, nearly all.
bool has_halves(const Model& model) {
  for (int i = 0; i < model.info().op_count; ++i) {
    for (int k = 0; k < model.op(i).input_count; ++k) {
      if (model.op_input(i, k).dtype == BANTAM_FLOAT16) return true;
    }
  }
  return false;
}

}  // namespace

SelectiveSize selective_size(const Model& model) {
  const bool halves = has_halves(model);
  std::vector<bool> used(kNone);
  for (int i = 0; i < model.info().op_count; ++i) {
    const bantam_op_info op = model.op(i);
    std::string type = op.input_count > 0 ? bantam_dtype_name(model.op_input(i, 0).dtype) : "";
    if (type == "float16") type = "float32";
    const size_t kernel = kernel_of(op.code, type, false), half = kernel_of(op.code, type, true);
    if (kernel == kNone) return {0, kAllBytes, std::string(op.code) + "." + type};
    used[kernel] = true;
    if (halves && half != kNone) used[half] = true;
  }
  size_t sum = kBaseBytes;
  for (const SizedGroup& group : kGroups) {
    if (std::ranges::any_of(group.kernels, [&](size_t kernel) { return used[kernel]; })) sum += group.bytes;
  }
  return {sum, kAllBytes, ""};
}

}  // namespace bantam::tools
