// The compiler's graph: nodes in execution order over values. Ops and their attributes are those of the plan
// schema, so that an op has one name and one set of attributes from import to device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "plan_generated.h"

namespace bantam::compiler {

using plan::DType;
using plan::OpCode;
using Shape = std::vector<int64_t>;

int64_t element_count(const Shape& shape);
size_t element_size(DType dtype);
const char* dtype_name(DType dtype);

struct TensorType {
  DType dtype = DType::kFloat32;
  Shape shape;
  bool operator==(const TensorType&) const = default;
};
std::string to_string(const Shape& shape);       // "1x3x224x224"; "scalar" for rank 0
std::string to_string(const TensorType& type);   // "float32[1x3x224x224]"

template <typename T>
constexpr DType dtype_of();
template <> constexpr DType dtype_of<float>() { return DType::kFloat32; }
template <> constexpr DType dtype_of<int8_t>() { return DType::kInt8; }
template <> constexpr DType dtype_of<uint8_t>() { return DType::kUInt8; }
template <> constexpr DType dtype_of<int32_t>() { return DType::kInt32; }
template <> constexpr DType dtype_of<int64_t>() { return DType::kInt64; }
template <> constexpr DType dtype_of<bool>() { return DType::kBool; }

// The elements of a float constant that the ONNX file holds as integers: whole multiples of a step.
struct Steps {
  std::vector<float> sizes;  // one, or one per index of `axis`
  int axis = 0;
};

// Constant data: dense, row-major.
struct Tensor {
  TensorType type;
  std::vector<std::byte> bytes;
  std::shared_ptr<const Steps> steps;   // null: not known to be multiples of anything

  Tensor() = default;
  explicit Tensor(TensorType t);   // zero-filled
  template <typename T>
  static Tensor of(Shape shape, std::span<const T> values) {
    Tensor tensor(TensorType{dtype_of<T>(), std::move(shape)});
    if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), values.size_bytes());
    return tensor;
  }
  template <typename T>
  static Tensor scalar(T value) { return of<T>({}, std::span<const T>(&value, 1)); }

  int64_t elements() const { return element_count(type.shape); }
  // The elements; T must be the dtype's type (InternalError otherwise).
  template <typename T>
  std::span<const T> as() const {
    check_dtype(dtype_of<T>());
    return {reinterpret_cast<const T*>(bytes.data()), static_cast<size_t>(elements())};
  }
  template <typename T>
  std::span<T> as() {
    check_dtype(dtype_of<T>());
    return {reinterpret_cast<T*>(bytes.data()), static_cast<size_t>(elements())};
  }
  std::vector<int64_t> to_int64() const;   // of int32, int64 or bool data
  std::vector<float> to_float() const;     // of float32 data

 private:
  void check_dtype(DType expected) const;
};

// real = scale * (q - zero_point); one scale, or one per output channel (axis 0) of constant weights.
struct Quantization {
  std::vector<float> scales;
  int32_t zero_point = 0;
  bool is_uint8 = false;   // in the ONNX file, where all is 128 higher
  bool operator==(const Quantization& other) const {
    return scales == other.scales && zero_point == other.zero_point;
  }
};

// What an ONNX tensor of integers becomes that is computed at run time: the real numbers
// scale * (q - zero_point), a float value that says here how the model stores it.
struct Stored {
  DType dtype = DType::kUInt8;   // or kInt8
  float scale = 1;
  int32_t zero_point = 0;        // in the range of dtype
  bool operator==(const Stored&) const = default;
};

using ValueId = int32_t;
inline constexpr ValueId kNoValue = -1;   // an optional input left out

// A value whose memory is part of another one's.
struct View {
  ValueId base = kNoValue;   // may be a view itself
  int64_t offset = 0;        // in elements of this value's dtype, from the start of the base
  int64_t pixel_stride = 0;  // elements from one innermost row to the next; 0: dense
};

struct Value {
  std::string name;
  TensorType type;
  std::shared_ptr<const Tensor> constant;   // null: computed at run time
  std::optional<Quantization> quantization;
  std::optional<Stored> stored;             // while importing
  std::optional<View> view;                 // set by the share_memory pass
  bool half = false;                        // may be float16 at run time; set by the mark_halves pass
};

using Attributes = std::variant<std::monostate, plan::Conv2dT, plan::FullyConnectedT, plan::MatMulT, plan::Pool2dT,
                                plan::ReduceT, plan::ArgMaxT, plan::UnaryT, plan::BinaryT, plan::SoftmaxT,
                                plan::LayerNormT, plan::InstanceNormT, plan::ConcatT, plan::SliceT, plan::PadT,
                                plan::TransposeT, plan::GatherT, plan::ResizeT, plan::NarrowFullyConnectedT>;

struct Node {
  OpCode code = OpCode::kNone;
  std::string name;                 // of the ONNX node it came from
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Attributes attributes;
  bool half = false;                // may be computed in float16; set by the mark_halves pass

  template <typename T>
  T& attrs() { return std::get<T>(attributes); }
  template <typename T>
  const T& attrs() const { return std::get<T>(attributes); }
};

// How spatial ops (Conv2d, ConvTranspose2d, pools, Resize, InstanceNorm) read their 4-d tensors and weights:
// ONNX's NCHW/OIHW until the channels_last pass, the plan's NHWC/OHWI from there on.
enum class Layout { kNchw, kNhwc };

struct Graph {
  std::string name;
  std::vector<Node> nodes;          // in execution order
  std::vector<Value> values;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Layout layout = Layout::kNchw;
  plan::PreprocessingT preprocessing;   // meaningful when has_preprocessing
  bool has_preprocessing = false;
  std::vector<plan::NoteT> notes;
  std::vector<plan::NoteT> fusions;     // what became part of which node; for explanations, not in the plan

  Value& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  const Shape& shape(ValueId id) const { return value(id).type.shape; }
  DType dtype(ValueId id) const { return value(id).type.dtype; }
  bool is_constant(ValueId id) const { return id != kNoValue && value(id).constant != nullptr; }
  const Tensor& constant(ValueId id) const { return *value(id).constant; }

  ValueId add_value(std::string name, TensorType type);
  ValueId add_constant(std::string name, Tensor tensor);
  // Makes every reader of `from`, graph outputs included, read `to`.
  void replace_uses(ValueId from, ValueId to);
  bool is_output(ValueId id) const;
  void note(const std::string& node, std::string text);
  void note_fusion(const std::string& node, std::string text);   // the same text of a node counts once
};

// Data of a constant with its axes permuted: result axis i is axis perm[i] of `tensor`.
Tensor permuted(const Tensor& tensor, const std::vector<int>& perm);
// The same elements under another shape of as many.
Tensor reshaped(Tensor tensor, const Shape& shape);

// Who makes and who reads each value; valid until the graph's nodes change.
struct Uses {
  explicit Uses(const Graph& graph);
  std::vector<int> producer;                // node index by value, -1: input or constant
  std::vector<std::vector<int>> readers;    // node indices by value (twice when read twice)

  // The only reader of `id`, or -1 when there is not exactly one or `id` is also a graph output.
  int sole_reader(const Graph& graph, ValueId id) const;
};

// Throws InternalError unless the graph is sound: ids in range, every value made once and before it is read,
// types as the ops infer them. `after` names the pass that ran last.
void check_graph(const Graph& graph, const std::string& after);

// One line per node, for people.
std::string print_graph(const Graph& graph);

}  // namespace bantam::compiler
