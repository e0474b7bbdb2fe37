#include "stages/plan_reader.h"

#include <cmath>
#include <cstring>

#include "bantam/compiler/error.h"
#include "passes/half_range.h"
#include "plan_format.h"
#include "zero_mask.h"

namespace bantam::compiler {
namespace {

TensorType type_of(const plan::Tensor& tensor) {
  TensorType type{tensor.dtype(), {}};
  if (tensor.shape() != nullptr) type.shape.assign(tensor.shape()->begin(), tensor.shape()->end());
  return type;
}

Quantization quantization_of(const plan::Tensor& tensor) {
  Quantization q;
  if (tensor.quantization() == nullptr || tensor.quantization()->scales() == nullptr) return q;
  q.scales.assign(tensor.quantization()->scales()->begin(), tensor.quantization()->scales()->end());
  q.zero_point = tensor.quantization()->zero_point();
  return q;
}

bool computes_with_weights(OpCode code) {
  return code == OpCode::kConv2d || code == OpCode::kConvTranspose2d || code == OpCode::kFullyConnected;
}

// Those in float32, too, of which many have been made zero.
bool is_approximate(const plan::Tensor& weights) {
  return weights.dtype() == DType::kInt8 || weights.dtype() == DType::kFloat16 ||
         weights.encoding() == plan::Encoding::kNoZeros;
}

std::vector<double> row_norms(const Tensor& weights) {
  std::vector<double> norms(static_cast<size_t>(weights.type.shape.empty() ? 0 : weights.type.shape[0]));
  const std::span<const float> data = weights.as<float>();
  for (size_t o = 0; o < norms.size(); ++o) {
    const size_t row = data.size() / norms.size();
    for (float w : data.subspan(o * row, row)) norms[o] += static_cast<double>(w) * static_cast<double>(w);
    norms[o] = std::sqrt(norms[o]);
  }
  return norms;
}

std::string name_of(const plan::Tensor& tensor) { return tensor.name() ? tensor.name()->str() : ""; }

}  // namespace

PlanReader::PlanReader(std::span<const std::byte> plan) : bytes_(plan) {
  PlanHeader header;
  if (plan.size() < sizeof(header)) throw CompileError("the plan is too short to be one");
  std::memcpy(&header, plan.data(), sizeof(header));
  const bool whole = header.magic == kPlanMagic && header.file_bytes <= plan.size() &&
                     header.weights_offset + header.weights_bytes <= header.file_bytes;
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(plan.data()) + sizeof(header),
                                 whole ? header.metadata_bytes : 0);
  if (!whole || !plan::VerifyPlanBuffer(verifier)) throw CompileError("the plan is damaged");
  weights_offset_ = header.weights_offset;
  plan_ = plan::GetPlan(plan.data() + sizeof(header));
  for (const plan::Op* op : *plan_->ops()) read_op(*op);
  for (const int32_t input : *plan_->inputs()) {
    const plan::Tensor& tensor = *plan_->tensors()->Get(static_cast<uint32_t>(input));
    if (tensor.dtype() == DType::kInt8) quantizations_.try_emplace(name_of(tensor), quantization_of(tensor));
  }
}

void PlanReader::read_op(const plan::Op& op) {
  const plan::Tensor& output = *plan_->tensors()->Get(static_cast<uint32_t>(op.outputs()->Get(0)));
  // A tensor in other steps than its own, for one reader's sake.
  const bool copy = op.code() == OpCode::kRequantize;
  const Quantization q = quantization_of(output);
  if (output.dtype() == DType::kInt8 && q.scales.size() == 1 && !copy)
    quantizations_.try_emplace(name_of(output), q);
  if (!computes_with_weights(op.code()) || op.inputs()->Get(1) < 0) return;
  const plan::Tensor& weights = *plan_->tensors()->Get(static_cast<uint32_t>(op.inputs()->Get(1)));
  if (weights.storage() != plan::Storage::kWeights) return;
  if (layers_.try_emplace(name_of(output), &op).second && is_approximate(weights)) ++approximated_;
}

const Quantization* PlanReader::quantization(const std::string& tensor) const {
  const auto found = quantizations_.find(tensor);
  return found == quantizations_.end() ? nullptr : &found->second;
}

