// Tensors by themselves: dtype, shape, quantization, place.
#include <cmath>
#include <limits>

#include "verify/verify.h"
#include "zero_mask.h"

namespace bantam::verify {
namespace {

constexpr uint64_t kMostBytes = std::numeric_limits<size_t>::max() / 4;

// Product of two non-negative numbers, or kMostBytes + 1 when it is larger than kMostBytes.
uint64_t bounded_product(uint64_t a, uint64_t b) {
  return b != 0 && a > kMostBytes / b ? kMostBytes + 1 : a * b;
}

const char* read_shape(const plan::Tensor& tensor, TensorInfo* info) {
  info->dtype = tensor.dtype();
  const size_t element = element_size(info->dtype);
  if (element == 0) return "its dtype is unknown";
  const auto* shape = tensor.shape();
  info->rank = shape == nullptr ? 0 : static_cast<int32_t>(shape->size());
  if (info->rank > kMaxRank) return "it has more than 8 dimensions";
  uint64_t elements = 1;
  for (int32_t i = 0; i < info->rank; ++i) {
    info->dims[i] = shape->Get(static_cast<flatbuffers::uoffset_t>(i));
    if (info->dims[i] <= 0) return "a dimension is not positive";
    elements = bounded_product(elements, static_cast<uint64_t>(info->dims[i]));
  }
  const int32_t inner = info->rank == 0 ? 1 : info->dims[info->rank - 1];
  info->pixel_stride = tensor.pixel_stride() == 0 ? inner : tensor.pixel_stride();
  if (info->pixel_stride < inner || (info->rank == 0 && info->pixel_stride != 1))
    return "its pixel stride is too small";
  if (elements > kMostBytes) return "it is too large";
  const uint64_t rows = elements / static_cast<uint64_t>(inner);
  const uint64_t before_last = bounded_product(rows - 1, static_cast<uint64_t>(info->pixel_stride));
  const uint64_t bytes = bounded_product(before_last + static_cast<uint64_t>(inner), element);
  if (bytes > kMostBytes) return "it is too large";
  info->elements = static_cast<int64_t>(elements);
  info->bytes = static_cast<size_t>(bytes);
  return nullptr;
}

const char* read_quantization(const plan::Tensor& tensor, TensorInfo* info) {
  const auto* quantization = tensor.quantization();
  if (quantization == nullptr || quantization->scales() == nullptr || quantization->scales()->size() == 0)
    return nullptr;
  if (info->dtype != plan::DType::kInt8 && info->dtype != plan::DType::kInt32)
    return "only int8 and int32 can be quantized";
  const auto* scales = quantization->scales();
  const bool per_channel = tensor.storage() == plan::Storage::kWeights && info->rank > 0 &&
                           scales->size() == static_cast<uint32_t>(info->dims[0]);
  if (scales->size() != 1 && !per_channel) return "it has neither one scale nor one per channel";
  for (const float scale : *scales) {
    if (!std::isnormal(scale) || scale < 0) return "a scale is not a positive normal number";
  }
  info->zero_point = quantization->zero_point();
  if (info->zero_point < -128 || info->zero_point > 127) return "its zero point is not an int8";
  if (info->zero_point != 0 && (scales->size() != 1 || info->dtype != plan::DType::kInt8)) {
    return "its zero point must be 0";
  }
  info->scales = scales->data();
  info->scale_count = static_cast<int32_t>(scales->size());
  return nullptr;
}

constexpr const char* kUnknownEncoding = "its encoding is unknown";

// What a constant takes of the weights; `left`: bytes of these behind its offset.
const char* read_encoding(const plan::Tensor& tensor, uint64_t left, TensorInfo* info) {
  info->without_zeros = tensor.encoding() == plan::Encoding::kNoZeros;
  const uint64_t bytes = info->without_zeros ? tensor.stored_bytes() : info->bytes;
  if (bytes > left) return "it reaches past the end of the weights";
  info->stored_bytes = static_cast<size_t>(bytes);
  if (!info->without_zeros) return nullptr;
  if (info->dtype != plan::DType::kFloat32 && info->dtype != plan::DType::kFloat16 &&
      info->dtype != plan::DType::kInt8) {
    return kUnknownEncoding;
  }
  return nullptr;
}

const char* place_constant(const plan::Tensor& tensor, const std::byte* weights, uint64_t weights_bytes,
                           TensorInfo* info) {
  if (tensor.base() != -1) return "a constant cannot share memory";
  if (!info->dense()) return "a constant must be dense";
  if (tensor.offset() % kTensorAlignment != 0) return "its offset is not aligned";
  if (tensor.offset() > weights_bytes) return "it reaches past the end of the weights";
  const std::byte* data = weights + tensor.offset();
  if (const char* problem = read_encoding(tensor, weights_bytes - tensor.offset(), info)) return problem;
  if (info->without_zeros &&
      !is_without_zeros(data, info->stored_bytes, static_cast<uint64_t>(info->elements),
                        element_size(info->dtype))) {
    return "its mask of zeros is damaged";
  }
  info->data = data;
  return nullptr;
}

const char* place_root(const plan::Tensor& tensor, uint64_t arena_bytes, const TensorInfo& info, size_t index,
                       TensorPlace* place) {
  if (tensor.offset() % kTensorAlignment != 0) return "its offset is not aligned";
  if (tensor.offset() > arena_bytes || info.bytes > arena_bytes - tensor.offset()) {
    return "it reaches past the end of the arena";
  }
  place->root = static_cast<int32_t>(index);
  place->arena = static_cast<size_t>(tensor.offset());
  return nullptr;
}

const char* place_view(const plan::Tensor& tensor, const LoadedPlan& loaded, const TensorInfo& info,
                       size_t index, TensorPlace* place) {
  // A base always stands before its views, so chains cannot be circular.
  if (tensor.base() < 0 || static_cast<size_t>(tensor.base()) >= index)
    return "its base is not an earlier tensor";
  const auto base = static_cast<size_t>(tensor.base());
  if (loaded.places[base].root < 0) return "its base is a constant";
  if (tensor.half() != loaded.plan->tensors()->Get(static_cast<flatbuffers::uoffset_t>(base))->half())
    return "its base is not marked float16 alike";
  const size_t base_bytes = loaded.tensors[base].bytes;
  if (tensor.offset() > base_bytes || info.bytes > base_bytes - tensor.offset())
    return "it reaches past the end of its base";
  if (tensor.offset() % element_size(info.dtype) != 0 ||
      loaded.places[base].offset % element_size(info.dtype) != 0) {
    return "its offset is not aligned";
  }
  place->root = loaded.places[base].root;
  place->offset = loaded.places[base].offset + static_cast<size_t>(tensor.offset());
  place->arena = loaded.places[base].arena + static_cast<size_t>(tensor.offset());
  return nullptr;
}

const char* read_tensor(const plan::Tensor& tensor, const std::byte* weights, size_t index, LoadedPlan* out) {
  TensorInfo* info = &out->tensors[index];
  TensorPlace* place = &out->places[index];
  if (const char* problem = read_shape(tensor, info)) return problem;
  if (const char* problem = read_quantization(tensor, info)) return problem;
  if (tensor.half() && (info->dtype != plan::DType::kFloat32 || tensor.storage() != plan::Storage::kArena))
    return "only float32 in the arena can be float16";
  const bool may_lack_zeros =
      tensor.storage() == plan::Storage::kWeights && out->header.minor >= kPlanMinorNoZeros;
  if (tensor.encoding() > (may_lack_zeros ? plan::Encoding::MAX : plan::Encoding::kPlain))
    return kUnknownEncoding;
  switch (tensor.storage()) {
    case plan::Storage::kWeights:
      return place_constant(tensor, weights, out->header.weights_bytes, info);
    case plan::Storage::kArena:
      if (tensor.base() == -1) return place_root(tensor, out->plan->arena_bytes(), *info, index, place);
      return place_view(tensor, *out, *info, index, place);
  }
  return "its storage is unknown";
}

}  // namespace

Status verify_tensors(const std::byte* data, LoadedPlan* out) {
  const auto& tensors = *out->plan->tensors();
  if (out->plan->arena_bytes() > kMostBytes) {
    return Status(StatusCode::kInvalidPlan, "plan", "its arena is too large");
  }
  out->arena_bytes = static_cast<size_t>(out->plan->arena_bytes()) + kReadPadding;
  if (!out->tensors.allocate(tensors.size()) || !out->places.allocate(tensors.size())) {
    return Status(StatusCode::kOutOfMemory, "plan", "no memory for the table of tensors");
  }
  const std::byte* weights = data + out->header.weights_offset;
  for (flatbuffers::uoffset_t i = 0; i < tensors.size(); ++i) {
    if (const char* problem = read_tensor(*tensors.Get(i), weights, i, out))
      return tensor_error(*out, i, problem);
  }
  return ok_status();
}

}  // namespace bantam::verify
