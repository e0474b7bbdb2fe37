#include "import/onnx_tensor.h"

#include <fmt/format.h>

#include <bit>
#include <fstream>
#include <limits>

#include "bantam/compiler/error.h"
#include "onnx/onnx.pb.h"

namespace bantam::compiler {
namespace {

using onnx::TensorProto;

[[noreturn]] void fail(const TensorProto& proto, const std::string& text) {
  throw CompileError(fmt::format("tensor '{}': {}", proto.name(), text));
}

float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1fu;
  const uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

size_t stored_size(int onnx_type) {
  switch (onnx_type) {
    case TensorProto::FLOAT:
    case TensorProto::INT32:
    case TensorProto::UINT32:
      return 4;
    case TensorProto::FLOAT16:
    case TensorProto::INT16:
    case TensorProto::UINT16:
      return 2;
    case TensorProto::DOUBLE:
    case TensorProto::INT64:
    case TensorProto::UINT64:
      return 8;
    default:
      return 1;
  }
}

struct ExternalData {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

uint64_t parse_unsigned(const TensorProto& proto, const std::string& text) {
  if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos) {
    fail(proto, "its external data has an offset or length that is no number");
  }
  return std::stoull(text);
}

ExternalData external_data(const TensorProto& proto) {
  ExternalData data;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") data.location = entry.value();
    if (entry.key() == "offset") data.offset = parse_unsigned(proto, entry.value());
    if (entry.key() == "length") data.length = parse_unsigned(proto, entry.value());
  }
  return data;
}

// The bytes lie in a file beside the model. Anything that could leave the model's folder is refused
// (ONNX, "External Data": location is a relative path).
std::string read_external(const TensorProto& proto, const std::filesystem::path& directory, size_t bytes) {
  const ExternalData data = external_data(proto);
  const std::filesystem::path location(data.location);
  bool inside = !data.location.empty() && location.is_relative() && !directory.empty();
  for (const auto& part : location) inside = inside && part != "..";
  if (!inside) fail(proto, fmt::format("its external data '{}' is not inside the model's folder", data.location));
  if (data.length && *data.length != bytes) {
    fail(proto, fmt::format("its external data has {} bytes, its shape needs {}", *data.length, bytes));
  }
  const std::filesystem::path path = directory / location;
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(path, error);
  if (error) fail(proto, fmt::format("its external data '{}' cannot be read", path.string()));
  if (data.offset > size || bytes > size - data.offset) {
    fail(proto, fmt::format("its external data '{}' is too short", path.string()));
  }
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(data.offset));
  std::string content(bytes, '\0');
  if (!file.read(content.data(), static_cast<std::streamsize>(bytes))) {
    fail(proto, fmt::format("its external data '{}' cannot be read", path.string()));
  }
  return content;
}

template <typename Stored, typename Out, typename Convert>
void convert_raw(const std::string& raw, std::span<Out> out, Convert convert) {
  for (size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, raw.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = convert(stored);
  }
}

int32_t saturate_uint32(uint32_t x) {
  return static_cast<int32_t>(std::min<uint32_t>(x, std::numeric_limits<int32_t>::max()));
}
int64_t saturate_uint64(uint64_t x) {
  return static_cast<int64_t>(std::min<uint64_t>(x, std::numeric_limits<int64_t>::max()));
}

void fill_from_raw(int type, const std::string& raw, Tensor& tensor) {
  switch (type) {
    case TensorProto::FLOAT16:
      return convert_raw<uint16_t>(raw, tensor.as<float>(), half_to_float);
    case TensorProto::DOUBLE:
      return convert_raw<double>(raw, tensor.as<float>(), [](double x) { return static_cast<float>(x); });
    case TensorProto::INT16:
      return convert_raw<int16_t>(raw, tensor.as<int32_t>(), [](int16_t x) { return int32_t{x}; });
    case TensorProto::UINT16:
      return convert_raw<uint16_t>(raw, tensor.as<int32_t>(), [](uint16_t x) { return int32_t{x}; });
    case TensorProto::UINT32:
      return convert_raw<uint32_t>(raw, tensor.as<int32_t>(), saturate_uint32);
    case TensorProto::UINT64:
      return convert_raw<uint64_t>(raw, tensor.as<int64_t>(), saturate_uint64);
    case TensorProto::BOOL:
      return convert_raw<uint8_t>(raw, tensor.as<bool>(), [](uint8_t x) { return x != 0; });
    default:
      if (!raw.empty()) std::memcpy(tensor.bytes.data(), raw.data(), raw.size());
  }
}

template <typename Field, typename Out, typename Convert>
void convert_field(const TensorProto& proto, const Field& field, std::span<Out> out, Convert convert) {
  if (static_cast<size_t>(field.size()) != out.size()) {
    fail(proto, fmt::format("it has {} elements, its shape needs {}", field.size(), out.size()));
  }
  for (size_t i = 0; i < out.size(); ++i) out[i] = convert(field[static_cast<int>(i)]);
}

