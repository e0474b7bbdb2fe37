#include "plan_mutator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "hash64.h"
#include "plan_format.h"
#include "plan_generated.h"
#include "support/plan_builder.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace bantam::tests {
namespace {

// The parts of a plan file whose metadata are a flatbuffer.
struct Parts {
  std::unique_ptr<plan::PlanT> plan;
  std::vector<std::byte> weights;
};

bool split(const uint8_t* data, size_t size, Parts* parts) {
  PlanHeader header = {};
  if (size < sizeof(header)) return false;
  std::memcpy(&header, data, sizeof(header));
  if (header.metadata_bytes > size - sizeof(header)) return false;
  if (header.weights_offset > size || header.weights_bytes > size - header.weights_offset) return false;
  // Flatbuffers are read in place, where their fields are aligned.
  const test::AlignedBytes metadata(data + sizeof(header), header.metadata_bytes);
  const auto* begin = reinterpret_cast<const uint8_t*>(metadata.data());
  flatbuffers::Verifier verifier(begin, header.metadata_bytes);
  if (!plan::VerifyPlanBuffer(verifier)) return false;
  parts->plan = plan::UnPackPlan(begin);
  for (const auto& op : parts->plan->ops) {
    if (op->attributes.value == nullptr) op->attributes.Reset();  // a type alone cannot be packed again
  }
  const auto* weights = reinterpret_cast<const std::byte*>(data + header.weights_offset);
  parts->weights.assign(weights, weights + header.weights_bytes);
  return true;
}

class Mutator {
 public:
  Mutator(plan::PlanT* plan, unsigned seed) : plan_(*plan), random_(seed) {}

  void mutate() {
    for (uint32_t changes = below(3) == 0 ? 2 : 1; changes > 0; --changes) {
      const uint32_t choice = below(20);
      if (choice == 0) {
        below(2) == 0 ? change(&plan_.arena_bytes) : make_room();
      } else if (choice == 1) {
        change_index(&plan_.inputs);
      } else if (choice == 2) {
        change_index(&plan_.outputs);
      } else if (choice == 3) {
        reorder_ops();
      } else if (choice < 11) {
        if (!plan_.tensors.empty()) change_tensor(pick(plan_.tensors).get());
      } else if (!plan_.ops.empty()) {
        change_op(pick(plan_.ops).get());
      }
    }
  }

 private:
  uint32_t below(size_t count) {
    return count == 0 ? 0 : random_() % static_cast<uint32_t>(std::min<size_t>(count, UINT32_MAX));
  }
  template <typename T>
  T& pick(std::vector<T>& list) {
    return list[below(list.size())];
  }

  template <typename T>
  void change(T* value) {
    static constexpr int64_t kValues[] = {0,         1,         2,         3,          7,         64,
                                          -1,        INT8_MAX,  INT16_MAX, INT32_MAX,  INT32_MIN, INT64_MAX,
                                          INT64_MIN, 1ll << 30, 1ll << 60, 0xffffffff, -2,        1ll << 33};
    switch (below(4)) {
      case 0:
        *value = static_cast<T>(static_cast<uint64_t>(*value) + 1);
        break;
      case 1:
        *value = static_cast<T>(static_cast<uint64_t>(*value) - 1);
        break;
      case 2:
        *value = static_cast<T>(static_cast<uint64_t>(*value) * 2);
        break;
      default:
        *value = static_cast<T>(kValues[below(std::size(kValues))]);
    }
  }
  void change(float* value) {
    const float kValues[] = {0, -1, 1e-30f, 1e30f, -*value, *value * 2, HUGE_VALF, NAN, 0.5f};
    *value = kValues[below(std::size(kValues))];
  }
  void change(bool* value) { *value = !*value; }

  template <typename T>
  void change_list(std::vector<T>* list) {
    const uint32_t choice = below(6);
    if (choice == 0) {
      list->push_back(list->empty() ? T(1) : list->back());
    } else if (choice == 1 && !list->empty()) {
      list->pop_back();
    } else if (choice == 2 && list->size() > 1) {
      std::swap(list->front(), list->back());
    } else if (!list->empty()) {
      change(&pick(*list));
    }
  }
  void change_index(std::vector<int32_t>* list) {
    if (list->empty() || below(4) == 0) return change_list(list);
    pick(*list) = static_cast<int32_t>(below(plan_.tensors.size() + 1)) - 1;
  }

  // A larger arena, with one tensor at its new end.
  void make_room() {
    if (plan_.tensors.empty() || plan_.arena_bytes > 1 << 20) return;
    pick(plan_.tensors)->offset = plan_.arena_bytes;
    plan_.arena_bytes += 64 << below(8);
  }

  void reorder_ops() {
    if (plan_.ops.empty()) return;
    std::swap(pick(plan_.ops), pick(plan_.ops));
    if (below(3) == 0) plan_.ops.pop_back();
  }

  void change_tensor(plan::TensorT* tensor) {
    switch (below(11)) {
      case 0:
        tensor->dtype = static_cast<plan::DType>(below(8));
        break;
      case 1:
      case 2:
        change_list(&tensor->shape);
        break;
      case 3:
        below(4) == 0 ? change(&tensor->offset) : move(tensor);
        break;
      case 4:
        tensor->base = static_cast<int32_t>(below(plan_.tensors.size() + 1)) - 1;
        break;
      case 5:
        change(&tensor->pixel_stride);
        break;
      case 6:
        tensor->storage = static_cast<plan::Storage>(below(3));
        break;
      case 7:
        tensor->half = !tensor->half;
        break;
      case 8:
        below(2) == 0 ? change(&tensor->stored_bytes) : change_encoding(tensor);
        break;
      default:
        change_quantization(&tensor->quantization);
    }
  }

