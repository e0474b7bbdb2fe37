#include "xnn/constants.h"
#include "rounding.h"

namespace bantam::kernels {

bool FloatConstant::load(const TensorInfo* tensor) {
  return load(tensor, 0, tensor == nullptr ? 0 : static_cast<size_t>(tensor->elements));
}

bool FloatConstant::load(const TensorInfo* tensor, size_t first, size_t count) {
  if (tensor == nullptr) return true;
  if (tensor->dtype == plan::DType::kFloat32) {
    data_ = static_cast<const float*>(tensor->data) + first;
    return true;
  }
  if (!converted_.allocate(count)) return false;
  widen_row()(static_cast<const uint16_t*>(tensor->data) + first, converted_.data(),
              static_cast<int64_t>(count));
  data_ = converted_.data();
  return true;
}

bool HalfConstant::load(const TensorInfo* tensor) {
  return load(tensor, 0, tensor == nullptr ? 0 : static_cast<size_t>(tensor->elements));
}

bool HalfConstant::load(const TensorInfo* tensor, size_t first, size_t count) {
  if (tensor == nullptr) return true;
  if (tensor->dtype == plan::DType::kFloat16) {
    data_ = static_cast<const uint16_t*>(tensor->data) + first;
    return true;
  }
  if (!converted_.allocate(count)) return false;
  narrow_row()(static_cast<const float*>(tensor->data) + first, converted_.data(),
               static_cast<int64_t>(count));
  data_ = converted_.data();
  return true;
}

bool ChannelScales::load(const TensorInfo& weights, int32_t channels) {
  data_ = weights.scales;
  if (weights.scale_count == channels) return true;
  if (!repeated_.allocate(static_cast<size_t>(channels))) return false;
  for (float& scale : repeated_) scale = weights.scales[0];
  data_ = repeated_.data();
  return true;
}

namespace {

bool product_fits(const int64_t* factors, int count) {
  size_t product = 1;
  for (int i = 0; i < count; ++i) {
    if (__builtin_mul_overflow(product, factors[i], &product)) return false;
  }
  return product <= SIZE_MAX / 2;
}

}  // namespace

bool indirection_fits(int64_t output_pixels, int64_t kernel_size) {
  constexpr int64_t kSlack = 64;  // output pixels and kernel elements are rounded up to tiles
  const int64_t factors[] = {output_pixels + kSlack, kernel_size + kSlack, sizeof(void*)};
  return product_fits(factors, 3);
}

bool packing_fits(int64_t outputs, int64_t inputs, int64_t kernel_size, int64_t groups) {
  constexpr int64_t kTile = 64;
  const int64_t factors[] = {round_up(outputs, kTile), round_up(inputs, kTile) + kTile, kernel_size, groups,
                             sizeof(float)};
  return product_fits(factors, 5);
}

}  // namespace bantam::kernels
