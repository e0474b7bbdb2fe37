// Graphs as ONNX files again.
#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <fstream>

#include "engine/plan_runner.h"
#include "export/free_batch.h"
#include "export/onnx_writer.h"
#include "import/onnx_loader.h"
#include "net.h"
#include "temporary_directory.h"

namespace bantam::tests {
namespace {

using tools::TemporaryDirectory;

std::string write(const TemporaryDirectory& dir, const Graph& graph) {
  const std::string path = dir.file("written.onnx");
  std::ofstream(path, std::ios::binary) << write_onnx(graph);
  return path;
}

// Read again and compiled as any model.
std::vector<float> run_file(const std::string& path, const compiler::SampleSource& samples) {
  const compiler::CompileResult compiled = compiler::compile(path, {}, tools::plan_runner_factory());
  const auto runner = tools::plan_runner_factory()(compiled.plan);
  std::vector<float> outputs;
  for (int i = 0; i < samples.count; ++i) {
    const compiler::TensorData output = runner->run(samples.load(i), {}).at(0);
    const auto* data = reinterpret_cast<const float*>(output.bytes.data());
    outputs.insert(outputs.end(), data, data + output.bytes.size() / sizeof(float));
  }
  return outputs;
}

void check_written(const Graph& graph) {
  const TemporaryDirectory dir;
  const std::string path = write(dir, graph);
  const compiler::SampleSource samples = samples_for(graph, 2);
  CHECK(largest_difference(run(graph, samples), run_file(path, samples)) < 1e-5);
}

TEST_CASE("a written network computes what the graph does") {
  for (const NamedNet& named : nets()) {
    INFO(named.name);
    Net net;
    named.build(net);
    check_written(net.graph);
  }
}

ValueId unary(Net& net, ValueId x, plan::UnaryKind kind, float alpha = 0, float beta = 0) {
  plan::UnaryT attributes;
  attributes.kind = kind;
  attributes.alpha = alpha;
  attributes.beta = beta;
  return net.add(OpCode::kUnary, {x}, attributes);
}

TEST_CASE("functions of one element are written") {
  using plan::UnaryKind;
  for (int kind = 0; kind <= static_cast<int>(UnaryKind::kSoftsign); ++kind) {
    const auto k = static_cast<UnaryKind>(kind);
    if (k == UnaryKind::kNot || k == UnaryKind::kIsNaN) continue;  // of and to booleans
    INFO(plan::EnumNameUnaryKind(k));
    Net net;
    ValueId x = net.conv(net.input({1, 3, 3, 2}), 4);
    x = unary(net, unary(net, x, UnaryKind::kAbs), UnaryKind::kClamp, 0.1f, 3.0f);
    net.output(net.conv(unary(net, x, k, 0.3f, 1.5f), 2));
    check_written(net.graph);
  }
}

TEST_CASE("constants of any rank meet feature maps") {
  for (const Shape& shape : {Shape{}, Shape{4}, Shape{3, 4}, Shape{1, 3, 4}, Shape{1, 3, 1, 4}, Shape{1}}) {
    for (const auto kind :
         {plan::BinaryKind::kMul, plan::BinaryKind::kSub, plan::BinaryKind::kMax, plan::BinaryKind::kPRelu}) {
      INFO(to_string(shape) << " " << plan::EnumNameBinaryKind(kind));
      Net net;
      net.output(net.conv(net.binary(kind, net.conv(net.input({1, 3, 3, 2}), 4), net.random(shape)), 2));
      check_written(net.graph);
    }
  }
}

TEST_CASE("pools, resizing, padding and reductions are written") {
  Net net;
  ValueId x = net.conv(net.input({1, 9, 8, 2}), 4, 3);
  plan::Pool2dT pool;
  pool.kernel_h = pool.kernel_w = 3;
  pool.stride_h = pool.stride_w = 2;
  pool.pad_top = pool.pad_left = 1;
  x = net.add(OpCode::kMaxPool2d, {x}, pool);
  pool.count_include_pad = true;
  pool.stride_h = pool.stride_w = 1;
  x = net.add(OpCode::kAveragePool2d, {x}, pool);
  plan::ResizeT resize;
  resize.mode = plan::ResizeMode::kLinear;
  resize.scale_h = resize.scale_w = 2;
  const Shape& small = net.graph.shape(x);
  x = net.add(OpCode::kResize, {x}, resize, TensorType{DType::kFloat32, {1, small[1] * 2, small[2] * 2, 4}});
  x = net.pad_channels(x, 1, 2);
  plan::SoftmaxT softmax;
  softmax.axis = 3;
  x = net.add(OpCode::kSoftmax, {x}, softmax);
  for (const std::vector<int32_t>& axes : {std::vector<int32_t>{3}, {1}, {1, 2}, {2, 3}}) {
    for (const bool keep : {false, true}) {
      for (const auto kind : {plan::ReduceKind::kSum, plan::ReduceKind::kMean}) {
        INFO(axes.size() << keep << static_cast<int>(kind));
        Net copy;
        copy.graph = net.graph;
        plan::ReduceT reduce;
        reduce.kind = kind;
        reduce.axes = axes;
        reduce.keep_dims = keep;
        copy.output(copy.add(OpCode::kReduce, {x}, reduce));
        check_written(copy.graph);
      }
    }
  }
}

TEST_CASE("transposed convolutions, strides and normalization are written") {
  Net net;
  plan::Conv2dT conv;
  conv.groups = 2;
  conv.stride_h = conv.stride_w = 2;
  conv.pad_top = conv.pad_right = 1;
  conv.output_pad_h = 1;
  ValueId x = net.add(OpCode::kConvTranspose2d,
                      {net.input({1, 4, 4, 6}), net.random({8, 3, 3, 3}), net.random({8})}, std::move(conv));
  x = net.add(OpCode::kInstanceNorm, {x, net.random({8}), net.random({8})}, plan::InstanceNormT());
  plan::SliceT slice;
  const Shape& shape = net.graph.shape(x);
  slice.starts = {0, static_cast<int32_t>(shape[1]) - 1, 1, 0};
  slice.steps = {1, -1, 2, 1};
  const TensorType part{DType::kFloat32, {1, shape[1], 3, 8}};
  net.output(net.add(OpCode::kSlice, {x}, slice, part));
  check_written(net.graph);
}

bool onnx_checker_says_yes(const std::string& path) {
  const bool plain = std::system("python3 -c 'import onnx' 2>/dev/null") == 0;
  const std::string check =
      " -c 'import onnx, sys; m = onnx.load(sys.argv[1]); onnx.checker.check_model(m, full_check=True)' ";
  return std::system(((plain ? "python3" : "/usr/bin/python3") + check + path).c_str()) == 0;
}

bool has_onnx_checker() {
  return std::system("python3 -c 'import onnx' 2>/dev/null") == 0 ||
         std::system("/usr/bin/python3 -c 'import onnx' 2>/dev/null") == 0;
}

TEST_CASE("a batch that was open stays open, where samples do not meet") {
  for (const NamedNet& named : nets()) {
    INFO(named.name);
    Net net;
    named.build(net);
    CHECK(keeps_samples_apart(net.graph));
    const TemporaryDirectory dir;
    const std::string path = dir.file("open.onnx");
    std::ofstream(path, std::ios::binary) << write_onnx(net.graph, true);
    CHECK(has_free_batch(path));
    const compiler::SampleSource samples = samples_for(net.graph, 2);
    CHECK(largest_difference(run(net.graph, samples), run_file(path, samples)) < 1e-5);
  }
  Net mixing;
  const ValueId x = mixing.dense(mixing.input({1, 4}), 6);
  mixing.output(mixing.dense(mixing.reshape(x, {2, 3}), 2));
  CHECK(!keeps_samples_apart(mixing.graph));
  const TemporaryDirectory dir;
  CHECK(!has_free_batch(write(dir, mixing.graph)));
}

TEST_CASE("ONNX's own checker has no complaints") {
  if (!has_onnx_checker()) SKIP("python3-onnx is not installed");
  for (const NamedNet& named : nets()) {
    INFO(named.name);
    Net net;
    named.build(net);
    const TemporaryDirectory dir;
    CHECK(onnx_checker_says_yes(write(dir, net.graph)));
  }
}

TEST_CASE("what ONNX has no operator for is refused by name") {
  Net net;
  plan::PadT pad;
  pad.mode = plan::PadMode::kWrap;
  pad.before = pad.after = {0, 1, 1, 0};
  net.output(net.add(OpCode::kPad, {net.input({1, 4, 4, 2})}, pad));
  CHECK_THROWS_AS(write_onnx(net.graph), compiler::CompileError);
}

}  // namespace
}  // namespace bantam::tests
