#include "bantam/runtime/array.h"
#include "kernel_list.h"
#include "movement/strided_copy.h"

namespace bantam::kernels {

namespace {

class ConcatKernel final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& y = context.output();
    const int32_t given = context.op->attributes_as_Concat()->axis();
    const int32_t axis = given < 0 ? given + y.rank : given;
    if (!copies_.allocate(static_cast<size_t>(context.input_count))) return out_of_memory(context);
    const Layout whole = layout_of(y);
    int64_t begin = 0;
    for (int32_t i = 0; i < context.input_count; ++i) {
      const TensorInfo& x = context.input(i);
      Layout part = whole;
      part.dims[axis] = x.dims[axis];
      copies_[i] = StridedCopy(element_size(y.dtype), layout_of(x), 0, part, begin * whole.strides[axis]);
      begin += x.dims[axis];
    }
    return ok_status();
  }

  Status run(const RunContext& context) override {
    for (size_t i = 0; i < copies_.size(); ++i) {
      copies_[i].run(context.threads, context.inputs[i], context.outputs[0]);
    }
    return ok_status();
  }

  size_t state_bytes() const override { return copies_.size() * sizeof(StridedCopy); }

 private:
  Array<StridedCopy> copies_;
};

}  // namespace

// Relies on: all of one rank and dtype, the inputs' dims along the axis adding up to the output's, the others
// equal. An input that already lies where it belongs (the compiler placed it there) is not copied.
Status create_concat(const OpContext& context, Kernel** out) {
  return make_kernel<ConcatKernel>(context, out);
}

}  // namespace bantam::kernels
