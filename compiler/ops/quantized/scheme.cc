#include "ops/quantized/scheme.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bantam::compiler {
namespace {

// What the kernels take: reciprocals and products of such scales are normal numbers.
constexpr float kLeastScale = 0x1p-60f;
constexpr float kMostScale = 0x1p60f;

std::vector<int32_t> integers(const NodeImporter& n, const Tensor& tensor, const std::string& what) {
  const auto widen = [](const auto& values) { return std::vector<int32_t>(values.begin(), values.end()); };
  switch (tensor.type.dtype) {
    case DType::kUInt8:
      return widen(tensor.as<uint8_t>());
    case DType::kInt8:
      return widen(tensor.as<int8_t>());
    case DType::kInt32:
      return widen(tensor.as<int32_t>());
    default:
      n.fail(fmt::format("{} is {}; supported: uint8, int8, int32", what, to_string(tensor.type)));
  }
}

void check_scales(const NodeImporter& n, const std::vector<float>& scales, const std::string& name) {
  for (const float scale : scales) {
    if (!(scale > 0) || !std::isfinite(scale)) {
      n.fail(fmt::format("{} is {}; a scale must be a positive number", name, scale));
    }
    if (scale < kLeastScale || scale > kMostScale) {
      n.fail(fmt::format("{} is {}, beyond what int8 kernels take (1e-18 to 1e18)", name, scale));
    }
  }
}

// One scale, or one per index of the axis.
void check_count(const NodeImporter& n, const Shape& scale, const std::string& name, const Shape& shape,
                 int axis) {
  const int64_t count = element_count(scale);
  if (count == 1) return;
  if (axis < 0) n.fail(fmt::format("{} is [{}]; it must be one number", name, to_string(scale)));
  const int64_t length = shape[static_cast<size_t>(axis)];
  if (count != length) {
    n.fail(fmt::format("{} is [{}]; it must be one number, or {} for axis {} of [{}]", name, to_string(scale),
                       length, axis, to_string(shape)));
  }
}

DType integer_type(const NodeImporter& n, ValueId id) {
  const auto& stored = n.stored_of(id);
  return stored ? stored->dtype : n.type_of(id).dtype;
}

bool is_known(const NodeImporter& n, ValueId id) { return id == kNoValue || n.is_constant(id); }

}  // namespace

DType stored_dtype(const NodeImporter& n, ValueId id, const std::string& what) {
  const DType dtype = integer_type(n, id);
  if (dtype == DType::kUInt8 || dtype == DType::kInt8 || dtype == DType::kInt32) return dtype;
  n.fail(fmt::format("{} is {}; it must hold integers (uint8, int8, int32)", what, to_string(n.type_of(id))));
}

DType zero_point_dtype(const NodeImporter& n, int i) {
  if (!n.has_input(i)) return DType::kUInt8;
  const DType dtype = integer_type(n, n.input(i));
  if (dtype == DType::kUInt8 || dtype == DType::kInt8) return dtype;
  n.fail(fmt::format("its zero point is {}; supported: uint8, int8", dtype_name(dtype)));
}

Scheme read_scheme(const NodeImporter& n, const std::string& what, int scale, int zero_point, DType dtype,
                   const Shape& shape, int axis) {
  const std::string scale_name = what + "_scale", zero_name = what + "_zero_point";
  if (!n.has_input(scale)) n.fail(fmt::format("{} is missing", scale_name));
  Scheme scheme;
  scheme.dtype = dtype;
  scheme.scale = n.input(scale);
  const TensorType type = n.type_of(scheme.scale);
  if (type.dtype != DType::kFloat32) {
    n.fail(fmt::format("{} is {}; it must be float32", scale_name, to_string(type)));
  }
  check_count(n, type.shape, scale_name, shape, axis);
  const int64_t count = element_count(type.shape);
  scheme.axis = count == 1 ? -1 : axis;
  if (n.has_input(zero_point)) {
    scheme.zero_point = n.input(zero_point);
    if (integer_type(n, scheme.zero_point) != dtype) {
      n.fail(fmt::format("{} is {}, the integers are {}: both must be the same", zero_name,
                         dtype_name(integer_type(n, scheme.zero_point)), dtype_name(dtype)));
    }
    const int64_t zeros = element_count(n.shape_of(scheme.zero_point));
    if (zeros != 1 && zeros != count) {
      n.fail(fmt::format("{} has {} elements, {} has {}", zero_name, zeros, scale_name, count));
    }
  }
  if (!is_known(n, scheme.scale) || !is_known(n, scheme.zero_point)) return scheme;
  scheme.scales = n.constant_of(scheme.scale).to_float();
  check_scales(n, scheme.scales, scale_name);
  if (scheme.zero_point != kNoValue) {
    scheme.zero_points = integers(n, n.constant_of(scheme.zero_point), zero_name);
  }
  scheme.zero_points.resize(scheme.scales.size(),
                            scheme.zero_points.empty() ? 0 : scheme.zero_points.front());
  return scheme;
}

