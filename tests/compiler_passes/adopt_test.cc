// Which pairs of Quantize and Dequantize become int8 ops, and what is said of the others.
#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include "bantam/compiler/error.h"

#include "graph_builder.h"
#include "quantize/adopt_weights.h"

namespace bantam::tests {
namespace {

constexpr float kX = 0.5f, kW = 0.25f;

struct Model : GraphBuilder {
  ValueId grid(ValueId x, Quantization q) {
    const ValueId t = add(OpCode::kQuantize, {x});
    graph.value(t).quantization = std::move(q);
    return add(OpCode::kDequantize, {t});
  }
  // Multiples of kW, one scale each channel; 1x1.
  ValueId weights(int64_t out, int64_t in) {
    const ValueId id = constant({out, 1, 1, in}, kW);
    Tensor tensor = graph.constant(id);
    tensor.steps = std::make_shared<Steps>(Steps{std::vector<float>(static_cast<size_t>(out), kW), 0});
    graph.value(id).constant = std::make_shared<const Tensor>(std::move(tensor));
    return id;
  }
  ValueId quantized_conv(ValueId x, int64_t out) {
    return add(OpCode::kConv2d, {x, weights(out, graph.shape(x)[3])}, plan::Conv2dT());
  }
  void adopt() { run(adopt_quantization); }
  std::string notes() const {
    std::string all;
    for (const plan::NoteT& note : graph.notes) all += note.node + ": " + note.text + "\n";
    return all;
  }
};

const Quantization kIn{{kX}, -128};
const Quantization kOut{{2.0f}, 5};

TEST_CASE("a convolution between scales becomes int8 in them") {
  Model m;
  const ValueId x = m.grid(m.input({1, 4, 4, 2}), kIn);
  m.output(m.grid(m.clamp(m.quantized_conv(x, 3), 0, 6), kOut));
  m.run(fuse_clamps);
  m.adopt();
  CHECK(m.graph.nodes.size() == 3);
  CHECK(m.graph.notes.empty());
  const Node& conv = m.only(OpCode::kConv2d);
  CHECK(m.graph.value(conv.inputs[0]).quantization == kIn);
  CHECK(m.graph.value(conv.outputs[0]).quantization == kOut);
  CHECK(m.graph.value(conv.inputs[1]).quantization == Quantization{{kW, kW, kW}, 0});
  const std::span<const int8_t> w = m.graph.constant(conv.inputs[1]).as<int8_t>();
  CHECK(std::vector<int>(w.begin(), w.end()) == std::vector<int>{1, 2, 3, 4, 5, 6});
  CHECK(conv.attrs<plan::Conv2dT>().clamp->q_min() == 5);
  CHECK(conv.attrs<plan::Conv2dT>().clamp->q_max() == 8);
}

TEST_CASE("ops that move data take the int8 tensor along, without scales of their own") {
  Model m;
  const ValueId x = m.grid(m.input({1, 4, 4, 2}), kIn);
  const ValueId flat = m.reshape(m.grid(m.transpose(x, {0, 3, 1, 2}), kIn), {1, 32});
  m.output(m.grid(flat, kOut));
  m.adopt();
  CHECK(m.count(OpCode::kQuantize) == 1);
  CHECK(m.count(OpCode::kRequantize) == 1);
  CHECK(m.count(OpCode::kDequantize) == 1);
  CHECK(m.graph.dtype(m.only(OpCode::kTranspose).outputs[0]) == DType::kInt8);
}

TEST_CASE("sums, concatenations, functions and softmax") {
  Model m;
  const ValueId x = m.grid(m.input({1, 4, 4, 2}), kIn);
  const ValueId sum = m.grid(m.binary(plan::BinaryKind::kAdd, x, m.grid(m.quantized_conv(x, 2), kOut)), kOut);
  plan::ConcatT concat;
  concat.axis = 3;
  const ValueId both = m.grid(m.add(OpCode::kConcat, {sum, x}, concat), kOut);
  plan::SoftmaxT softmax;
  softmax.axis = 3;
  m.output(m.grid(m.add(OpCode::kSoftmax, {both}, softmax), {{1 / 256.0f}, -128}));
  m.adopt();
  CHECK(m.graph.notes.empty());
  CHECK(m.graph.dtype(m.only(OpCode::kBinary).outputs[0]) == DType::kInt8);
  CHECK(m.count(OpCode::kRequantize) == 1);  // x, for the concatenation
  const Node& last = m.only(OpCode::kSoftmax);
  REQUIRE(last.inputs.size() == 2);
  const std::span<const int32_t> table = m.graph.constant(last.inputs[1]).as<int32_t>();
  CHECK(table[0] == 1 << 23);
  CHECK(table[1] == 1135275);  // exp(-2) * 2^23
}

TEST_CASE("what cannot be absorbed stays float, and says why") {
  const auto note = [](auto&& make) {
    Model m;
    make(m, m.grid(m.input({1, 4, 4, 2}), kIn));
    m.adopt();
    return m.notes();
  };
  const auto has = [](const std::string& text, const char* part) {
    INFO(text);
    CHECK(text.find("stays float32 beside quantized tensors: ") != std::string::npos);
    CHECK(text.find(part) != std::string::npos);
  };
  has(note([](Model& m, ValueId x) { m.output(m.quantized_conv(x, 2)); }), "its result is not quantized");
  has(note([](Model& m, ValueId x) { m.output(m.grid(m.conv(x, 2), kOut)); }),
      "its weights are not quantized");
  has(note([](Model& m, ValueId x) {
        const ValueId y = m.quantized_conv(x, 2);
        m.output(m.grid(y, kOut));
        m.output(m.clamp(y, 0, 1));
      }),
      "its result is also read unquantized");
  has(note([](Model& m, ValueId x) {
        const ValueId y = m.quantized_conv(x, 2);
        m.output(m.grid(y, kOut));
        m.output(m.grid(y, kIn));
      }),
      "its result is quantized in two ways");
  has(note([](Model& m, ValueId x) {
        m.output(m.grid(m.binary(plan::BinaryKind::kAdd, x, m.input({1, 4, 4, 2})), kOut));
      }),
      "its input 'input' is not quantized");
  has(note([](Model& m, ValueId x) {
        m.output(m.grid(m.binary(plan::BinaryKind::kAdd, x, m.constant({2})), kOut));
      }),
      "its constant operand 'constant' is not quantized");
  has(note([](Model& m, ValueId x) { m.output(m.grid(m.binary(plan::BinaryKind::kPow, x, x), kOut)); }),
      "it has no int8 kernel");
}

TEST_CASE("calibration of a quantized model is refused, float32 leaves it as it is") {
  for (const Precision precision : {Precision::kInt8, Precision::kFp32}) {
    Model m;
    m.output(m.grid(m.quantized_conv(m.grid(m.input({1, 4, 4, 2}), kIn), 2), kOut));
    CompileOptions options;
    options.precision = precision;
    const Evaluator evaluate;
    const PlanRunnerFactory runner;
    std::vector<std::string> warnings;
    PassContext context{options, evaluate, runner, warnings, {}};
    if (precision == Precision::kInt8) {
      CHECK_THROWS_AS(adopt_quantization(m.graph, context), CompileError);
    } else {
      adopt_quantization(m.graph, context);
      CHECK(m.graph.nodes.size() == 5);
    }
  }
}

Tensor multiples(std::vector<float> q, float step) {
  for (float& x : q) x *= step;
  Tensor tensor = Tensor::of<float>({1, static_cast<int64_t>(q.size())}, q);
  tensor.steps = std::make_shared<Steps>(Steps{{step}, 0});
  return tensor;
}

TEST_CASE("weights are adopted exactly or refused") {
  std::string reason;
  const auto adopt = [&](const Tensor& w, float bias = 0, float in = kX, float out = 1) {
    const Tensor b = Tensor::of<float>({1}, std::vector<float>{bias});
    reason.clear();
    return adopt_weights(w, &b, in, out, reason);
  };
  const auto one = adopt(multiples({-128, 127, 3}, 0.1f), 1.0f);
  REQUIRE(one);
  CHECK(one->form.weights.as<int8_t>()[0] == -128);
  CHECK(one->form.bias.as<int32_t>()[0] == 20);
  CHECK(one->clipped == 0);
  const auto two = adopt(multiples({-128, -128, 3}, 0.1f));
  REQUIRE(two);
  CHECK(two->clipped == 2);
  CHECK(two->form.weights.as<int8_t>()[1] == -127);

  CHECK_FALSE(adopt(multiples({200, 1}, 0.1f)));
  CHECK(reason.find("255 steps") != std::string::npos);
  CHECK_FALSE(adopt(multiples({1.5f, 1}, 0.1f)));
  CHECK(reason.find("not multiples") != std::string::npos);
  CHECK_FALSE(adopt(multiples({1, 1}, 1e10f)));
  CHECK(reason.find("too far apart") != std::string::npos);
  CHECK_FALSE(adopt(multiples({1, 1}, 0.1f), 1e12f));
  CHECK(reason.find("bias") != std::string::npos);

  // A dead channel whose scale no kernel takes still carries its bias.
  const auto dead = adopt(multiples({0, 0}, 1e-14f), 3.0f);
  REQUIRE(dead);
  CHECK(std::fabs(static_cast<double>(dead->form.bias.as<int32_t>()[0]) * kX * dead->form.scales[0] - 3) <
        1e-3);
}

}  // namespace
}  // namespace bantam::tests
