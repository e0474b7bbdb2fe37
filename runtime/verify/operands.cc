// What ops read and write: indices, order, every tensor written once.
#include "verify/verify.h"

namespace bantam::verify {
namespace {

// Ops of which the second input, constant weights, may lie without its zeros.
bool may_lack_zeros(plan::OpCode code) {
  return code == plan::OpCode::kConv2d || code == plan::OpCode::kConvTranspose2d ||
         code == plan::OpCode::kFullyConnected || code == plan::OpCode::kNarrowFullyConnected;
}

class Operands {
 public:
  explicit Operands(LoadedPlan* out) : out_(*out) {}

  Status resolve() {
    const auto* ops = out_.plan->ops();
    const flatbuffers::uoffset_t op_count = ops == nullptr ? 0 : ops->size();
    size_t total = 0;
    for (flatbuffers::uoffset_t i = 0; i < op_count; ++i) {
      total += count(ops->Get(i)->inputs()) + count(ops->Get(i)->outputs());
    }
    const size_t tensors = out_.tensors.size();
    if (!out_.operands.allocate(total) || !out_.ops.allocate(op_count) || !written_.allocate(tensors) ||
        !filled_.allocate(tensors)) {
      return Status(StatusCode::kOutOfMemory, "plan", "no memory for the table of ops");
    }
    BANTAM_RETURN_IF_ERROR(take_inputs());
    for (flatbuffers::uoffset_t i = 0; i < op_count; ++i) {
      if (const char* problem = take_op(*ops->Get(i), i)) return op_error(out_, i, problem);
    }
    return take_outputs();
  }

 private:
  using Indices = flatbuffers::Vector<int32_t>;

  static size_t count(const Indices* indices) { return indices == nullptr ? 0 : indices->size(); }
  bool in_range(int32_t index) const {
    return index >= 0 && static_cast<size_t>(index) < out_.tensors.size();
  }
  size_t root(int32_t index) const {
    return static_cast<size_t>(out_.places[static_cast<size_t>(index)].root);
  }
  bool constant(int32_t index) const { return out_.places[static_cast<size_t>(index)].root < 0; }
  // May be float16 on some machines, which the caller's tensors may not.
  bool half(int32_t index) const {
    return out_.plan->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index))->half();
  }
  bool dense(int32_t index) const { return out_.tensors[static_cast<size_t>(index)].dense(); }

  Status take_inputs() {
    for (const int32_t index : out_.inputs()) {
      if (!in_range(index)) return Status(StatusCode::kInvalidPlan, "inputs", "an index is out of range");
      const auto i = static_cast<size_t>(index);
      if (constant(index) || root(index) != i || !dense(index)) {
        return tensor_error(out_, i, "an input must have dense memory of its own");
      }
      if (half(index)) return tensor_error(out_, i, "an input cannot be marked as float16");
      if (written_[i]) return tensor_error(out_, i, "it is an input twice");
      written_[i] = true;
      filled_[i] = true;
    }
    return ok_status();
  }

  const char* take_op(const plan::Op& op, size_t index) {
    const TensorInfo** first = out_.operands.data() + used_;
    OpContext& context = out_.ops[index];
    context.op = &op;
    context.index = static_cast<int32_t>(index);
    context.inputs = first;
    context.input_count = static_cast<int32_t>(count(op.inputs()));
    context.outputs = first + context.input_count;
    context.output_count = static_cast<int32_t>(count(op.outputs()));
    used_ += count(op.inputs()) + count(op.outputs());
    if (context.output_count != 1) return "it must have one output";
    for (int32_t i = 0; i < context.input_count; ++i) {
      const int32_t tensor = op.inputs()->Get(static_cast<flatbuffers::uoffset_t>(i));
      if (tensor == -1) continue;
      if (!in_range(tensor)) return "an input's index is out of range";
      // A view is filled when anything in the memory that it shares has been written.
      if (!constant(tensor) && !filled_[root(tensor)]) return "it reads a tensor that no earlier op writes";
      first[i] = &out_.tensors[static_cast<size_t>(tensor)];
      if (first[i]->without_zeros && (i != 1 || !may_lack_zeros(op.code())))
        return "a constant lacks its zeros";
    }
    const int32_t output = op.outputs()->Get(0);
    if (!in_range(output)) return "an output's index is out of range";
    if (constant(output)) return "it writes a constant";
    if (written_[static_cast<size_t>(output)]) return "it writes an input or what is written already";
    written_[static_cast<size_t>(output)] = true;
    filled_[root(output)] = true;
    first[context.input_count] = &out_.tensors[static_cast<size_t>(output)];
    return nullptr;
  }

  Status take_outputs() const {
    for (const int32_t index : out_.outputs()) {
      if (!in_range(index)) return Status(StatusCode::kInvalidPlan, "outputs", "an index is out of range");
      const auto i = static_cast<size_t>(index);
      if (constant(index) || !dense(index))
        return tensor_error(out_, i, "an output must be dense and in the arena");
      if (half(index)) return tensor_error(out_, i, "an output cannot be marked as float16");
      if (!filled_[root(index)]) return tensor_error(out_, i, "it is an output that no op writes");
    }
    return ok_status();
  }

  LoadedPlan& out_;
  Array<bool> written_;  // by tensor: an input, or an op's output
  Array<bool> filled_;   // by root: something in its memory was written
  size_t used_ = 0;
};

}  // namespace

Status verify_operands(LoadedPlan* out) { return Operands(out).resolve(); }

}  // namespace bantam::verify