namespace {

// Which scale the elements of a tensor have.
class ChannelOf {
 public:
  ChannelOf(const Shape& shape, int axis) {
    if (axis < 0) return;
    const auto at = static_cast<size_t>(axis);
    count_ = static_cast<size_t>(shape[at]);
    for (size_t i = at + 1; i < shape.size(); ++i) inner_ *= static_cast<size_t>(shape[i]);
  }
  size_t operator()(size_t element) const { return element / inner_ % count_; }

 private:
  size_t inner_ = 1, count_ = 1;
};

Tensor dequantized_constant(const NodeImporter& n, const Tensor& tensor, const Scheme& scheme) {
  const std::vector<int32_t> source = integers(n, tensor, "x");
  Tensor result(TensorType{DType::kFloat32, tensor.type.shape});
  const std::span<float> target = result.as<float>();
  const ChannelOf channel(tensor.type.shape, scheme.axis);
  for (size_t i = 0; i < source.size(); ++i) {
    const size_t c = channel(i);
    target[i] = static_cast<float>(int64_t{source[i]} - scheme.zero_points[c]) * scheme.scales[c];
  }
  result.steps = std::make_shared<Steps>(Steps{scheme.scales, std::max(scheme.axis, 0)});
  return result;
}

struct Limits {
  float least, most;
};
Limits limits(DType dtype) { return dtype == DType::kUInt8 ? Limits{0, 255} : Limits{-128, 127}; }

Tensor quantized_constant(const Tensor& tensor, const Scheme& scheme) {
  const std::span<const float> source = tensor.as<float>();
  Tensor result(TensorType{scheme.dtype, tensor.type.shape});
  const ChannelOf channel(tensor.type.shape, scheme.axis);
  const Limits limit = limits(scheme.dtype);
  for (size_t i = 0; i < source.size(); ++i) {
    const size_t c = channel(i);
    const float steps = std::isnan(source[i]) ? 0.0f : std::nearbyint(source[i] / scheme.scales[c]);
    const float q = std::clamp(steps + static_cast<float>(scheme.zero_points[c]), limit.least, limit.most);
    result.bytes[i] = static_cast<std::byte>(static_cast<int32_t>(q));
  }
  return result;
}

Quantization int8_form(DType dtype, float scale, int32_t zero_point) {
  const bool is_uint8 = dtype == DType::kUInt8;
  return {{scale}, zero_point - (is_uint8 ? 128 : 0), is_uint8};
}

// A uint8 or int8 input of the model as int8 tensor of that quantization.
ValueId input_as_int8(NodeImporter& n, ValueId id, const Quantization& quantization) {
  const Shape shape = n.shape_of(id);
  if (n.type_of(id).dtype == DType::kInt8) {
    const ValueId copy = n.emit(OpCode::kCopy, {id});
    n.set_quantization(copy, quantization);
    return copy;
  }
  Tensor table(TensorType{DType::kInt8, {1, 256}});
  for (int i = 0; i < 256; ++i) table.as<int8_t>()[static_cast<size_t>(i)] = static_cast<int8_t>(i - 128);
  const int64_t row = shape.empty() ? 1 : shape.back();
  const ValueId rows = n.reshape(id, {1, element_count(shape) / row, row, 1});
  const ValueId moved = n.emit(OpCode::kNormalizeImage, {rows, n.constant_value(std::move(table))});
  n.set_quantization(moved, quantization);
  const ValueId result = n.reshape(moved, shape);
  n.set_quantization(result, quantization);
  return result;
}

// A scale or zero point so that it broadcasts along the axis.
ValueId along_axis(NodeImporter& n, ValueId vector, int axis, int rank) {
  if (axis < 0) return n.reshape(vector, {});
  Shape shape(static_cast<size_t>(rank), 1);
  shape[static_cast<size_t>(axis)] = element_count(n.shape_of(vector));
  return n.reshape(vector, shape);
}

ValueId scale_of(NodeImporter& n, const Scheme& scheme, int rank) {
  return along_axis(n, scheme.scale, scheme.axis, rank);
}

ValueId zero_point_of(NodeImporter& n, const Scheme& scheme, int rank) {
  const ValueId number = as_numbers(n, scheme.zero_point);
  return along_axis(n, number, element_count(n.shape_of(number)) == 1 ? -1 : scheme.axis, rank);
}

}  // namespace

