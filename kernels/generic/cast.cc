#include <limits>
#include <type_traits>

#include "float16.h"
#include "kernel_list.h"
#include "kernel_support.h"
#include "layout.h"

namespace bantam::kernels {

namespace {

using plan::DType;

struct Half {
  uint16_t bits;
};
struct Bool {
  uint8_t value;
};

// Floats are cut towards zero and stay within the integer's range (NaN: 0); integers wrap; anything but 0 is
// true.
template <typename In, typename Out>
Out convert(In x) {
  if constexpr (std::is_same_v<In, Half>) {
    return convert<float, Out>(half_to_float(x.bits));
  } else if constexpr (std::is_same_v<In, Bool>) {
    return convert<int32_t, Out>(x.value != 0);
  } else if constexpr (std::is_same_v<Out, Half>) {
    return Half{float_to_half(static_cast<float>(x))};
  } else if constexpr (std::is_same_v<Out, Bool>) {
    return Bool{static_cast<uint8_t>(x != In{0})};
  } else if constexpr (std::is_same_v<In, float> && std::is_integral_v<Out>) {
    // Out of Out's range the value goes through int64, as the frameworks do it: 300 to uint8 is 44.
    constexpr float kTop = 9223372036854775808.0f;
    if (!(x >= -kTop)) return x != x ? Out{0} : static_cast<Out>(std::numeric_limits<int64_t>::min());
    if (x >= kTop) return static_cast<Out>(std::numeric_limits<int64_t>::max());
    return static_cast<Out>(static_cast<int64_t>(x));
  } else {
    return static_cast<Out>(x);
  }
}

template <typename In, typename Out>
class CastKernel final : public Kernel {
 public:
  Status init(const OpContext& context) {
    loop_ = make_loop<2>({layout_of(context.input(0)), layout_of(context.output())});
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const In* x = input_as<In>(context, 0);
    Out* y = output_as<Out>(context);
    const int64_t step_x = loop_.row_stride(0), step_y = loop_.row_stride(1);
    for_each_run(context.threads, loop_, 2, [&](const int64_t* offsets, int64_t count) {
      for (int64_t i = 0; i < count; ++i)
        y[offsets[1] + i * step_y] = convert<In, Out>(x[offsets[0] + i * step_x]);
    });
    return ok_status();
  }

 private:
  Loop<2> loop_;
};

template <typename In>
Status make_from(const OpContext& context, Kernel** out) {
  switch (context.output().dtype) {
    case DType::kFloat32:
      return make_kernel<CastKernel<In, float>>(context, out);
    case DType::kFloat16:
      return make_kernel<CastKernel<In, Half>>(context, out);
    case DType::kInt8:
      return make_kernel<CastKernel<In, int8_t>>(context, out);
    case DType::kUInt8:
      return make_kernel<CastKernel<In, uint8_t>>(context, out);
    case DType::kInt32:
      return make_kernel<CastKernel<In, int32_t>>(context, out);
    case DType::kInt64:
      return make_kernel<CastKernel<In, int64_t>>(context, out);
    case DType::kBool:
      return make_kernel<CastKernel<In, Bool>>(context, out);
  }
  return unsupported(context, "no such type");
}

}  // namespace

// Relies on: x and y of one shape. Quantization is not looked at: that is Quantize and Dequantize.
Status create_cast(const OpContext& context, Kernel** out) {
  switch (context.input(0).dtype) {
    case DType::kFloat32:
      return make_from<float>(context, out);
    case DType::kFloat16:
      return make_from<Half>(context, out);
    case DType::kInt8:
      return make_from<int8_t>(context, out);
    case DType::kUInt8:
      return make_from<uint8_t>(context, out);
    case DType::kInt32:
      return make_from<int32_t>(context, out);
    case DType::kInt64:
      return make_from<int64_t>(context, out);
    case DType::kBool:
      return make_from<Bool>(context, out);
  }
  return unsupported(context, "no such type");
}

}  // namespace bantam::kernels
