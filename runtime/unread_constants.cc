#include "unread_constants.h"

#include <algorithm>

namespace bantam {
namespace {

// Bytes of the file that constants share.
struct Stretch {
  uint64_t begin = 0, end = 0;
  bool read = false;
};

bool constant(const LoadedPlan& loaded, const TensorInfo* tensor) {
  return loaded.places[static_cast<size_t>(loaded.tensor_index(tensor))].root < 0;
}

// A stretch for each constant operand of the ops, in the order of their places.
bool list_constants(const LoadedPlan& loaded, std::span<const std::byte> file,
                    std::span<Kernel* const> kernels, Array<Stretch>* stretches, size_t* count) {
  if (!stretches->allocate(loaded.operands.size())) return false;
  *count = 0;
  for (size_t i = 0; i < loaded.ops.size(); ++i) {
    const OpContext& op = loaded.ops[i];
    const bool reads = kernels[i]->reads_constants();
    for (int32_t k = 0; k < op.input_count; ++k) {
      if (!op.has_input(k) || !constant(loaded, op.inputs[k])) continue;
      const auto begin = static_cast<uint64_t>(static_cast<const std::byte*>(op.input(k).data) - file.data());
      (*stretches)[(*count)++] = {begin, begin + op.input(k).stored_bytes, reads || k == 0};
    }
  }
  // A heap sort, which is half the code of std::sort.
  const auto before = [](const Stretch& a, const Stretch& b) { return a.begin < b.begin; };
  std::make_heap(stretches->begin(), stretches->begin() + *count, before);
  std::sort_heap(stretches->begin(), stretches->begin() + *count, before);
  return true;
}

// Joins those that overlap; what one of them reads is read.
size_t join_overlapping(std::span<Stretch> stretches) {
  size_t count = 0;
  for (const Stretch& stretch : stretches) {
    if (count == 0 || stretch.begin >= stretches[count - 1].end) {
      stretches[count++] = stretch;
      continue;
    }
    Stretch& last = stretches[count - 1];
    last.end = std::max(last.end, stretch.end);
    last.read |= stretch.read;
  }
  return count;
}

uint64_t aligned(uint64_t offset) {
  return (offset + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

}  // namespace

bool unread_constants(const LoadedPlan& loaded, std::span<const std::byte> file,
                      std::span<Kernel* const> kernels, Array<CacheRange>* ranges, size_t* count) {
  Array<Stretch> stretches;
  size_t listed = 0;
  if (!list_constants(loaded, file, kernels, &stretches, &listed) || !ranges->allocate(listed)) return false;
  const size_t joined = join_overlapping({stretches.data(), listed});
  *count = 0;
  for (size_t i = 0; i < joined; ++i) {
    if (stretches[i].read) continue;
    // The padding between two of them is as little read as they are.
    if (*count > 0 && stretches[i].begin <= aligned((*ranges)[*count - 1].end)) {
      (*ranges)[*count - 1].end = stretches[i].end;
    } else {
      (*ranges)[(*count)++] = {stretches[i].begin, stretches[i].end};
    }
  }
  return true;
}

}  // namespace bantam