std::vector<std::byte> PlanReader::bytes_of(const plan::Tensor& tensor) const {
  const TensorType type = type_of(tensor);
  const uint64_t elements = static_cast<uint64_t>(element_count(type.shape));
  const uint64_t size = elements * element_size(type.dtype);
  const bool lacks_zeros = tensor.encoding() == plan::Encoding::kNoZeros;
  const uint64_t stored = lacks_zeros ? tensor.stored_bytes() : size;
  const uint64_t first = weights_offset_ + tensor.offset();
  if (first > bytes_.size() || stored > bytes_.size() - first) throw CompileError("the plan is damaged");
  const std::span<const std::byte> bytes = bytes_.subspan(first, stored);
  if (!lacks_zeros) return {bytes.begin(), bytes.end()};
  if (zero_mask_bytes(elements) > stored) throw CompileError("the plan is damaged");
  std::vector<std::byte> whole(size);
  if (!put_zeros_back(bytes.data(), stored, elements, element_size(type.dtype), whole.data()))
    throw CompileError("the plan is damaged");
  return whole;
}

Tensor PlanReader::real_constant(const plan::Tensor& tensor) const {
  Tensor result(TensorType{DType::kFloat32, type_of(tensor).shape});
  const std::vector<std::byte> bytes = bytes_of(tensor);
  const std::span<float> real = result.as<float>();
  const Quantization q = quantization_of(tensor);
  const size_t row = q.scales.empty() ? 1 : std::max<size_t>(1, real.size() / q.scales.size());
  for (size_t i = 0; i < real.size(); ++i) {
    if (tensor.dtype() == DType::kFloat32) {
      std::memcpy(&real[i], bytes.data() + i * sizeof(float), sizeof(float));
    } else if (tensor.dtype() == DType::kFloat16) {
      uint16_t half;
      std::memcpy(&half, bytes.data() + i * sizeof(half), sizeof(half));
      real[i] = from_half(half);
    } else if (tensor.dtype() == DType::kInt8 && !q.scales.empty()) {
      const int value = static_cast<int8_t>(bytes[i]);
      real[i] = static_cast<float>(value - q.zero_point) * q.scales[std::min(i / row, q.scales.size() - 1)];
    } else {
      throw CompileError("the plan has a constant that is no number: " + name_of(tensor));
    }
  }
  return result;
}

std::vector<double> PlanReader::weight_norms(const std::string& tensor) const {
  const auto found = layers_.find(tensor);
  if (found == layers_.end()) return {};
  const Tensor weights =
      real_constant(*plan_->tensors()->Get(static_cast<uint32_t>(found->second->inputs()->Get(1))));
  return row_norms(weights);
}

std::optional<PlanReader::Weights> PlanReader::weights(const std::string& tensor) const {
  const auto found = layers_.find(tensor);
  if (found == layers_.end()) return std::nullopt;
  const plan::Op& op = *found->second;
  const auto operand = [&](uint32_t i) -> const plan::Tensor& {
    return *plan_->tensors()->Get(static_cast<uint32_t>(op.inputs()->Get(i)));
  };
  if (!is_approximate(operand(1))) return std::nullopt;
  Weights result;
  result.code = op.code();
  result.weights = real_constant(operand(1));
  if (op.attributes_as_Conv2d() != nullptr) result.pad_left = op.attributes_as_Conv2d()->pad_left();
  if (op.inputs()->size() < 3 || op.inputs()->Get(2) < 0) return result;
  const plan::Tensor& bias = operand(2);
  if (bias.dtype() != DType::kInt32) {
    result.bias = real_constant(bias);
    return result;
  }
  // Whole multiples of the input's step times the channel's.
  const std::vector<float> input = quantization_of(operand(0)).scales;
  const std::vector<float> steps = quantization_of(operand(1)).scales;
  if (input.empty() || steps.empty()) throw CompileError("the plan has a bias without a scale: " + tensor);
  result.bias = Tensor(TensorType{DType::kFloat32, type_of(bias).shape});
  const std::vector<std::byte> bytes = bytes_of(bias);
  const std::span<float> real = result.bias->as<float>();
  for (size_t i = 0; i < real.size(); ++i) {
    int32_t value;
    std::memcpy(&value, bytes.data() + i * sizeof(value), sizeof(value));
    const double step =
        static_cast<double>(input[0]) * static_cast<double>(steps[std::min(i, steps.size() - 1)]);
    real[i] = static_cast<float>(value * step);
  }
  return result;
}

}  // namespace bantam::compiler
