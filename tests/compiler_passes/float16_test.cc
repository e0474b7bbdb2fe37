// fp16 plans: what is stored as float16, what may be computed so, and what has to stay float32.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstring>

#include "graph_builder.h"

namespace bantam::tests {
namespace {

CompileOptions fp16_options() {
  CompileOptions options;
  options.precision = Precision::kFp16;
  return options;
}

// x [1,2,2,4] -Conv(w, b)-> c -Clamp-> r -Conv-> y
struct Network : GraphBuilder {
  ValueId x, w, b, c, r, y;

  Network(float weight, float bias) {
    x = input({1, 2, 2, 4});
    w = filled({4, 1, 1, 4}, weight);
    b = filled({4}, bias);
    c = add(OpCode::kConv2d, {x, w, b}, plan::Conv2dT());
    r = clamp(c, 0, 6);
    y = conv(r, 3);
    output(y);
  }

  ValueId filled(Shape shape, float value) {
    Tensor tensor(TensorType{DType::kFloat32, std::move(shape)});
    float sign = value;
    for (float& element : tensor.as<float>()) element = sign = -sign;
    return graph.add_constant("constant", std::move(tensor));
  }
  DType stored(size_t node, size_t i) const { return graph.dtype(graph.nodes[node].inputs[i]); }
  bool noted(const std::string& text) const {
    return std::any_of(graph.notes.begin(), graph.notes.end(),
                       [&](const plan::NoteT& note) { return note.text.find(text) != std::string::npos; });
  }
  void compile(const CompileOptions& options = fp16_options(), const PlanRunnerFactory& runner = {}) {
    run(narrow_weights, options);
    run(mark_halves, options, runner);
  }
};

TEST_CASE("weights and biases of an fp16 plan are float16, and the values between them may be") {
  Network n(0.3f, 2);
  n.compile();
  CHECK(n.stored(0, 1) == DType::kFloat16);
  CHECK(n.stored(0, 2) == DType::kFloat16);
  CHECK(n.stored(2, 1) == DType::kFloat16);
  CHECK(n.graph.nodes[0].half);
  CHECK(!n.graph.nodes[1].half);  // no matrix product
  CHECK(n.graph.nodes[2].half);
  CHECK(n.graph.value(n.c).half);
  CHECK(n.graph.value(n.r).half);
  CHECK(!n.graph.value(n.x).half);
  CHECK(!n.graph.value(n.y).half);
  CHECK(n.graph.notes.empty());
}

TEST_CASE("no other plan has anything of float16") {
  for (const Precision precision : {Precision::kFp32, Precision::kInt8}) {
    Network n(0.3f, 2);
    CompileOptions options;
    options.precision = precision;
    n.compile(options);
    CHECK(n.stored(0, 1) == DType::kFloat32);
    for (const Value& value : n.graph.values) CHECK(!value.half);
    for (const Node& node : n.graph.nodes) CHECK(!node.half);
  }
}

TEST_CASE("weights beyond float16 stay float32, and so does what is computed with them") {
  Network n(70000, 2);
  n.compile();
  CHECK(n.stored(0, 1) == DType::kFloat32);
  CHECK(n.graph.constant(n.graph.nodes[0].inputs[1]).as<float>()[1] == 70000);
  CHECK(!n.graph.nodes[0].half);
  CHECK(!n.graph.value(n.c).half);
  CHECK(n.graph.nodes[2].half);  // it reads what has been clamped
  CHECK(n.noted("its weights stay float32: up to 7e+04 is more than float16 holds"));
}

TEST_CASE("weights in the subnormal numbers of float16 stay float32") {
  Network n(3e-7f, 2);
  n.compile();
  CHECK(n.stored(0, 1) == DType::kFloat32);
  CHECK(n.noted("its weights stay float32: no more than 3e-07, they are too small for float16"));
  CHECK(!n.graph.nodes[0].half);
  CHECK(n.graph.nodes[2].half);
  Network just(2e-4f, 2);
  just.compile();
  CHECK(just.stored(0, 1) == DType::kFloat16);
}

TEST_CASE("a bias near the end of float16 keeps the result in float32") {
  Network n(0.3f, 30000);
  n.compile();
  CHECK(n.stored(0, 1) == DType::kFloat16);  // stored so all the same
  CHECK(!n.graph.nodes[0].half);
  CHECK(!n.graph.value(n.c).half);
  CHECK(n.noted("computes in float32: up to 3e+04 is too close to what float16 holds"));
}

TEST_CASE("tensors that share memory with an output are as it is") {
  GraphBuilder b;
  const ValueId x = b.input({1, 1, 1, 4});
  const ValueId c = b.conv(x, 4);
  const ValueId flat = b.reshape(c, {4});
  b.output(flat);
  b.run(narrow_weights, fp16_options());
  b.run(share_memory, fp16_options());
  b.run(mark_halves, fp16_options());
  CHECK(b.graph.nodes[0].half);
  CHECK(!b.graph.value(c).half);
  CHECK(!b.graph.value(flat).half);
}

// Says that every value is as large as the sample's only element.
class Echo final : public PlanRunner {
 public:
  Echo(std::vector<size_t> elements) : elements_(std::move(elements)) {}
  std::vector<TensorData> run(std::span<const TensorData> inputs, const OpObserver& observer) override {
    float value;
    std::memcpy(&value, inputs[0].bytes.data(), sizeof(value));
    for (size_t op = 0; op < elements_.size(); ++op) {
      const std::vector<float> data(elements_[op], value);
      observer(static_cast<int>(op), data.data(), data.size() * sizeof(float));
    }
    return {};
  }
  GoldenHashes golden() override { return {}; }

 private:
  std::vector<size_t> elements_;
};

TEST_CASE("calibration finds values that do not fit") {
  for (const float seen : {100.0f, 40000.0f}) {
    CAPTURE(seen);
    Network n(0.3f, 2);
    CompileOptions options = fp16_options();
    options.threads = 1;
    options.calibration =
        SampleSource{1,
                     [&](int) {
                       TensorData data{DType::kFloat32, {1, 2, 2, 4}, std::vector<std::byte>(64)};
                       for (size_t i = 0; i < 16; ++i)
                         std::memcpy(data.bytes.data() + 4 * i, &seen, sizeof(seen));
                       return std::vector{data};
                     },
                     "a test"};
    n.compile(options, [](std::span<const std::byte>) {
      return std::make_unique<Echo>(std::vector<size_t>{16, 16, 12});
    });
    CHECK(n.stored(0, 1) == DType::kFloat16);
    CHECK(n.graph.nodes[0].half == (seen == 100));
    CHECK(n.graph.value(n.c).half == (seen == 100));
  }
}

}  // namespace
}  // namespace bantam::tests
