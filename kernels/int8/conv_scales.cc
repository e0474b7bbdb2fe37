#include "int8/conv_scales.h"

#include <cstdlib>

namespace bantam::kernels {

bool make_conv_scales(const OpContext& context, Array<float>& scales) {
  const TensorInfo& w = context.input(1);
  const auto* weights = static_cast<const int8_t*>(w.data);
  const auto* bias = context.has_input(2) ? static_cast<const int32_t*>(context.input(2).data) : nullptr;
  const auto depth = static_cast<size_t>(w.elements / w.dims[0]);
  for (size_t c = 0; c < scales.size(); ++c) {
    const float w_scale = w.scales[w.scale_count == 1 ? 0 : c];
    scales[c] = context.input(0).scale() * w_scale / context.output().scale();
    int64_t reach = bias == nullptr ? 0 : std::abs(static_cast<int64_t>(bias[c]));
    for (size_t i = 0; i < depth; ++i) reach += 256 * std::abs(weights[c * depth + i]);
    if (reach >= INT32_MAX || !(scales[c] > 0.0f) || !(static_cast<float>(reach) * scales[c] < 0x1p30f))
      return false;
  }
  return true;
}

}  // namespace bantam::kernels