  void move(plan::TensorT* tensor) {
    tensor->offset = below(plan_.arena_bytes / kTensorAlignment + 1) * kTensorAlignment;
  }

  void change_encoding(plan::TensorT* tensor) { tensor->encoding = static_cast<plan::Encoding>(below(3)); }

  void change_quantization(std::unique_ptr<plan::QuantizationT>* quantization) {
    if (*quantization == nullptr) {
      if (below(8) != 0) return;
      *quantization = std::make_unique<plan::QuantizationT>();
      (*quantization)->scales = {0.5f};
    } else if (below(6) == 0) {
      quantization->reset();
    } else if (below(2) == 0) {
      change(&(*quantization)->zero_point);
    } else {
      change_list(&(*quantization)->scales);
    }
  }

  void change_op(plan::OpT* op) {
    switch (below(9)) {
      case 0:
        op->code = static_cast<plan::OpCode>(below(32));
        break;
      case 1:
        change_index(&op->inputs);
        break;
      case 2:
        change_index(&op->outputs);
        break;
      case 3:
        op->attributes = pick(plan_.ops)->attributes;
        break;
      case 4:
        op->half = !op->half;
        break;
      default:
        change_attributes(&op->attributes);
    }
  }

  void change_attributes(plan::AttributesUnion* attributes) {
    if (auto* conv = attributes->AsConv2d()) return change_conv(conv);
    if (auto* pool = attributes->AsPool2d()) return change_pool(pool);
    if (auto* reduce = attributes->AsReduce()) return change_reduce(reduce);
    if (auto* unary = attributes->AsUnary()) {
      unary->kind = static_cast<plan::UnaryKind>(below(34));
      return change(&unary->alpha);
    }
    if (auto* binary = attributes->AsBinary()) {
      binary->kind = static_cast<plan::BinaryKind>(below(19));
      binary->rounding = static_cast<plan::SumRounding>(below(4));
    }
    if (auto* product = attributes->AsMatMul()) change(&product->transpose_b);
    if (auto* arg = attributes->AsArgMax()) change(&arg->axis);
    if (auto* softmax = attributes->AsSoftmax()) change(&softmax->axis);
    if (auto* norm = attributes->AsLayerNorm()) change(&norm->axes);
    if (auto* concat = attributes->AsConcat()) change(&concat->axis);
    if (auto* slice = attributes->AsSlice()) change_list(below(2) == 0 ? &slice->starts : &slice->steps);
    if (auto* pad = attributes->AsPad()) {
      pad->mode = static_cast<plan::PadMode>(below(5));
      change_list(below(2) == 0 ? &pad->before : &pad->after);
    }
    if (auto* transpose = attributes->AsTranspose()) change_list(&transpose->perm);
    if (auto* gather = attributes->AsGather())
      below(2) == 0 ? change(&gather->axis) : change(&gather->elements);
    if (auto* narrow = attributes->AsNarrowFullyConnected()) {
      narrow->bits = static_cast<uint8_t>(4 * below(4));
      change(&narrow->quantize_rows);
    }
    if (auto* resize = attributes->AsResize()) change_resize(resize);
  }

  void change_conv(plan::Conv2dT* conv) {
    int32_t* const fields[] = {&conv->stride_h, &conv->stride_w, &conv->dilation_h,   &conv->dilation_w,
                               &conv->pad_top,  &conv->pad_left, &conv->pad_bottom,   &conv->pad_right,
                               &conv->groups,   &conv->groups,   &conv->output_pad_h, &conv->output_pad_w};
    change(fields[below(std::size(fields))]);
  }
  void change_pool(plan::Pool2dT* pool) {
    int32_t* const fields[] = {&pool->kernel_h, &pool->kernel_w,   &pool->stride_h,
                               &pool->stride_w, &pool->dilation_h, &pool->pad_top,
                               &pool->pad_left, &pool->pad_bottom, &pool->pad_right};
    change(fields[below(std::size(fields))]);
    if (below(4) == 0) change(below(2) == 0 ? &pool->ceil_mode : &pool->count_include_pad);
  }
  void change_reduce(plan::ReduceT* reduce) {
    if (below(2) == 0) reduce->kind = static_cast<plan::ReduceKind>(below(9));
    below(3) == 0 ? change(&reduce->keep_dims) : change_list(&reduce->axes);
  }
  void change_resize(plan::ResizeT* resize) {
    resize->mode = static_cast<plan::ResizeMode>(below(3));
    resize->coordinates = static_cast<plan::CoordinateMode>(below(7));
    resize->nearest = static_cast<plan::NearestMode>(below(5));
    change(below(2) == 0 ? &resize->scale_h : &resize->scale_w);
    change_list(&resize->roi);
  }

  plan::PlanT& plan_;
  std::mt19937 random_;
};

}  // namespace

size_t mutate_plan(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  Parts parts;
  const bool bytes_only = seed % 16 == 0 || !split(data, size, &parts);
  if (bytes_only) return LLVMFuzzerMutate(data, size, max_size);
  Mutator(parts.plan.get(), seed).mutate();
  if (seed % 4 == 1 && !parts.weights.empty()) {
    parts.weights[seed / 8 % parts.weights.size()] ^= static_cast<std::byte>(seed >> 24 | 1);
  }
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(plan::Plan::Pack(builder, parts.plan.get()));
  const test::AlignedBytes file =
      test::plan_file(builder.GetBufferPointer(), builder.GetSize(), parts.weights);
  if (file.size() > max_size) return size;
  std::memcpy(data, file.data(), file.size());
  return file.size();
}

}  // namespace bantam::tests
