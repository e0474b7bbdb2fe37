// Small ONNX models as rows of a table.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "onnx/onnx.pb.h"

namespace bantam::tests {

using ints = std::vector<int64_t>;
using floats = std::vector<float>;

struct Fill {
  float value;  // as a tensor of one element
};

struct Attr {
  Attr(std::string n, int v) : name(std::move(n)), value(int64_t{v}) {}
  Attr(std::string n, double v) : name(std::move(n)), value(static_cast<float>(v)) {}
  Attr(std::string n, const char* v) : name(std::move(n)), value(std::string(v)) {}
  Attr(std::string n, ints v) : name(std::move(n)), value(std::move(v)) {}
  Attr(std::string n, floats v) : name(std::move(n)), value(std::move(v)) {}
  Attr(std::string n, Fill v) : name(std::move(n)), value(v) {}

  std::string name;
  std::variant<int64_t, float, std::string, ints, floats, Fill> value;
};

// An input of the model with uniformly random elements, whole ones where it is no float.
struct Input {
  std::string name;
  ints shape;
  double low = -1, high = 1;
  onnx::TensorProto::DataType type = onnx::TensorProto::FLOAT;
};
inline Input bytes_input(std::string name, ints shape) {
  return {std::move(name), std::move(shape), 0, 256, onnx::TensorProto::UINT8};
}
inline Input int8_input(std::string name, ints shape) {
  return {std::move(name), std::move(shape), -128, 128, onnx::TensorProto::INT8};
}

// A constant: of given integers (a list), of given floats, or of random floats like an input's.
struct Constant {
  Constant(std::string n, ints v)
      : name(std::move(n)), shape({static_cast<int64_t>(v.size())}), integers(std::move(v)) {}
  Constant(std::string n, ints s, ints v) : name(std::move(n)), shape(std::move(s)), integers(std::move(v)) {}
  Constant(std::string n, ints s, floats v) : name(std::move(n)), shape(std::move(s)), reals(std::move(v)) {}
  Constant(std::string n, ints s, double l, double h)
      : name(std::move(n)), shape(std::move(s)), low(l), high(h) {}

  std::string name;
  ints shape;
  ints integers;
  floats reals;
  double low = 0, high = 0;  // random when they differ
  onnx::TensorProto::DataType integer_type = onnx::TensorProto::INT64;
};
// Random in -1 to 1.
inline Constant weights(std::string name, ints shape) { return {std::move(name), std::move(shape), -1, 1}; }
inline Constant integers(std::string name, ints shape, ints values, onnx::TensorProto::DataType type) {
  Constant constant(std::move(name), std::move(shape), std::move(values));
  constant.integer_type = type;
  return constant;
}
inline Constant number(std::string name, float value) { return {std::move(name), ints{}, floats{value}}; }

struct NodeRow {
  std::string type;                 // DOMAIN:TYPE, where it is no operator of ONNX
  std::vector<std::string> inputs;  // "": left out
  std::vector<Attr> attributes = {};
  std::vector<std::string> outputs = {"y"};
};

struct OpCase {
  std::string name;
  int opset = 17;
  std::vector<Input> inputs;
  std::vector<Constant> constants;
  std::vector<NodeRow> nodes;  // the outputs of the last one are the model's
  double int8_db = 30;         // least signal to noise of the int8 plan; 0: its values are not looked at
  double step = 0;             // of the output of a quantized model, which brings its int8 form along
};
using OpCases = std::vector<OpCase>;

onnx::ModelProto build_model(const OpCase& it);

// Compiles the case at every stage from which a plan can be written, and in every precision, and compares
// what the plans compute with the reference loops.
void check_case(const OpCase& it);

}  // namespace bantam::tests
