#include "arena_bound.h"

#include <algorithm>
#include <map>

#include "data/tensor.h"
#include "emit/arena.h"
#include "plan_format.h"
#include "plan_generated.h"

namespace bantam::tests {
namespace {

class Lifetimes {
 public:
  explicit Lifetimes(const plan::Plan& plan) : plan_(plan) {
    const int op_count = static_cast<int>(plan.ops()->size());
    for (int32_t tensor : *plan.inputs()) touch(tensor, -1);
    for (int i = 0; i < op_count; ++i) {
      const plan::Op& op = *plan.ops()->Get(static_cast<uint32_t>(i));
      for (int32_t tensor : *op.inputs()) touch(tensor, i);
      for (int32_t tensor : *op.outputs()) touch(tensor, i);
    }
    for (int32_t tensor : *plan.outputs()) touch(tensor, op_count);
  }

  std::vector<compiler::Buffer> buffers() const {
    std::vector<compiler::Buffer> list;
    for (const auto& [root, buffer] : buffers_) list.push_back(buffer);
    return list;
  }

 private:
  const plan::Tensor& tensor(int32_t index) const {
    return *plan_.tensors()->Get(static_cast<uint32_t>(index));
  }

  void touch(int32_t index, int time) {
    while (index >= 0 && tensor(index).base() >= 0) index = tensor(index).base();
    if (index < 0 || tensor(index).storage() != plan::Storage::kArena) return;
    uint64_t bytes = tools::element_size(tensor(index).dtype());
    if (const auto* shape = tensor(index).shape()) {
      for (int32_t dim : *shape) bytes *= static_cast<uint64_t>(dim);
    }
    compiler::Buffer& buffer = buffers_.try_emplace(index, compiler::Buffer{bytes, time, time}).first->second;
    buffer.first = std::min(buffer.first, time);
    buffer.last = std::max(buffer.last, time);
  }

  const plan::Plan& plan_;
  std::map<int32_t, compiler::Buffer> buffers_;  // by the tensor that owns the memory
};

}  // namespace

ArenaNeed arena_need(const std::vector<std::byte>& bytes) {
  const plan::Plan& plan = *plan::GetPlan(bytes.data() + sizeof(PlanHeader));
  return {plan.arena_bytes(), compiler::live_bytes(Lifetimes(plan).buffers())};
}

}  // namespace bantam::tests
