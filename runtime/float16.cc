// Which ops compute in float16 on this machine, and which tensors are float16 for them.
#include "bantam/runtime/loaded_plan.h"

namespace bantam {
namespace {

void make_half(TensorInfo* tensor, TensorPlace* place) {
  tensor->dtype = plan::DType::kFloat16;
  tensor->bytes /= 2;
  const size_t begin = place->arena - place->offset;  // of the root
  place->offset /= 2;
  place->arena = begin + place->offset;
}

}  // namespace

void choose_float16(const KernelTable& kernels, LoadedPlan* loaded) {
  if (kernels.computes_float16 == nullptr) return;
  bool any = false;
  for (OpContext& op : loaded->ops) {
    op.float16 = op.op->half() && kernels.computes_float16(op);
    any |= op.float16;
  }
  if (!any) return;
  const auto& tensors = *loaded->plan->tensors();
  for (flatbuffers::uoffset_t i = 0; i < tensors.size(); ++i) {
    if (tensors.Get(i)->half()) make_half(&loaded->tensors[i], &loaded->places[i]);
  }
}

}  // namespace bantam
