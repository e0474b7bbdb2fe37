#include <cstring>

#include "kernel_list.h"
#include "kernel_support.h"
#include "layout.h"

namespace bantam::kernels {

namespace {

using plan::DType;

// Reads indices of either type, negative ones counted from the end; -1 when out of range.
struct Indices {
  const void* data = nullptr;
  bool wide = true;
  int64_t limit = 0;

  int64_t at(int64_t i) const {
    int64_t index = wide ? static_cast<const int64_t*>(data)[i] : static_cast<const int32_t*>(data)[i];
    if (index < 0) index += limit;
    return index >= 0 && index < limit ? index : -1;
  }
};

Status out_of_range() { return Status(StatusCode::kInvalidArgument, "Gather", "an index is out of range"); }

// Blocks of x, each contiguous, picked along one axis.
class GatherKernel final : public Kernel {
 public:
  Status init(const OpContext& context, const int32_t& axis) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& indices = context.input(1);
    for (int32_t i = 0; i < axis; ++i) outer_ *= x.dims[i];
    for (int32_t i = axis + 1; i < x.rank; ++i) block_ *= x.dims[i];
    block_ *= static_cast<int64_t>(element_size(x.dtype));
    indices_.limit = x.dims[axis];
    indices_.wide = indices.dtype == DType::kInt64;
    count_ = indices.elements;
    return ok_status();
  }

  Status run(const RunContext& context) override {
    Indices indices = indices_;
    indices.data = context.inputs[1];
    const char* x = input_as<char>(context, 0);
    char* y = output_as<char>(context);
    for (int64_t i = 0; i < count_; ++i) {
      const int64_t index = indices.at(i);
      if (index < 0) return out_of_range();
      for (int64_t outer = 0; outer < outer_; ++outer) {
        std::memcpy(y + (outer * count_ + i) * block_, x + (outer * indices.limit + index) * block_,
                    static_cast<size_t>(block_));
      }
    }
    return ok_status();
  }

 private:
  Indices indices_;
  int64_t outer_ = 1, block_ = 1, count_ = 0;
};

// ONNX GatherElements: y has the shape of the indices, which replace the coordinate along one axis.
class GatherElementsKernel final : public Kernel {
 public:
  Status init(const OpContext& context, const int32_t& axis) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    from_ = layout_of(x);
    rank_ = y.rank;
    axis_ = axis;
    for (int32_t i = 0; i < rank_; ++i) dims_[i] = y.dims[i];
    indices_.limit = x.dims[axis];
    indices_.wide = context.input(1).dtype == DType::kInt64;
    size_ = element_size(x.dtype);
    elements_ = y.elements;
    return ok_status();
  }

  Status run(const RunContext& context) override {
    Indices indices = indices_;
    indices.data = context.inputs[1];
    const char* x = input_as<char>(context, 0);
    char* y = output_as<char>(context);
    int64_t coordinate[kMaxRank] = {};
    for (int64_t i = 0; i < elements_; ++i) {
      const int64_t index = indices.at(i);
      if (index < 0) return out_of_range();
      int64_t offset = index * from_.strides[axis_];
      for (int32_t k = 0; k < rank_; ++k) offset += k == axis_ ? 0 : coordinate[k] * from_.strides[k];
      std::memcpy(y + i * static_cast<int64_t>(size_), x + offset * static_cast<int64_t>(size_), size_);
      for (int32_t k = rank_ - 1; k >= 0 && ++coordinate[k] == dims_[k]; --k) coordinate[k] = 0;
    }
    return ok_status();
  }

 private:
  Layout from_;
  Indices indices_;
  int64_t dims_[kMaxRank] = {};
  int32_t rank_ = 0, axis_ = 0;
  size_t size_ = 1;
  int64_t elements_ = 0;
};

}  // namespace

// Relies on: axis within x; y of the dtype of x; for Gather y of the shape of x with the axis replaced by the
// shape of the indices, for GatherElements y of the shape of the indices, its rank that of x, other dims not
// above those of x. An index out of range makes run() fail.
Status create_gather(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& indices = context.input(1);
  if (indices.dtype != DType::kInt64 && indices.dtype != DType::kInt32) {
    return unsupported(context, "indices are int64 or int32");
  }
  const plan::Gather& attributes = *context.op->attributes_as_Gather();
  const int32_t axis = attributes.axis() < 0 ? attributes.axis() + x.rank : attributes.axis();
  if (!indices.dense() || !context.output().dense()) return unsupported(context, "strided indices or output");
  if (attributes.elements()) return make_kernel<GatherElementsKernel>(context, out, axis);
  if (!x.dense()) return unsupported(context, "a strided input");
  return make_kernel<GatherKernel>(context, out, axis);
}

}  // namespace bantam::kernels
