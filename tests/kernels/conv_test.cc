#include <array>
#include <cmath>

#include "conv_reference.h"
#include "support.h"
#include "xnn/output_blocks.h"

namespace bantam::test {
namespace {

constexpr ConvCase kConvs[] = {
    // n, h, w, in, out, kh, kw, stride, dilation, pad, groups
    {1, 9, 11, 3, 8, 3, 3, 2, 1, 1, 1},
    {2, 7, 7, 16, 24, 1, 1, 1, 1, 0, 1},
    {1, 14, 14, 5, 7, 7, 7, 2, 1, 3, 1},
    {1, 12, 9, 20, 20, 3, 3, 1, 1, 1, 20},
    {1, 12, 9, 33, 33, 5, 5, 2, 1, 2, 33},
    {1, 9, 9, 12, 18, 3, 3, 1, 1, 0, 3},
    {1, 13, 13, 4, 6, 3, 3, 1, 2, 2, 2},
    {1, 1, 40, 6, 10, 1, 5, 1, 1, 0, 1},
    {3, 6, 6, 8, 16, 1, 1, 2, 1, 0, 1},
    {1, 8, 8, 10, 20, 3, 3, 1, 1, 1, 10},
    {1, 5, 5, 17, 17, 1, 1, 1, 1, 0, 17},
    {1, 16, 16, 9, 9, 7, 7, 1, 1, 3, 9},
    // The last channels fill half of a tile at most.
    {1, 5, 6, 9, 16, 1, 1, 1, 1, 0, 1},
    {2, 20, 21, 30, 48, 1, 1, 1, 1, 0, 1},
    {1, 7, 2, 8, 5, 1, 1, 1, 1, 0, 1},
    {1, 40, 9, 40, 80, 1, 1, 1, 1, 0, 1}};

Tensor weights_for(const ConvCase& c, plan::DType dtype, uint32_t seed) {
  Tensor w(dtype, {c.out, c.kh, c.kw, c.in / c.groups});
  fill_uniform(w, seed);
  w.constant();
  return w;
}

TEST_CASE("Conv2d float32") {
  for (const ConvCase& c : kConvs) {
    CAPTURE(c.h, c.w, c.in, c.out, c.kh, c.groups);
    for (const int32_t gap : {0, 5}) {  // channel views
      for (const plan::DType dtype : {plan::DType::kFloat32, plan::DType::kFloat16}) {
        Tensor x = floats({c.n, c.h, c.w, c.in}, c.in + gap), bias = floats({c.out});
        Tensor w = weights_for(c, dtype, 2), y = floats(conv_dims(c), c.out + gap);
        fill_uniform(x, 1);
        fill_uniform(bias, 3);
        bias.constant();
        OneOp op = make_op(plan::OpCode::kConv2d, {&x, &w, &bias}, y, conv_attributes(c, -0.5f, 0.75f));
        check_op(op, clamped(conv(c, doubles(x), doubles(w), doubles(bias)), -0.5, 0.75), {1e-5, 1e-5});
      }
    }
  }
}

constexpr ConvCase kSparse[] = {{1, 8, 8, 64, 96, 1, 1, 1, 1, 0, 1},
                                {1, 7, 9, 300, 70, 1, 1, 1, 1, 0, 1},
                                {2, 9, 9, 37, 51, 1, 1, 1, 1, 0, 1},
                                {1, 17, 16, 66, 64, 1, 1, 1, 1, 0, 1},
                                {1, 5, 7, 161, 131, 1, 1, 1, 1, 0, 1}};

TEST_CASE("Conv2d float32 with weights that are mostly zero") {
  for (const ConvCase& c : kSparse) {
    CAPTURE(c.h, c.w, c.in, c.out);
    for (const int32_t gap : {0, 3}) {
      for (const plan::DType dtype : {plan::DType::kFloat32, plan::DType::kFloat16}) {
        Tensor x = floats({c.n, c.h, c.w, c.in}, c.in + gap), bias = floats({c.out});
        Tensor w = weights_for(c, dtype, 2), y = floats(conv_dims(c), c.out + gap);
        std::vector<double> sparse = doubles(w);
        for (size_t i = 0; i < sparse.size(); ++i)
          sparse[i] = i * 2654435761u % 64 == 0 || i == 5 ? sparse[i] : 0;
        for (int32_t k = 0; k < c.in; ++k)
          sparse[static_cast<size_t>(c.in + k)] = 0;  // an output without weights
        Tensor few(dtype, {c.out, 1, 1, c.in});
        set(few, sparse);
        few.constant();
        fill_uniform(x, 1);
        fill_uniform(bias, 3);
        bias.constant();
        OneOp op = make_op(plan::OpCode::kConv2d, {&x, &few, &bias}, y, conv_attributes(c, -0.5f, 0.75f));
        check_op(op, clamped(conv(c, doubles(x), doubles(few), doubles(bias)), -0.5, 0.75), {1e-5, 1e-5});
      }
    }
  }
}

constexpr ConvCase kDepthwise[] = {
    {1, 2, 2, 16, 16, 5, 5, 1, 1, 2, 16},   {1, 7, 7, 24, 24, 5, 5, 1, 1, 2, 24},
    {1, 30, 31, 16, 16, 3, 3, 2, 1, 1, 16}, {2, 9, 19, 50, 50, 5, 5, 1, 1, 2, 50},
    {1, 9, 20, 17, 17, 3, 3, 1, 1, 0, 17},  {1, 40, 40, 7, 7, 3, 3, 1, 1, 1, 7},
    {1, 13, 13, 40, 40, 5, 5, 2, 1, 0, 40}, {1, 1, 1, 4, 4, 3, 3, 2, 1, 1, 4},
    {1, 5, 70, 33, 33, 3, 3, 2, 1, 2, 33}};

TEST_CASE("Conv2d float32 depthwise") {
  for (const ConvCase& c : kDepthwise) {
    CAPTURE(c.h, c.w, c.in, c.kh, c.stride, c.pad);
    for (const int32_t gap : {0, 3}) {
      Tensor x = floats({c.n, c.h, c.w, c.in}, c.in + gap), bias = floats({c.out});
      Tensor w = weights_for(c, plan::DType::kFloat32, 2), y = floats(conv_dims(c), c.out + 2 * gap);
      fill_uniform(x, 1);
      fill_uniform(bias, 3);
      bias.constant();
      OneOp op = make_op(plan::OpCode::kConv2d, {&x, &w, &bias}, y, conv_attributes(c, -1.5f, 1.5f));
      check_op(op, clamped(conv(c, doubles(x), doubles(w), doubles(bias)), -1.5, 1.5), {1e-5, 1e-5});
    }
  }
}

TEST_CASE("Conv2d float32 with weights of run time, without bias or clamp") {
  for (const ConvCase& c : kConvs) {
    Tensor x = floats({c.n, c.h, c.w, c.in}), w = weights_for(c, plan::DType::kFloat32, 5),
           y = floats(conv_dims(c));
    w.is_constant = false;
    fill_uniform(x, 4);
    plan::Conv2dT attributes = conv_attributes(c, 0, 0);
    attributes.clamp.reset();
    OneOp op = make_op(plan::OpCode::kConv2d, {&x, &w, nullptr}, y, attributes);
    const std::vector<double> expected = conv(c, doubles(x), doubles(w), {});
    check_op(op, expected, {1e-5, 1e-5});
    w.constant();
    check_op(op, expected, {1e-5, 1e-5});
  }
}

constexpr ConvCase kFirstLayers[] = {
    {2, 31, 29, 3, 20, 7, 7, 2, 1, 3, 1}, {1, 20, 23, 3, 16, 3, 3, 2, 1, 1, 1},
    {1, 12, 9, 1, 8, 5, 5, 1, 1, 2, 1},   {1, 9, 9, 4, 9, 3, 4, 3, 1, 0, 1},
    {1, 4, 3, 2, 5, 3, 5, 1, 1, 2, 1},    {1, 1, 64, 1, 6, 1, 16, 4, 1, 4, 1},
    {1, 14, 12, 6, 9, 7, 4, 2, 1, 3, 1},  {1, 8, 8, 7, 9, 3, 3, 1, 1, 1, 1},
    {2, 62, 400, 3, 4, 7, 7, 2, 1, 3, 1}};  // in bands of output rows, the last of which overlaps another

// With weights for more than one block of output channels, the last one smaller.
constexpr ConvCase kLarge[] = {{1, 5, 5, 200, 250, 3, 3, 1, 1, 1, 1}, {2, 3, 3, 1000, 415, 1, 1, 1, 1, 0, 1}};

constexpr ConvCase kTransposed[] = {{1, 5, 6, 4, 6, 2, 2, 2, 1, 0, 1}, {2, 4, 4, 8, 5, 3, 3, 2, 1, 1, 1},
                                    {1, 6, 5, 6, 6, 4, 4, 2, 1, 1, 2}, {1, 5, 5, 3, 7, 3, 3, 1, 1, 1, 1},
                                    {1, 5, 4, 4, 4, 3, 3, 1, 2, 0, 4}, {1, 1, 9, 5, 3, 1, 4, 3, 1, 0, 1},
                                    {1, 4, 4, 6, 4, 3, 3, 3, 1, 0, 1}, {1, 3, 3, 24, 20, 2, 2, 2, 1, 0, 1},
                                    {1, 4, 4, 3, 5, 1, 1, 2, 1, 0, 1}};

TEST_CASE("ConvTranspose2d float32") {
  for (const ConvCase& c : kTransposed) {
    CAPTURE(c.h, c.in, c.out, c.kh, c.stride, c.dilation, c.groups);
    for (const int32_t output_pad : {0, c.stride - 1}) {
      for (const bool constant : {true, false}) {
        Tensor x = floats({c.n, c.h, c.w, c.in}, c.in + 3), bias = floats({c.out});
        Tensor w = weights_for(c, plan::DType::kFloat32, 7);
        Tensor y = floats(transposed_dims(c, output_pad), c.out + 2);
        w.is_constant = bias.is_constant = constant;
        fill_uniform(x, 6);
        fill_uniform(bias, 8);
        plan::Conv2dT attributes = conv_attributes(c, -1, 1);
        attributes.output_pad_h = attributes.output_pad_w = output_pad;
        OneOp op = make_op(plan::OpCode::kConvTranspose2d, {&x, &w, &bias}, y, attributes);
        const auto expected = conv_transpose(c, output_pad, doubles(x), doubles(w), doubles(bias));
        check_op(op, clamped(expected, -1, 1), {1e-5, 1e-5});
      }
    }
  }
}

// Of the quantized convolution the accumulators are exact; requantization is XNNPACK's: one float product,
// one rounding to even.
std::vector<double> requantized(const std::vector<double>& sums, const std::vector<float>& scales,
                                float in_scale, float out_scale, int32_t zero_point, int32_t low,
                                int32_t high) {
  std::vector<double> out(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    const float scale = in_scale * scales[i % scales.size()] / out_scale;
    const float scaled = static_cast<float>(static_cast<int32_t>(sums[i])) * scale;
    const double rounded = std::nearbyint(scaled) + zero_point;
    out[i] = rounded < low ? low : rounded > high ? high : rounded;
  }
  return out;
}

std::vector<float> channel_scales(int32_t channels) {
  std::vector<float> scales(static_cast<size_t>(channels));
  for (size_t i = 0; i < scales.size(); ++i) scales[i] = 0.001f + 0.0007f * static_cast<float>(i % 13);
  return scales;
}

std::vector<double> centered(const Tensor& x) {
  std::vector<double> values = doubles(x);
  for (double& value : values) value -= x.info.zero_point;
  return values;
}

template <typename Reference>
void check_int8(plan::OpCode code, const ConvCase& c, const Dims& out, const Reference& reference) {
  for (const int32_t gap : {0, 7}) {
    for (const bool per_channel : {true, false}) {
      const std::vector<float> scales = per_channel ? channel_scales(c.out) : std::vector<float>{0.004f};
      Tensor x = int8_tensor({c.n, c.h, c.w, c.in}, 0.02f, -7, c.in + gap),
             y = int8_tensor(out, 0.05f, 11, c.out + gap);
      Tensor w(plan::DType::kInt8, {c.out, c.kh, c.kw, c.in / c.groups}, scales),
          bias(plan::DType::kInt32, {c.out});
      randomize(x, 1);
      fill_uniform(w, 2, -127, 128);
      fill_uniform(bias, 3, -5000, 5000);
      w.constant();
      bias.constant();
      plan::Conv2dT attributes = conv_attributes(c, 0, 0);
      attributes.clamp = std::make_unique<plan::Clamp>(0.0f, 0.0f, int8_t{-90}, int8_t{120});
      OneOp op = make_op(code, {&x, &w, &bias}, y, attributes);
      const std::vector<double> sums = reference(centered(x), doubles(w), doubles(bias));
      check_op(op, requantized(sums, scales, 0.02f, 0.05f, 11, -90, 120));
    }
  }
}

TEST_CASE("Conv2d int8 is bit-exact") {
  for (const ConvCase& c : kConvs) {
    CAPTURE(c.h, c.w, c.in, c.out, c.kh, c.groups);
    check_int8(plan::OpCode::kConv2d, c, conv_dims(c),
               [&](const auto& x, const auto& w, const auto& bias) { return conv(c, x, w, bias); });
  }
}

TEST_CASE("Conv2d int8 of few channels is bit-exact") {
  for (const ConvCase& c : kFirstLayers) {
    CAPTURE(c.h, c.w, c.in, c.out, c.kh);
    check_int8(plan::OpCode::kConv2d, c, conv_dims(c),
               [&](const auto& x, const auto& w, const auto& bias) { return conv(c, x, w, bias); });
  }
}

TEST_CASE("Conv2d in blocks of output channels") {
  for (const ConvCase& c : kLarge) {
    CAPTURE(c.in, c.out, c.kh);
    REQUIRE(kernels::channels_per_block(c.out, c.in * c.kh * c.kw, 18) < c.out);
    for (const plan::DType dtype : {plan::DType::kFloat32, plan::DType::kFloat16}) {
      Tensor x = floats({c.n, c.h, c.w, c.in}), bias = floats({c.out});
      Tensor w = weights_for(c, dtype, 2), y = floats(conv_dims(c), c.out + 3);
      fill_uniform(x, 1);
      fill_uniform(bias, 3);
      bias.constant();
      OneOp op = make_op(plan::OpCode::kConv2d, {&x, &w, &bias}, y, conv_attributes(c, -4, 5));
      check_op(op, clamped(conv(c, doubles(x), doubles(w), doubles(bias)), -4, 5), {1e-5, 1e-4});
    }
    check_int8(plan::OpCode::kConv2d, c, conv_dims(c),
               [&](const auto& x, const auto& w, const auto& bias) { return conv(c, x, w, bias); });
  }
}

TEST_CASE("Blocks of output channels are even and whole tiles") {
  CHECK(kernels::channels_per_block(64, 576, 3136) == 64);  // fits the cache
  CHECK(kernels::channels_per_block(512, 4608, 9) == 512);  // too few pixels to read weights twice
  CHECK(kernels::channels_per_block(512, 4608, 49) == 32);
  CHECK(kernels::channels_per_block(1000, 512, 169) == 512);
  CHECK(kernels::channels_per_block(100, 1 << 20, 49) == 32);  // a channel alone is larger than a block
}

TEST_CASE("ConvTranspose2d int8 is bit-exact") {
  for (const ConvCase& c : kTransposed) {
    CAPTURE(c.h, c.in, c.out, c.kh, c.stride, c.dilation, c.groups);
    check_int8(
        plan::OpCode::kConvTranspose2d, c, transposed_dims(c, 0),
        [&](const auto& x, const auto& w, const auto& bias) { return conv_transpose(c, 0, x, w, bias); });
  }
}

TEST_CASE("FullyConnected") {
  for (const auto& [m, k, o] : {std::array{1, 64, 10}, {7, 33, 17}, {130, 8, 1000}}) {
    CAPTURE(m, k, o);
    const ConvCase c = {m, 1, 1, k, o, 1, 1, 1, 1, 0, 1};
    Tensor x = floats({m, k}, k + 4), w = floats({o, k}), bias = floats({o}), y = floats({m, o}, o + 3);
    fill_uniform(x, 1);
    fill_uniform(w, 2);
    fill_uniform(bias, 3);
    w.constant();
    bias.constant();
    plan::FullyConnectedT attributes;
    attributes.clamp = std::make_unique<plan::Clamp>(-2.0f, 2.0f, int8_t{-100}, int8_t{127});
    OneOp op = make_op(plan::OpCode::kFullyConnected, {&x, &w, &bias}, y, attributes);
    check_op(op, clamped(conv(c, doubles(x), doubles(w), doubles(bias)), -2, 2), {1e-5, 1e-5});

    const std::vector<float> scales = channel_scales(o);
    Tensor qx = int8_tensor({m, k}, 0.02f, 3), qw(plan::DType::kInt8, {o, k}, scales);
    Tensor qbias(plan::DType::kInt32, {o}), qy = int8_tensor({m, o}, 0.06f, -5);
    randomize(qx, 4);
    fill_uniform(qw, 5, -127, 128);
    fill_uniform(qbias, 6, -900, 900);
    qw.constant();
    qbias.constant();
    OneOp quantized = make_op(plan::OpCode::kFullyConnected, {&qx, &qw, &qbias}, qy, attributes);
    const std::vector<double> sums = conv(c, centered(qx), doubles(qw), doubles(qbias));
    check_op(quantized, requantized(sums, scales, 0.02f, 0.06f, -5, -100, 127));
  }
}

}  // namespace
}  // namespace bantam::test