void fill_from_fields(const TensorProto& proto, Tensor& tensor) {
  switch (proto.data_type()) {
    case TensorProto::FLOAT:
      return convert_field(proto, proto.float_data(), tensor.as<float>(), [](float x) { return x; });
    case TensorProto::DOUBLE:
      return convert_field(proto, proto.double_data(), tensor.as<float>(),
                           [](double x) { return static_cast<float>(x); });
    case TensorProto::FLOAT16:
      return convert_field(proto, proto.int32_data(), tensor.as<float>(),
                           [](int32_t x) { return half_to_float(static_cast<uint16_t>(x)); });
    case TensorProto::INT64:
      return convert_field(proto, proto.int64_data(), tensor.as<int64_t>(), [](int64_t x) { return x; });
    case TensorProto::UINT64:
      return convert_field(proto, proto.uint64_data(), tensor.as<int64_t>(), saturate_uint64);
    case TensorProto::UINT32:
      return convert_field(proto, proto.uint64_data(), tensor.as<int32_t>(),
                           [](uint64_t x) { return saturate_uint32(static_cast<uint32_t>(x)); });
    case TensorProto::INT8:
      return convert_field(proto, proto.int32_data(), tensor.as<int8_t>(),
                           [](int32_t x) { return static_cast<int8_t>(x); });
    case TensorProto::UINT8:
      return convert_field(proto, proto.int32_data(), tensor.as<uint8_t>(),
                           [](int32_t x) { return static_cast<uint8_t>(x); });
    case TensorProto::BOOL:
      return convert_field(proto, proto.int32_data(), tensor.as<bool>(), [](int32_t x) { return x != 0; });
    default:
      return convert_field(proto, proto.int32_data(), tensor.as<int32_t>(), [](int32_t x) { return x; });
  }
}

Shape checked_shape(const TensorProto& proto) {
  Shape shape(proto.dims().begin(), proto.dims().end());
  if (shape.size() > 8) fail(proto, fmt::format("it has {} dimensions; bantam goes up to 8", shape.size()));
  int64_t elements = 1;
  for (int64_t dim : shape) {
    if (dim < 0 || dim > std::numeric_limits<int32_t>::max()) fail(proto, "it has a dimension out of range");
    elements *= dim;
    if (elements > std::numeric_limits<int32_t>::max()) fail(proto, "it has more than 2^31 elements");
  }
  return shape;
}

}  // namespace

std::optional<DType> dtype_from_onnx(int onnx_type) {
  switch (onnx_type) {
    case TensorProto::FLOAT:
    case TensorProto::FLOAT16:
    case TensorProto::DOUBLE:
      return DType::kFloat32;
    case TensorProto::INT8:
      return DType::kInt8;
    case TensorProto::UINT8:
      return DType::kUInt8;
    case TensorProto::INT16:
    case TensorProto::UINT16:
    case TensorProto::INT32:
    case TensorProto::UINT32:
      return DType::kInt32;
    case TensorProto::INT64:
    case TensorProto::UINT64:
      return DType::kInt64;
    case TensorProto::BOOL:
      return DType::kBool;
    default:
      return std::nullopt;
  }
}

std::string onnx_type_name(int onnx_type) {
  return TensorProto::DataType_IsValid(onnx_type)
             ? TensorProto::DataType_Name(static_cast<TensorProto::DataType>(onnx_type))
             : fmt::format("number {}", onnx_type);
}

Tensor tensor_from_onnx(const TensorProto& proto, const std::filesystem::path& directory) {
  const std::optional<DType> dtype = dtype_from_onnx(proto.data_type());
  if (!dtype) fail(proto, fmt::format("element type {} is not supported", onnx_type_name(proto.data_type())));
  if (proto.has_segment()) fail(proto, "segmented tensors are not supported");
  const Shape shape = checked_shape(proto);
  const bool external = proto.data_location() == TensorProto::EXTERNAL;
  const size_t bytes = static_cast<size_t>(element_count(shape)) * stored_size(proto.data_type());
  // Checked before anything of that size is allocated.
  if (!external && proto.has_raw_data() && proto.raw_data().size() != bytes) {
    fail(proto, fmt::format("it has {} bytes of data, its shape needs {}", proto.raw_data().size(), bytes));
  }
  if (!external && !proto.has_raw_data() && bytes > proto.ByteSizeLong() * 8) {
    fail(proto, "it has fewer elements than its shape needs");
  }
  const std::string outside = external ? read_external(proto, directory, bytes) : std::string();
  Tensor tensor(TensorType{*dtype, shape});
  if (external || proto.has_raw_data()) {
    fill_from_raw(proto.data_type(), external ? outside : proto.raw_data(), tensor);
  } else {
    fill_from_fields(proto, tensor);
  }
  return tensor;
}

}  // namespace bantam::compiler
