#include "engine/plan.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <system_error>

#include "data/samples.h"
#include "io/failure.h"
#include "io/input_file.h"
#include "io/text.h"
#include "plan_format.h"

namespace bantam::tools {
namespace {

// IEEE 754 binary16 to binary32.
float widen(uint16_t half) {
  uint32_t sign = uint32_t{half & 0x8000u} << 16;
  uint32_t exponent = (half >> 10) & 0x1f, mantissa = half & 0x3ff;
  float value;
  if (exponent == 0) {
    value = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  uint32_t bits = sign | (exponent == 31 ? 0xffu : exponent + 112) << 23 | mantissa << 13;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

template <typename T>
T element(const std::byte* data, size_t index) {
  T value;
  std::memcpy(&value, data + index * sizeof(T), sizeof(T));
  return value;
}

float real_value(const bantam_tensor& tensor, const std::byte* data, size_t i) {
  switch (tensor.dtype) {
    case BANTAM_FLOAT32:
      return element<float>(data, i);
    case BANTAM_FLOAT16:
      return widen(element<uint16_t>(data, i));
    case BANTAM_INT32:
      return static_cast<float>(element<int32_t>(data, i));
    case BANTAM_INT64:
      return static_cast<float>(element<int64_t>(data, i));
    case BANTAM_UINT8:
    case BANTAM_BOOL:
      return static_cast<float>(element<uint8_t>(data, i));
    case BANTAM_INT8:
      break;
  }
  int value = element<int8_t>(data, i);
  if (tensor.scale == 0) return static_cast<float>(value);
  return tensor.scale * static_cast<float>(value - tensor.zero_point);
}

}  // namespace

void require(const Outcome& outcome, const std::string& where) {
  if (outcome.ok()) return;
  const bantam_error& error = outcome.error();
  std::string place = error.where;
  bool known =
      place.empty() || place == where || file_name(place) == file_name(where) || where.starts_with(place);
  throw Failure(where, (known ? "" : place + ": ") + error.what);
}

void FreeMemory::operator()(void* memory) const { std::free(memory); }

AlignedMemory allocate_aligned(size_t bytes) {
  size_t rounded = (bytes + BANTAM_ALIGNMENT - 1) / BANTAM_ALIGNMENT * BANTAM_ALIGNMENT;
  AlignedMemory memory(std::aligned_alloc(BANTAM_ALIGNMENT, std::max<size_t>(rounded, BANTAM_ALIGNMENT)));
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory.get(), 0, rounded);
  return memory;
}

Expected<LoadedModel> load_plan(std::span<const std::byte> plan) {
  AlignedMemory memory = allocate_aligned(plan.size());
  if (!plan.empty()) std::memcpy(memory.get(), plan.data(), plan.size());
  Expected<Model> model = Model::from_memory(memory.get(), plan.size());
  if (!model) return model.outcome();
  return LoadedModel{std::move(memory), std::move(*model)};
}

Model open_plan(const std::string& path, const std::string& cache) {
  bantam_source from = source();
  from.path = path.c_str();
  if (!cache.empty()) {
    std::error_code ignored;  // without a folder nothing is kept
    std::filesystem::create_directories(cache, ignored);
    from.cache = cache.c_str();
  }
  Expected<Model> model = Model::open(from);
  require(model.outcome(), path);
  return std::move(*model);
}

Session open_session(const Model& model, int threads, const std::string& where) {
  bantam_session_options options = session_options();
  options.threads = threads;
  Expected<Session> session = model.create_session(options);
  require(session.outcome(), where);
  return std::move(*session);
}

bool is_plan(const std::string& path) {
  InputFile file(path);
  uint32_t magic = 0;
  if (file.size() < sizeof(magic)) return path.ends_with(".bantam");
  file.read(0, std::as_writable_bytes(std::span(&magic, 1)));
  return magic == kPlanMagic || path.ends_with(".bantam");
}

std::optional<ImageOptions> image_options_of(const Model& model) {
  std::optional<bantam_preprocessing> plan = model.preprocessing();
  if (!plan) return std::nullopt;
  ImageOptions options;
  options.order = static_cast<plan::ChannelOrder>(plan->order);
  options.resize = plan->resize;
  options.crop = plan->crop;
  options.mean.assign(plan->mean, plan->mean + plan->channels);
  options.std.assign(plan->std, plan->std + plan->channels);
  return options;
}

std::vector<int64_t> shape_of(const bantam_tensor& tensor) {
  return {tensor.dims, tensor.dims + tensor.rank};
}

plan::DType dtype_of(const bantam_tensor& tensor) { return static_cast<plan::DType>(tensor.dtype); }

std::string type_text(const bantam_tensor& tensor) { return type_text(dtype_of(tensor), shape_of(tensor)); }

int input_index(const Model& model, const std::string& name, const std::string& where) {
  std::string names;
  for (int i = 0; i < model.info().input_count; ++i) {
    if (name == model.input(i).name) return i;
    names += (i == 0 ? "" : ", ") + std::string(model.input(i).name);
  }
  throw Failure(where, "has no input '" + name + "'; its inputs: " + names);
}

void write_input(const Session& session, int index, Tensor& sample, bool takes_image,
                 const std::string& where) {
  bantam_tensor input = session.input(index);
  fit_to_input(sample, dtype_of(input), shape_of(input), takes_image, where);
  if (!sample.bytes.empty()) std::memcpy(input.data, sample.bytes.data(), sample.bytes.size());
}

Tensor read_output(const Session& session, int index) {
  bantam_tensor output = session.output(index);
  Tensor tensor{dtype_of(output), shape_of(output), {}};
  const auto* data = static_cast<const std::byte*>(output.data);
  tensor.bytes.assign(data, data + output.bytes);
  return tensor;
}

std::span<const std::byte> dense_bytes(const bantam_tensor& tensor, std::vector<std::byte>& scratch) {
  const auto* data = static_cast<const std::byte*>(tensor.data);
  if (tensor.rank == 0 || tensor.pixel_stride == tensor.dims[tensor.rank - 1]) return {data, tensor.bytes};
  size_t size = bantam_dtype_size(tensor.dtype);
  size_t row = static_cast<size_t>(tensor.dims[tensor.rank - 1]) * size;
  size_t rows = static_cast<size_t>(element_count(shape_of(tensor))) * size / row;
  scratch.resize(rows * row);
  for (size_t i = 0; i < rows; ++i) {
    std::memcpy(scratch.data() + i * row, data + i * static_cast<size_t>(tensor.pixel_stride) * size, row);
  }
  return scratch;
}

void read_real(const bantam_tensor& tensor, std::vector<float>& out) {
  std::vector<std::byte> scratch;
  std::span<const std::byte> bytes = dense_bytes(tensor, scratch);
  out.resize(bytes.size() / bantam_dtype_size(tensor.dtype));
  for (size_t i = 0; i < out.size(); ++i) out[i] = real_value(tensor, bytes.data(), i);
}

}  // namespace bantam::tools
