// NumPy's .npy files, format versions 1 to 3 (numpy.lib.format), C order, little-endian.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/tensor.h"
#include "io/atomic_file.h"
#include "io/input_file.h"

namespace bantam::tools {

// Only the header is read at opening; data when it is asked for. Reads are thread-safe.
// float64 is given as float32; float32, int64, int32, int8, uint8 and bool as they are; others are refused.
class NpyFile {
 public:
  explicit NpyFile(const std::string& path);

  const std::string& path() const { return file_.path(); }
  plan::DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  // `count` elements from element `first`, under the given shape of as many elements.
  Tensor read(int64_t first, std::vector<int64_t> shape) const;
  Tensor read_all() const { return read(0, shape_); }
  // Element `index` of axis 0, without that axis.
  Tensor read_item(int64_t index) const;

 private:
  InputFile file_;
  plan::DType dtype_ = plan::DType::kFloat32;
  size_t stored_size_ = 4;  // bytes of an element in the file
  std::vector<int64_t> shape_;
  uint64_t data_offset_ = 0;
};

// Writes an .npy piece by piece; the file appears at commit().
class NpyWriter {
 public:
  NpyWriter(const std::string& path, plan::DType dtype, std::span<const int64_t> shape);
  void append(std::span<const std::byte> bytes);
  void commit();

 private:
  AtomicFile file_;
  uint64_t missing_bytes_;
};

bool is_npy(const std::string& path);  // by the name's ending

}  // namespace bantam::tools
