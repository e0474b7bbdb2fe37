#include <algorithm>
#include <cmath>
#include <map>

#include "support.h"

namespace bantam::test {
namespace {

using plan::DType;
using plan::ReduceKind;

struct ReduceCase {
  Dims x, axes;
};

const ReduceCase kCases[] = {{{2, 7, 7, 96}, {1, 2}},
                             {{2, 7, 7, 96}, {3}},
                             {{3, 50}, {0}},
                             {{3, 500}, {1}},
                             {{3, 4, 5}, {}},
                             {{3, 4, 5}, {0, 2}},
                             {{2, 3, 4, 5}, {1, -1}},
                             {{1, 20, 20, 1100}, {1, 2}},
                             {{5}, {0}},
                             {{2, 3, 2, 3, 2}, {0, 2, 4}}};

Dims reduced(const ReduceCase& c, bool keep_dims, std::vector<bool>* is_reduced) {
  is_reduced->assign(c.x.size(), false);
  for (const int32_t axis : c.axes) {
    (*is_reduced)[static_cast<size_t>(axis < 0 ? axis + static_cast<int32_t>(c.x.size()) : axis)] = true;
  }
  Dims dims;
  for (size_t i = 0; i < c.x.size(); ++i) {
    if (!(*is_reduced)[i])
      dims.push_back(c.x[i]);
    else if (keep_dims)
      dims.push_back(1);
  }
  return dims;
}

// The elements that each output element is made of, in the order of the outputs.
std::vector<std::vector<double>> groups(const ReduceCase& c, const Tensor& x) {
  std::vector<bool> is_reduced;
  reduced(c, true, &is_reduced);
  std::map<Index, std::vector<double>> by_index;
  const std::vector<double> values = doubles(x);
  for_each_index(c.x, [&](const Index& i, size_t at) {
    Index key = i;
    for (size_t axis = 0; axis < key.size(); ++axis) key[axis] = is_reduced[axis] ? 0 : key[axis];
    by_index[key].push_back(values[at]);
  });
  std::vector<std::vector<double>> out;
  for (auto& [key, group] : by_index) out.push_back(std::move(group));
  return out;
}

double reduce(ReduceKind kind, const std::vector<double>& values, bool integer) {
  double sum = 0, absolute = 0, squares = 0, product = 1;
  for (const double value : values) {
    sum += value;
    absolute += std::abs(value);
    squares += value * value;
    product *= value;
  }
  switch (kind) {
    case ReduceKind::kSum:
      return sum;
    case ReduceKind::kMean:
      return integer ? std::trunc(sum / static_cast<double>(values.size()))
                     : sum / static_cast<double>(values.size());
    case ReduceKind::kMax:
      return *std::max_element(values.begin(), values.end());
    case ReduceKind::kMin:
      return *std::min_element(values.begin(), values.end());
    case ReduceKind::kL1:
      return absolute;
    case ReduceKind::kL2:
      return integer ? std::trunc(std::sqrt(squares)) : std::sqrt(squares);
    case ReduceKind::kSumSquare:
      return squares;
    default:
      return product;
  }
}

void check_reduce(const ReduceCase& c, ReduceKind kind, DType dtype, bool keep_dims, int32_t gap) {
  CAPTURE(plan::EnumNameReduceKind(kind), plan::EnumNameDType(dtype), c.x, c.axes, keep_dims, gap);
  std::vector<bool> is_reduced;
  Tensor x(dtype, c.x, {}, 0, c.x.size() > 1 ? c.x.back() + gap : 0),
      y(dtype, reduced(c, keep_dims, &is_reduced));
  const bool product = kind == ReduceKind::kProd;
  fill_uniform(x, 1, product ? 0.98 : -2, product ? 1.03 : 3);
  plan::ReduceT attributes;
  attributes.kind = kind;
  attributes.axes = c.axes;
  attributes.keep_dims = keep_dims;
  OneOp op = make_op(plan::OpCode::kReduce, {&x}, y, attributes);
  std::vector<double> expected;
  for (const auto& group : groups(c, x)) expected.push_back(reduce(kind, group, dtype != DType::kFloat32));
  check_op(op, expected, {2e-5, 1e-5});
}

TEST_CASE("Reduce") {
  for (const ReduceCase& c : kCases) {
    for (const ReduceKind kind : plan::EnumValuesReduceKind()) {
      check_reduce(c, kind, DType::kFloat32, true, 0);
      check_reduce(c, kind, DType::kFloat32, false, 3);
      check_reduce(c, kind, DType::kInt64, true, 0);
      check_reduce(c, kind, DType::kInt32, false, 0);
    }
  }
}

TEST_CASE("ArgMax and ArgMin") {
  for (const auto& [dims, axis] :
       {std::pair<Dims, int32_t>{{4, 10}, 1}, {{4, 10}, 0}, {{2, 3, 20, 5}, -2}, {{7}, 0}}) {
    for (const bool minimum : {false, true}) {
      for (const bool last : {false, true}) {
        for (const DType dtype : {DType::kFloat32, DType::kInt8, DType::kInt64, DType::kUInt8}) {
          const ReduceCase c = {dims, {axis}};
          std::vector<bool> is_reduced;
          Tensor x(dtype, dims), y(DType::kInt64, reduced(c, last, &is_reduced));
          fill_uniform(x, 1, 0, 5);
          if (dtype == DType::kFloat32) {  // ties
            std::vector<double> values = doubles(x);
            for (double& value : values) value = std::floor(value);
            set(x, values);
          }
          plan::ArgMaxT attributes;
          attributes.axis = axis;
          attributes.keep_dims = last;
          attributes.minimum = minimum;
          attributes.select_last = last;
          OneOp op = make_op(plan::OpCode::kArgMax, {&x}, y, attributes);
          std::vector<double> expected;
          for (const auto& group : groups(c, x)) {
            size_t best = 0;
            for (size_t i = 1; i < group.size(); ++i) {
              const bool better = minimum ? group[i] < group[best] : group[i] > group[best];
              if (better || (last && group[i] == group[best])) best = i;
            }
            expected.push_back(static_cast<double>(best));
          }
          check_op(op, expected);
        }
      }
    }
  }
}

TEST_CASE("Softmax") {
  for (const auto& [dims, gap] :
       {std::pair<Dims, int32_t>{{3, 1000}, 0}, {{2, 3, 7}, 2}, {{5}, 0}, {{4, 1}, 0}}) {
    for (const bool log : {false, true}) {
      CAPTURE(dims, log);
      const int32_t stride = gap == 0 ? 0 : dims.back() + gap;
      Tensor x = floats(dims, stride), y = floats(dims, stride);
      fill_uniform(x, 1, -50, 50);
      plan::SoftmaxT attributes;
      attributes.log = log;
      OneOp op = make_op(plan::OpCode::kSoftmax, {&x}, y, attributes);
      std::vector<double> expected = doubles(x);
      const auto n = static_cast<size_t>(dims.back());
      for (size_t row = 0; row < expected.size(); row += n) {
        const double max = *std::max_element(&expected[row], &expected[row] + n);
        double sum = 0;
        for (size_t i = 0; i < n; ++i) sum += std::exp(expected[row + i] - max);
        for (size_t i = 0; i < n; ++i) {
          double& value = expected[row + i];
          value = log ? value - max - std::log(sum) : std::exp(value - max) / sum;
        }
      }
      check_op(op, expected, {1e-5, log ? 1e-5 : 1e-12});
    }
  }
}

TEST_CASE("LayerNorm") {
  for (const auto& [dims, axes] :
       {std::pair<Dims, int32_t>{{5, 768}, 1}, {{2, 3, 7}, 1}, {{2, 3, 7}, 2}, {{4, 3}, 1}}) {
    for (const int operands : {1, 2, 3}) {
      CAPTURE(dims, axes, operands);
      const Dims inner(dims.end() - axes, dims.end());
      const auto n = static_cast<size_t>(count(inner));
      Tensor x = floats(dims), scale = floats(inner), bias = floats(inner), y = floats(dims);
      fill_uniform(x, 1, 3, 5);
      fill_uniform(scale, 2);
      fill_uniform(bias, 3);
      plan::LayerNormT attributes;
      attributes.axes = axes;
      attributes.epsilon = 1e-3f;
      std::vector<Tensor*> inputs = {&x, operands > 1 ? &scale : nullptr, operands > 2 ? &bias : nullptr};
      OneOp op = make_op(plan::OpCode::kLayerNorm, inputs, y, attributes);
      std::vector<double> expected = doubles(x);
      const auto scales = doubles(scale), biases = doubles(bias);
      for (size_t row = 0; row < expected.size(); row += n) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < n; ++i) mean += expected[row + i] / static_cast<double>(n);
        for (size_t i = 0; i < n; ++i)
          variance += std::pow(expected[row + i] - mean, 2) / static_cast<double>(n);
        for (size_t i = 0; i < n; ++i) {
          double& value = expected[row + i];
          value = (value - mean) / std::sqrt(variance + static_cast<double>(1e-3f));
          if (operands > 1) value *= scales[i];
          if (operands > 2) value += biases[i];
        }
      }
      check_op(op, expected, {1e-5, 2e-5});
    }
  }
}

