#include <algorithm>
#include <cmath>
#include <map>

#include "reference/node.h"

namespace bantam::tests {
namespace {

constexpr double kInfinity = HUGE_VAL;

using Unary = double (*)(double x, double alpha, double beta);
struct UnaryLoop {
  Unary function;
  double alpha = 0, beta = 0;  // defaults of the attributes
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }
double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}
double hard_sigmoid(double x, double alpha, double beta) { return std::clamp(alpha * x + beta, 0.0, 1.0); }

const std::map<std::string, UnaryLoop> kUnary = {
    {"Relu", {[](double x, double, double) { return std::max(x, 0.0); }}},
    {"LeakyRelu", {[](double x, double a, double) { return x < 0 ? a * x : x; }, 0.01f}},
    {"Elu", {[](double x, double a, double) { return x < 0 ? a * std::expm1(x) : x; }, 1}},
    {"Sigmoid", {[](double x, double, double) { return sigmoid(x); }}},
    {"HardSigmoid", {hard_sigmoid, 0.2f, 0.5}},
    {"HardSwish", {[](double x, double, double) { return x * hard_sigmoid(x, 1.0 / 6, 0.5); }}},
    {"Tanh", {[](double x, double, double) { return std::tanh(x); }}},
    {"Softplus", {[](double x, double, double) { return std::log1p(std::exp(x)); }}},
    {"Erf", {[](double x, double, double) { return std::erf(x); }}},
    {"Exp", {[](double x, double, double) { return std::exp(x); }}},
    {"Log", {[](double x, double, double) { return std::log(x); }}},
    {"Sqrt", {[](double x, double, double) { return std::sqrt(x); }}},
    {"Reciprocal", {[](double x, double, double) { return 1 / x; }}},
    {"Neg", {[](double x, double, double) { return -x; }}},
    {"Abs", {[](double x, double, double) { return std::fabs(x); }}},
    {"Floor", {[](double x, double, double) { return std::floor(x); }}},
    {"Ceil", {[](double x, double, double) { return std::ceil(x); }}},
    {"Round", {[](double x, double, double) { return std::nearbyint(x); }}},
    {"Identity", {[](double x, double, double) { return x; }}},
    {"Dropout", {[](double x, double, double) { return x; }}},
};

using Binary = double (*)(double a, double b);
struct BinaryLoop {
  Binary function;
  bool compares = false;
};

const std::map<std::string, BinaryLoop> kBinary = {
    {"Add", {[](double a, double b) { return a + b; }}},
    {"Sub", {[](double a, double b) { return a - b; }}},
    {"Mul", {[](double a, double b) { return a * b; }}},
    {"Div", {[](double a, double b) { return a / b; }}},
    {"Pow", {[](double a, double b) { return std::pow(a, b); }}},
    {"PRelu", {[](double a, double b) { return a < 0 ? a * b : a; }}},
    {"Min", {[](double a, double b) { return std::min(a, b); }}},
    {"Max", {[](double a, double b) { return std::max(a, b); }}},
    {"Sum", {[](double a, double b) { return a + b; }}},
    {"Mean", {[](double a, double b) { return a + b; }}},
    {"Equal", {[](double a, double b) { return double(a == b); }, true}},
    {"Less", {[](double a, double b) { return double(a < b); }, true}},
    {"LessOrEqual", {[](double a, double b) { return double(a <= b); }, true}},
    {"Greater", {[](double a, double b) { return double(a > b); }, true}},
    {"GreaterOrEqual", {[](double a, double b) { return double(a >= b); }, true}},
};

Array map(const Array& x, const std::function<double(double)>& function) {
  Array y = x;
  for (double& value : y.values) value = function(value);
  return y;
}

Array selu(const Node& node) {
  const double alpha = node.f("alpha", 1.67326319217681884765625),
               gamma = node.f("gamma", 1.05070102214813232421875);
  return map(node.in(0), [=](double x) { return gamma * (x > 0 ? x : alpha * std::expm1(x)); });
}

Array clip(const Node& node) {
  const double low = node.has_in(1) ? node.in(1).values[0] : node.f("min", -kInfinity);
  const double high = node.has_in(2) ? node.in(2).values[0] : node.f("max", kInfinity);
  return map(node.in(0), [=](double x) { return std::min(std::max(x, low), high); });
}

// `to`: TensorProto::DataType.
Array cast(const Node& node) {
  const auto to = node.i("to", 0);
  if (to == onnx::TensorProto::FLOAT || to == onnx::TensorProto::FLOAT16) {
    Array y = node.in(0);
    y.kind = Kind::kFloat;
    return y;
  }
  const bool truth = to == onnx::TensorProto::BOOL;
  Array y = map(node.in(0), [=](double x) { return truth ? double(x != 0) : std::trunc(x); });
  y.kind = truth ? Kind::kBool : Kind::kInt;
  return y;
}

Array where(const Node& node) {
  const Array &condition = node.in(0), &a = node.in(1), &b = node.in(2);
  return make(broadcast(condition.shape, broadcast(a.shape, b.shape)),
              [&](const Index& at) { return at_broadcast(at_broadcast(condition, at) != 0 ? a : b, at); });
}

// Any number of inputs, from the first to the last.
Array fold(const Node& node, const BinaryLoop& loop) {
  Array result = node.in(0);
  for (size_t k = 1; k < node.inputs.size(); ++k) {
    const Array& next = node.in(k);
    result = make(
        broadcast(result.shape, next.shape),
        [&](const Index& at) { return loop.function(at_broadcast(result, at), at_broadcast(next, at)); },
        loop.compares ? Kind::kBool : result.kind);
  }
  return result;
}

}  // namespace

Outputs run_elementwise(const Node& node) {
  const std::string& type = node.proto.op_type();
  if (type == "Selu") return {selu(node)};
  if (type == "Clip") return {clip(node)};
  if (type == "Cast") return {cast(node)};
  if (type == "Where") return {where(node)};
  if (type == "Gelu") return {map(node.in(0), node.s("approximate", "none") == "tanh" ? gelu_tanh : gelu)};
  if (const auto unary = kUnary.find(type); unary != kUnary.end()) {
    const double alpha = node.f("alpha", unary->second.alpha), beta = node.f("beta", unary->second.beta);
    return {map(node.in(0), [&](double x) { return unary->second.function(x, alpha, beta); })};
  }
  const auto binary = kBinary.find(type);
  if (binary == kBinary.end()) return {};
  Array result = fold(node, binary->second);
  if (type != "Mean") return {result};
  return {map(result, [&](double x) { return x / static_cast<double>(node.inputs.size()); })};
}

}  // namespace bantam::tests
