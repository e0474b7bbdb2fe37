#include "timing/op_signature.h"

#include <cstring>

#include "data/tensor.h"
#include "io/text.h"
#include "plan_format.h"
#include "plan_generated.h"

namespace bantam::tools {
namespace {

const plan::Plan& metadata_of(std::span<const std::byte> file) {
  return *plan::GetPlan(file.data() + sizeof(PlanHeader));
}

std::vector<int64_t> shape_of(const plan::Tensor& tensor) {
  std::vector<int64_t> shape;
  if (tensor.shape() != nullptr) shape.assign(tensor.shape()->begin(), tensor.shape()->end());
  return shape;
}

std::string numbers(const flatbuffers::Vector<int32_t>* values) {
  std::string text;
  if (values == nullptr) return text;
  for (int32_t value : *values) text += format(" %d", value);
  return text;
}

std::string conv_text(const plan::Conv2d& conv) {
  return format(" stride %dx%d dilation %dx%d groups %d", conv.stride_h(), conv.stride_w(), conv.dilation_h(),
                conv.dilation_w(), conv.groups());
}

std::string pool_text(const plan::Pool2d& pool) {
  return format(" window %dx%d stride %dx%d dilation %dx%d", pool.kernel_h(), pool.kernel_w(),
                pool.stride_h(), pool.stride_w(), pool.dilation_h(), pool.dilation_w());
}

// Attributes on which the time depends; limits, paddings and the like are left out.
std::string attributes_text(const plan::Op& op) {
  switch (op.attributes_type()) {
    case plan::Attributes::Conv2d:
      return conv_text(*op.attributes_as_Conv2d());
    case plan::Attributes::Pool2d:
      return pool_text(*op.attributes_as_Pool2d());
    case plan::Attributes::Unary:
      return format(" kind %d", static_cast<int>(op.attributes_as_Unary()->kind()));
    case plan::Attributes::Binary:
      return format(" kind %d rounding %d", static_cast<int>(op.attributes_as_Binary()->kind()),
                    static_cast<int>(op.attributes_as_Binary()->rounding()));
    case plan::Attributes::Reduce:
      return format(" kind %d axes", static_cast<int>(op.attributes_as_Reduce()->kind())) +
             numbers(op.attributes_as_Reduce()->axes());
    case plan::Attributes::MatMul:
      return op.attributes_as_MatMul()->transpose_b() ? " transposed" : "";
    case plan::Attributes::Concat:
      return format(" axis %d", op.attributes_as_Concat()->axis());
    case plan::Attributes::Transpose:
      return " perm" + numbers(op.attributes_as_Transpose()->perm());
    case plan::Attributes::Slice:
      return " steps" + numbers(op.attributes_as_Slice()->steps());
    case plan::Attributes::Gather:
      return format(" axis %d", op.attributes_as_Gather()->axis());
    case plan::Attributes::Resize:
      return format(" mode %d coordinates %d", static_cast<int>(op.attributes_as_Resize()->mode()),
                    static_cast<int>(op.attributes_as_Resize()->coordinates()));
    default:
      return "";
  }
}

class Signer {
 public:
  Signer(const plan::Plan& plan, const plan::Op& op) : plan_(plan), op_(op) {}

  OpSignature sign() {
    const std::string code = std::string(plan::EnumNameOpCode(op_.code())).substr(1);  // without the k
    std::string operands, dtype;
    for (int32_t id : *op_.inputs()) {
      if (id < 0) continue;
      operands += " " + operand_text(id);
      if (dtype.empty()) dtype = dtype_name(tensor(id).dtype());
    }
    operands += " ->";
    for (int32_t id : *op_.outputs()) operands += " " + operand_text(id);
    result_.family = code + " " + (dtype.empty() ? "" : dtype) + (op_.half() ? " half" : "") + kind_of_conv();
    result_.text = code + (op_.half() ? " half" : "") + operands + attributes_text(op_);
    fill_tiles();
    return result_;
  }

 private:
  const plan::Tensor& tensor(int32_t id) const { return *plan_.tensors()->Get(static_cast<uint32_t>(id)); }

  void fill_tiles() {
    constexpr uint64_t kTile = 16;
    const std::vector<int64_t> shape = shape_of(tensor(op_.outputs()->Get(0)));
    result_.macs = op_.macs();
    result_.outputs = static_cast<uint64_t>(element_count(shape));
    if (shape.empty() || shape.back() <= 0) return;
    const auto channels = static_cast<uint64_t>(shape.back());
    const uint64_t rounded = (channels + kTile - 1) / kTile * kTile;
    result_.macs = result_.macs / channels * rounded;
    result_.outputs = result_.outputs / channels * rounded;
  }

  std::string operand_text(int32_t id) {
    const plan::Tensor& t = tensor(id);
    const std::vector<int64_t> shape = shape_of(t);
    result_.bytes += static_cast<uint64_t>(element_count(shape)) * element_size(t.dtype());
    const bool constant = t.storage() == plan::Storage::kWeights && t.base() < 0;
    return (constant ? "const " : "") + type_text(t.dtype(), shape);
  }

  // Depthwise kernels reach a fraction of the others' rate.
  std::string kind_of_conv() const {
    if (op_.attributes_type() != plan::Attributes::Conv2d) return "";
    return op_.attributes_as_Conv2d()->groups() > 1 ? " grouped" : "";
  }

  const plan::Plan& plan_;
  const plan::Op& op_;
  OpSignature result_;
};

}  // namespace

std::vector<OpSignature> op_signatures(std::span<const std::byte> plan) {
  const plan::Plan& metadata = metadata_of(plan);
  std::vector<OpSignature> signatures;
  for (const plan::Op* op : *metadata.ops()) signatures.push_back(Signer(metadata, *op).sign());
  return signatures;
}

}  // namespace bantam::tools