TEST_CASE("InstanceNorm") {
  for (const Dims& dims : {Dims{2, 5, 6, 70}, Dims{3, 9, 4}, Dims{1, 16, 16, 3}}) {
    const int32_t channels = dims.back();
    Tensor x = floats(dims, channels + 2), scale = floats({channels}), bias = floats({channels});
    Tensor y = floats(dims, channels + 5);
    fill_uniform(x, 1, 3, 5);
    fill_uniform(scale, 2);
    fill_uniform(bias, 3);
    OneOp op = make_op(plan::OpCode::kInstanceNorm, {&x, &scale, &bias}, y, plan::InstanceNormT());
    std::vector<double> expected = doubles(x);
    const auto scales = doubles(scale), biases = doubles(bias);
    const auto c = static_cast<size_t>(channels), sample = expected.size() / static_cast<size_t>(dims[0]);
    for (size_t begin = 0; begin < expected.size(); begin += sample) {
      for (size_t k = 0; k < c; ++k) {
        double mean = 0, variance = 0;
        const double pixels = static_cast<double>(sample / c);
        for (size_t i = k; i < sample; i += c) mean += expected[begin + i] / pixels;
        for (size_t i = k; i < sample; i += c) variance += std::pow(expected[begin + i] - mean, 2) / pixels;
        for (size_t i = k; i < sample; i += c) {
          double& value = expected[begin + i];
          value = (value - mean) / std::sqrt(variance + static_cast<double>(1e-5f)) * scales[k] + biases[k];
        }
      }
    }
    check_op(op, expected, {1e-5, 2e-5});
  }
}

}  // namespace
}  // namespace bantam::test
