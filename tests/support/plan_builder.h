// Makes small plans for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "plan_format.h"
#include "plan_generated.h"

namespace bantam::test {

// Bytes aligned as a plan in memory has to be for use in place.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(size_t size) : lines_(size / kTensorAlignment + 1), size_(size) {}
  AlignedBytes(const void* data, size_t size) : AlignedBytes(size) {
    if (size != 0) std::memcpy(lines_.data(), data, size);
  }

  std::byte* data() { return reinterpret_cast<std::byte*>(lines_.data()); }
  const std::byte* data() const { return reinterpret_cast<const std::byte*>(lines_.data()); }
  size_t size() const { return size_; }

 private:
  struct alignas(kTensorAlignment) Line {
    std::byte bytes[kTensorAlignment] = {};
  };
  std::vector<Line> lines_;
  size_t size_ = 0;
};

class PlanBuilder {
 public:
  using Shape = std::vector<int32_t>;

  plan::PlanT plan;  // tests change it as they like

  // Tensors in the arena, one behind the other. Each gives the tensor's index.
  int32_t tensor(const std::string& name, plan::DType dtype, const Shape& shape);
  int32_t input(const std::string& name, plan::DType dtype, const Shape& shape);
  // A tensor in the memory of `base`, `offset` bytes from its start.
  int32_t view(const std::string& name, plan::DType dtype, const Shape& shape, int32_t base,
               uint64_t offset = 0, int32_t pixel_stride = 0);
  template <typename T>
  int32_t constant(const std::string& name, plan::DType dtype, const Shape& shape,
                   const std::vector<T>& values) {
    return add_constant(name, dtype, shape, values.data(), values.size() * sizeof(T));
  }
  // Stored without its zeros.
  template <typename T>
  int32_t without_zeros(const std::string& name, plan::DType dtype, const Shape& shape,
                        const std::vector<T>& values) {
    return add_without_zeros(name, dtype, shape, std::as_bytes(std::span(values)), sizeof(T));
  }
  std::vector<std::byte>& weights() { return weights_; }
  void quantize(int32_t tensor, std::vector<float> scales, int32_t zero_point = 0);
  void output(int32_t tensor) { plan.outputs.push_back(tensor); }

  plan::OpT& op(plan::OpCode code, std::vector<int32_t> inputs, int32_t output, const std::string& name = "");
  template <typename Attributes>
  requires(!std::is_convertible_v<Attributes, std::string>) plan::OpT& op(plan::OpCode code,
                                                                          std::vector<int32_t> inputs,
                                                                          int32_t output,
                                                                          Attributes attributes,
                                                                          const std::string& name = "") {
    plan::OpT& added = op(code, std::move(inputs), output, name);
    added.attributes.Set(std::move(attributes));
    return added;
  }

  plan::TensorT& operator[](int32_t tensor) { return *plan.tensors[static_cast<size_t>(tensor)]; }
  AlignedBytes file() const;

 private:
  int32_t add(const std::string& name, plan::DType dtype, const Shape& shape);
  int32_t add_constant(const std::string& name, plan::DType dtype, const Shape& shape, const void* data,
                       size_t bytes);
  int32_t add_without_zeros(const std::string& name, plan::DType dtype, const Shape& shape,
                            std::span<const std::byte> values, size_t element);

  std::vector<std::byte> weights_;
};

// A plan file of this metadata and these weights, with a right header and checksum.
AlignedBytes plan_file(const void* metadata, size_t metadata_bytes, const std::vector<std::byte>& weights);
// Makes the checksum right again after the bytes behind the header have been changed.
void seal(AlignedBytes* file);

}  // namespace bantam::test