ValueId as_numbers(NodeImporter& n, ValueId id) {
  if (n.is_constant(id)) {
    const Tensor& tensor = n.constant_of(id);
    if (tensor.type.dtype == DType::kFloat32) return id;
    Tensor numbers(TensorType{DType::kFloat32, tensor.type.shape});
    const std::vector<int32_t> source = integers(n, tensor, n.name_of(id));
    std::copy(source.begin(), source.end(), numbers.as<float>().begin());
    return n.constant_value(std::move(numbers));
  }
  const std::optional<Stored> stored = n.stored_of(id);
  if (!stored) return n.cast(id, DType::kFloat32);
  if (stored->scale == 1 && stored->zero_point == 0) return id;
  const ValueId steps = n.binary(plan::BinaryKind::kDiv, id, n.float_scalar(stored->scale));
  return n.binary(plan::BinaryKind::kAdd, n.unary(plan::UnaryKind::kRound, steps),
                  n.float_scalar(static_cast<float>(stored->zero_point)));
}

ValueId dequantized(NodeImporter& n, ValueId id, const Scheme& scheme) {
  if (n.is_constant(id) && scheme.constant()) {
    return n.constant_value(dequantized_constant(n, n.constant_of(id), scheme));
  }
  if (scheme.one_for_all() && !n.is_constant(id)) {
    const Stored stated{scheme.dtype, scheme.scales[0], scheme.zero_points[0]};
    if (n.stored_of(id) == stated) return id;
    const DType dtype = n.type_of(id).dtype;
    const bool bytes = dtype == DType::kInt8 || dtype == DType::kUInt8;
    if (!n.stored_of(id) && bytes && element_count(n.shape_of(id)) > 0) {
      const Quantization q = int8_form(dtype, stated.scale, stated.zero_point);
      return n.emit(OpCode::kDequantize, {input_as_int8(n, id, q)});
    }
  }
  const int rank = n.rank_of(id);
  ValueId steps = as_numbers(n, id);
  if (scheme.zero_point != kNoValue) {
    steps = n.binary(plan::BinaryKind::kSub, steps, zero_point_of(n, scheme, rank));
  }
  return n.binary(plan::BinaryKind::kMul, steps, scale_of(n, scheme, rank));
}

ValueId quantized(NodeImporter& n, ValueId x, const Stored& stored) {
  const ValueId q = n.emit(OpCode::kQuantize, {x});
  n.set_quantization(q, int8_form(stored.dtype, stored.scale, stored.zero_point));
  const ValueId result = n.emit(OpCode::kDequantize, {q});
  n.set_stored(result, stored);
  return result;
}

ValueId quantized(NodeImporter& n, ValueId x, const Scheme& scheme) {
  if (n.is_constant(x) && scheme.constant()) {
    return n.constant_value(quantized_constant(n.constant_of(x), scheme));
  }
  if (scheme.one_for_all() && !n.is_constant(x)) {
    return quantized(n, x, Stored{scheme.dtype, scheme.scales[0], scheme.zero_points[0]});
  }
  const int rank = n.rank_of(x);
  ValueId q =
      n.unary(plan::UnaryKind::kRound, n.binary(plan::BinaryKind::kDiv, x, scale_of(n, scheme, rank)));
  if (scheme.zero_point != kNoValue) {
    q = n.binary(plan::BinaryKind::kAdd, q, zero_point_of(n, scheme, rank));
  }
  const Limits limit = limits(scheme.dtype);
  q = n.unary(plan::UnaryKind::kClamp, q, limit.least, limit.most);
  if (n.is_constant(q)) return n.cast(q, scheme.dtype);
  n.set_stored(q, {scheme.dtype, 1, 0});
  return q;
}

ValueId dequantized_input(NodeImporter& n, int first, const std::string& what, int axis) {
  const ValueId id = n.input(first);
  const DType dtype = stored_dtype(n, id, what);
  return dequantized(n, id, read_scheme(n, what, first + 1, first + 2, dtype, n.shape_of(id), axis));
}

void quantized_output(NodeImporter& n, ValueId x, int scale) {
  const DType dtype = zero_point_dtype(n, scale + 1);
  n.output(quantized(n, x, read_scheme(n, "y", scale, scale + 1, dtype, n.shape_of(x), -1)));
}

}  // namespace bantam::compiler
