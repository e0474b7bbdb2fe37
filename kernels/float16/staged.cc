#include "float16/staged.h"

#include "bantam/runtime/array.h"
#include "float16/conversion.h"
#include "kernel_support.h"
#include "layout.h"
#include "rounding.h"

namespace bantam::kernels {

namespace {

using plan::DType;

// A tensor of one float type converted into another one.
class Conversion {
 public:
  void init(const TensorInfo& from, const TensorInfo& to) {
    loop_ = make_loop<2>({layout_of(from), layout_of(to)});
    widens_ = from.dtype == DType::kFloat16;
    widen_ = widen_row();
    narrow_ = narrow_row();
  }

  void run(ThreadPool* threads, const void* from, void* to) const {
    if (widens_) {
      convert(threads, static_cast<const uint16_t*>(from), static_cast<float*>(to), widen_);
    } else {
      convert(threads, static_cast<const float*>(from), static_cast<uint16_t*>(to), narrow_);
    }
  }

 private:
  template <typename In, typename Out, typename Row>
  void convert(ThreadPool* threads, const In* x, Out* y, Row row) const {
    const bool contiguous = contiguous_rows(loop_, 0) && contiguous_rows(loop_, 1);
    for_each_run(threads, loop_, 1, [&](const int64_t* offsets, int64_t count) {
      const In* from = x + offsets[0];
      Out* to = y + offsets[1];
      if (contiguous) return row(from, to, count);
      for (int64_t i = 0; i < count; ++i)
        row(from + i * loop_.row_stride(0), to + i * loop_.row_stride(1), 1);
    });
  }

  Loop<2> loop_;
  bool widens_ = false;
  WidenRow widen_ = nullptr;
  NarrowRow narrow_ = nullptr;
};

size_t aligned(size_t bytes) { return round_up(bytes, kTensorAlignment); }

class StagedKernel final : public Kernel {
 public:
  ~StagedKernel() override { delete inner_; }

  Status init(const OpContext& context, const DType& type, const Constants& constants, const Create& create) {
    type_ = type;
    keeps_constants_ = constants == Constants::kKeep;
    input_count_ = context.input_count;
    const size_t count = static_cast<size_t>(context.input_count) + static_cast<size_t>(context.output_count);
    Array<const TensorInfo*> seen;  // by the inner kernel
    if (!operands_.allocate(count) || !addresses_.allocate(count) || !seen.allocate(count))
      return out_of_memory(context);
    for (size_t i = 0; i < count; ++i) {
      const bool is_input = static_cast<int32_t>(i) < input_count_;
      const TensorInfo* tensor = is_input ? context.inputs[i] : context.outputs[i - input_count_];
      if (!stage(tensor, is_input, constants, &operands_[i])) return out_of_memory(context);
      seen[i] = operands_[i].staged ? &operands_[i].info : tensor;
    }
    OpContext inner = context;
    inner.inputs = seen.data();
    inner.outputs = seen.data() + input_count_;
    BANTAM_RETURN_IF_ERROR(create(inner, &inner_));
    workspace_bytes_ = aligned(inner_->workspace_bytes());
    for (Operand& operand : operands_) {
      if (!operand.staged || operand.constant.size() != 0) continue;
      operand.offset = workspace_bytes_;
      workspace_bytes_ += aligned(operand.info.bytes + kReadPadding);
    }
    return ok_status();
  }

  Status run(const RunContext& context) override {
    auto* workspace = static_cast<std::byte*>(context.workspace);
    for (size_t i = 0; i < operands_.size(); ++i) {
      const Operand& operand = operands_[i];
      const bool is_input = static_cast<int32_t>(i) < input_count_;
      const void* given = is_input ? context.inputs[i] : context.outputs[i - input_count_];
      void* here = workspace + operand.offset;
      addresses_[i] = operand.staged ? here : const_cast<void*>(given);
      if (operand.constant.size() != 0) addresses_[i] = const_cast<std::byte*>(operand.constant.data());
      if (operand.staged && is_input && operand.constant.size() == 0)
        operand.conversion.run(context.threads, given, here);
    }
    RunContext inner = context;
    inner.inputs = addresses_.data();
    inner.outputs = addresses_.data() + input_count_;
    BANTAM_RETURN_IF_ERROR(inner_->run(inner));
    for (size_t i = input_count_; i < operands_.size(); ++i) {
      if (operands_[i].staged)
        operands_[i].conversion.run(context.threads, addresses_[i], context.outputs[i - input_count_]);
    }
    return ok_status();
  }

  size_t workspace_bytes() const override { return workspace_bytes_; }
  bool reads_constants() const override { return !keeps_constants_ || inner_->reads_constants(); }
  size_t state_bytes() const override {
    size_t bytes = inner_->state_bytes() + operands_.size_bytes() + addresses_.size_bytes();
    for (const Operand& operand : operands_) bytes += operand.constant.size_bytes();
    return bytes;
  }

 private:
  struct Operand {
    bool staged = false;
    TensorInfo info;  // dense, when staged
    size_t offset = 0;
    Array<std::byte> constant;  // followed by read padding
    Conversion conversion;
  };

  bool stage(const TensorInfo* tensor, bool is_input, const Constants& constants, Operand* operand) {
    if (tensor == nullptr || !is_float(*tensor) || tensor->dtype == type_) return true;
    if (tensor->data != nullptr && constants == Constants::kKeep) return true;
    operand->staged = true;
    TensorInfo& info = operand->info;
    info = *tensor;
    info.dtype = type_;
    info.pixel_stride = info.rank == 0 ? 1 : info.dims[info.rank - 1];
    info.bytes = static_cast<size_t>(info.elements) * element_size(type_);
    operand->conversion.init(is_input ? *tensor : info, is_input ? info : *tensor);
    if (tensor->data == nullptr) return true;
    if (!operand->constant.allocate(info.bytes + kReadPadding)) return false;
    operand->conversion.run(nullptr, tensor->data, operand->constant.data());
    info.data = operand->constant.data();
    return true;
  }

  DType type_ = DType::kFloat32;
  bool keeps_constants_ = false;
  int32_t input_count_ = 0;
  Array<Operand> operands_;  // inputs, then outputs
  Array<void*> addresses_;
  Kernel* inner_ = nullptr;
  size_t workspace_bytes_ = 0;
};

}  // namespace

Status create_staged(const OpContext& context, DType type, Constants constants, Create create, Kernel** out) {
  const auto fits = [&](const TensorInfo* tensor) {
    return tensor == nullptr || !is_float(*tensor) || tensor->dtype == type ||
           (tensor->data != nullptr && constants == Constants::kKeep);
  };
  bool all_fit = fits(context.outputs[0]);
  for (int32_t i = 0; i < context.input_count; ++i) all_fit &= fits(context.inputs[i]);
  if (all_fit) return create(context, out);
  return make_kernel<StagedKernel>(context, out, type, constants, create);
}

}  // namespace bantam::kernels
