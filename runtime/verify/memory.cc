// Sharing of the arena: lifetimes of roots, and ops that work in place.
#include <algorithm>
#include <limits>

#include "verify/verify.h"

namespace bantam::verify {
namespace {

// The memory of a root, and the ops during which it is in use.
struct Life {
  size_t root = 0;
  size_t begin = 0;  // arena bytes
  size_t end = 0;
  int64_t first = std::numeric_limits<int64_t>::max();  // -1: an input
  int64_t last = std::numeric_limits<int64_t>::min();   // number of ops: an output
};

void extend(Life* life, int64_t op) {
  life->first = std::min(life->first, op);
  life->last = std::max(life->last, op);
}

// Lives of all roots that are used, by root index; unused ones keep first > last.
void measure(const LoadedPlan& loaded, Array<Life>* lives) {
  for (size_t i = 0; i < loaded.tensors.size(); ++i) {
    Life& life = (*lives)[i];
    life.root = i;
    life.begin = loaded.places[i].arena;
    life.end = loaded.places[i].arena + loaded.tensors[i].bytes;
  }
  const auto touch = [&](int32_t tensor, int64_t op) {
    const int32_t root = loaded.places[static_cast<size_t>(tensor)].root;
    if (root >= 0) extend(&(*lives)[static_cast<size_t>(root)], op);
  };
  for (const int32_t input : loaded.inputs()) touch(input, -1);
  for (int32_t i = 0; i < loaded.op_count(); ++i) {
    const OpContext& op = loaded.ops[static_cast<size_t>(i)];
    for (int32_t k = 0; k < op.input_count; ++k) {
      if (op.has_input(k)) touch(loaded.tensor_index(op.inputs[k]), i);
    }
    touch(loaded.tensor_index(op.outputs[0]), i);
  }
  for (const int32_t output : loaded.outputs()) touch(output, loaded.op_count());
}

// The roots alive at one moment, by their place; disjoint, so that a new one needs to be compared with its
// neighbours only.
class Alive {
 public:
  bool allocate(size_t most) { return lives_.allocate(most); }

  // False when it overlaps one that is alive.
  bool add(const Life* life) {
    const Life** place = find(life);
    if (place != lives_.data() && (*(place - 1))->end > life->begin) return false;
    if (place != end() && (*place)->begin < life->end) return false;
    std::copy_backward(place, end(), end() + 1);
    *place = life;
    ++count_;
    return true;
  }
  void remove(const Life* life) {
    const Life** place = find(life);
    std::copy(place + 1, end(), place);
    --count_;
  }

 private:
  const Life** end() { return lives_.data() + count_; }
  const Life** find(const Life* life) {
    return std::lower_bound(lives_.data(), end(), life,
                            [](const Life* a, const Life* b) { return a->begin < b->begin; });
  }

  Array<const Life*> lives_;
  size_t count_ = 0;
};

Status out_of_memory() { return Status(StatusCode::kOutOfMemory, "plan", "no memory to verify the arena"); }

using Before = bool (*)(const Life* a, const Life* b);

// A heap sort, which is half the code of std::sort.
void sort(const Life** begin, const Life** end, Before before) {
  std::make_heap(begin, end, before);
  std::sort_heap(begin, end, before);
}

// Walks through time: at each step those that ended before leave, then the new ones come.
Status verify_disjoint(const LoadedPlan& loaded) {
  const size_t count = loaded.tensors.size();
  Array<Life> lives;
  Array<const Life*> by_first;
  Array<const Life*> by_last;
  Alive alive;
  if (!lives.allocate(count) || !by_first.allocate(count) || !by_last.allocate(count) ||
      !alive.allocate(count + 1)) {
    return out_of_memory();
  }
  measure(loaded, &lives);
  size_t used = 0;
  for (const Life& life : lives) {
    if (life.first <= life.last) by_first[used++] = &life;
  }
  std::copy(by_first.begin(), by_first.begin() + used, by_last.begin());
  sort(by_first.begin(), by_first.begin() + used,
       [](const Life* a, const Life* b) { return a->first < b->first; });
  sort(by_last.begin(), by_last.begin() + used,
       [](const Life* a, const Life* b) { return a->last < b->last; });
  size_t ended = 0;
  for (size_t i = 0; i < used; ++i) {
    while (by_last[ended]->last < by_first[i]->first) alive.remove(by_last[ended++]);
    if (!alive.add(by_first[i])) {
      return tensor_error(loaded, by_first[i]->root, "it overlaps a tensor that lives with it");
    }
  }
  return ok_status();
}

// Ops whose kernels read each element before they write it, and no other place.
bool works_in_place(plan::OpCode code) {
  switch (code) {
    case plan::OpCode::kUnary:
    case plan::OpCode::kBinary:
    case plan::OpCode::kWhere:
    case plan::OpCode::kLookup:
    case plan::OpCode::kRequantize:
    case plan::OpCode::kReshape:
    case plan::OpCode::kCopy:
      return true;
    default:
      return false;
  }
}

struct Region {
  size_t begin, end;     // bytes of the root
  size_t stride, inner;  // bytes of an innermost row, and of the elements in it
};

Region region_of(const LoadedPlan& loaded, const TensorInfo& tensor) {
  const size_t begin = loaded.places[static_cast<size_t>(loaded.tensor_index(&tensor))].offset;
  const size_t element = element_size(tensor.dtype);
  const auto row = static_cast<size_t>(tensor.rank == 0 ? 1 : tensor.dims[tensor.rank - 1]);
  return {begin, begin + tensor.bytes, static_cast<size_t>(tensor.pixel_stride) * element, row * element};
}

bool disjoint(const Region& a, const Region& b) {
  if (a.end <= b.begin || b.end <= a.begin) return true;
  if (a.stride != b.stride) return false;
  // Different columns of the same rows.
  const size_t column_a = a.begin % a.stride;
  const size_t column_b = b.begin % b.stride;
  const bool whole_rows = column_a + a.inner <= a.stride && column_b + b.inner <= b.stride;
  return whole_rows && (column_a + a.inner <= column_b || column_b + b.inner <= column_a);
}

const char* check_sharing(const LoadedPlan& loaded, const OpContext& op) {
  const TensorInfo& output = op.output();
  const int32_t root = loaded.places[static_cast<size_t>(loaded.tensor_index(&output))].root;
  const Region written = region_of(loaded, output);
  for (int32_t i = 0; i < op.input_count; ++i) {
    if (!op.has_input(i)) continue;
    const TensorInfo& input = op.input(i);
    if (loaded.places[static_cast<size_t>(loaded.tensor_index(&input))].root != root) continue;
    const Region read = region_of(loaded, input);
    if (disjoint(read, written)) continue;
    const bool same = read.begin == written.begin && read.end == written.end &&
                      read.stride == written.stride && read.inner == written.inner;
    const bool both_dense =
        input.dense() && output.dense() && read.begin == written.begin && read.end == written.end;
    if (!works_in_place(op.op->code()) || !(same || both_dense) ||
        element_size(input.dtype) != element_size(output.dtype)) {
      return "its output overlaps an input";
    }
  }
  return nullptr;
}

}  // namespace

Status verify_memory(const LoadedPlan& loaded) {
  BANTAM_RETURN_IF_ERROR(verify_disjoint(loaded));
  for (size_t i = 0; i < loaded.ops.size(); ++i) {
    if (const char* problem = check_sharing(loaded, loaded.ops[i])) return op_error(loaded, i, problem);
  }
  return ok_status();
}

}  // namespace bantam::verify
