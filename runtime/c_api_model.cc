// C API: what a model says about itself.
#include "c_api_support.h"
#include "enum_names.h"
#include "zero_mask.h"

namespace bantam::c_api {
namespace {

const char* kind_name(const plan::Op& op) {
  switch (op.code()) {
    case plan::OpCode::kUnary:
      return plan::enum_name(op.attributes_as_Unary()->kind());
    case plan::OpCode::kBinary:
      return plan::enum_name(op.attributes_as_Binary()->kind());
    case plan::OpCode::kReduce:
      return plan::enum_name(op.attributes_as_Reduce()->kind());
    default:
      return "";
  }
}

// Of what an op reads, except where that is a condition or an image.
plan::DType data_dtype(const OpContext& op) {
  switch (op.op->code()) {
    case plan::OpCode::kWhere:
    case plan::OpCode::kNormalizeImage:
      return op.output().dtype;
    default:
      return op.input_count > 0 && op.has_input(0) ? op.input(0).dtype : op.output().dtype;
  }
}

// The dtype in which an op computes: that of its data, but in float16 it multiplies only where it was chosen.
plan::DType compute_dtype(const OpContext& op) {
  if (op.float16) return plan::DType::kFloat16;
  const plan::DType data = data_dtype(op);
  return data == plan::DType::kFloat16 && op.op->macs() > 0 ? plan::DType::kFloat32 : data;
}

void count_weights(const OpContext& op, bantam_op_info* info) {
  for (int32_t i = 0; i < op.input_count; ++i) {
    if (!op.has_input(i) || op.input(i).data == nullptr) continue;
    const TensorInfo& constant = op.input(i);
    const auto elements = static_cast<uint64_t>(constant.elements);
    info->weights_bytes += constant.bytes;
    info->stored_bytes += constant.stored_bytes;
    info->weights_count += elements;
    if (constant.without_zeros) {
      const uint64_t stored = constant.stored_bytes - zero_mask_bytes(elements);
      info->weights_zeros += elements - stored / element_size(constant.dtype);
    }
  }
}

bool has_golden(const plan::Plan& plan) {
  for (uint32_t i = 0; plan.ops() != nullptr && i < plan.ops()->size(); ++i) {
    if (plan.ops()->Get(i)->golden() != 0) return true;
  }
  if (plan.golden_outputs() == nullptr) return false;
  return std::any_of(plan.golden_outputs()->begin(), plan.golden_outputs()->end(),
                     [](uint64_t hash) { return hash != 0; });
}

void count_work(const LoadedPlan& loaded, bantam_model_info* info) {
  for (const OpContext& op : loaded.ops) {
    const uint64_t macs = op.op->macs();
    info->macs += macs;
    switch (compute_dtype(op)) {
      case plan::DType::kInt8:
        info->macs_int8 += macs, ++info->ops_int8;
        break;
      case plan::DType::kFloat16:
        info->macs_fp16 += macs, ++info->ops_fp16;
        break;
      case plan::DType::kFloat32:
        info->macs_fp32 += macs, ++info->ops_fp32;
        break;
      default:
        break;
    }
  }
}

const char* precision_of(const bantam_model_info& info) {
  const bool by_macs = info.macs != 0;
  const uint64_t int8 = by_macs ? info.macs_int8 : static_cast<uint64_t>(info.ops_int8);
  const uint64_t fp16 = by_macs ? info.macs_fp16 : static_cast<uint64_t>(info.ops_fp16);
  const uint64_t fp32 = by_macs ? info.macs_fp32 : static_cast<uint64_t>(info.ops_fp32);
  if (int8 > fp16 && int8 > fp32) return "int8";
  return fp16 > fp32 ? "fp16" : "fp32";
}

bantam_model_info describe_model(const LoadedPlan& loaded) {
  bantam_model_info info = {};
  info.name = text(loaded.plan->name());
  info.input_count = loaded.input_count();
  info.output_count = loaded.output_count();
  info.op_count = loaded.op_count();
  info.note_count = loaded.plan->notes() == nullptr ? 0 : static_cast<int32_t>(loaded.plan->notes()->size());
  info.format_major = loaded.header.major;
  info.format_minor = loaded.header.minor;
  info.plan_bytes = loaded.header.file_bytes;
  info.weights_bytes = loaded.header.weights_bytes;
  info.arena_bytes = loaded.arena_bytes;
  count_work(loaded, &info);
  info.precision = precision_of(info);
  info.has_preprocessing = loaded.plan->preprocessing() != nullptr;
  info.has_golden = has_golden(*loaded.plan);
  return info;
}

// A tensor that `indices` of the loaded plan lists.
bantam_status get_listed(const bantam_model* model, std::span<const int32_t> (LoadedPlan::*indices)() const,
                         int32_t index, bantam_tensor* tensor, bantam_error* error) {
  if (model == nullptr) return report(null_argument("model"), error);
  if (Status status = check_struct(tensor, "tensor"); !status.ok()) return report(status, error);
  const LoadedPlan& loaded = unwrap(model)->loaded();
  const std::span<const int32_t> list = (loaded.*indices)();
  if (!in_range(index, static_cast<int32_t>(list.size()))) {
    return report(invalid("index", "it is out of range"), error);
  }
  deliver(describe_tensor(loaded, list[static_cast<size_t>(index)]), tensor);
  return report({}, error);
}

bantam_status get_operand(const bantam_model* model, int32_t op, int32_t index, bool output,
                          bantam_tensor* tensor, bantam_error* error) {
  if (model == nullptr) return report(null_argument("model"), error);
  if (Status status = check_struct(tensor, "tensor"); !status.ok()) return report(status, error);
  const LoadedPlan& loaded = unwrap(model)->loaded();
  if (!in_range(op, loaded.op_count())) return report(invalid("op", "it is out of range"), error);
  const OpContext& context = loaded.ops[static_cast<size_t>(op)];
  if (!in_range(index, output ? context.output_count : context.input_count)) {
    return report(invalid("index", "it is out of range"), error);
  }
  const TensorInfo* operand = output ? context.outputs[index] : context.inputs[index];
  deliver(describe_tensor(loaded, operand == nullptr ? -1 : loaded.tensor_index(operand)), tensor);
  return report({}, error);
}

void copy_per_channel(const flatbuffers::Vector<float>* from, float otherwise, int32_t channels, float* to) {
  for (int32_t i = 0; i < channels; ++i) {
    to[i] =
        from == nullptr || from->size() == 0 ? otherwise : from->Get(static_cast<flatbuffers::uoffset_t>(i));
  }
}

}  // namespace

const char* op_code_name(const plan::Op& op) { return plan::enum_name(op.code()); }

bantam_tensor describe_tensor(const LoadedPlan& loaded, int32_t index) {
  bantam_tensor tensor = {};
  tensor.struct_size = sizeof(tensor);
  tensor.index = index;
  tensor.name = "";
  std::fill(tensor.dims, tensor.dims + BANTAM_MAX_RANK, 1);
  if (index < 0) return tensor;
  const TensorInfo& info = loaded.tensors[static_cast<size_t>(index)];
  tensor.name = loaded.tensor_name(index);
  tensor.dtype = static_cast<bantam_dtype>(info.dtype);
  tensor.rank = info.rank;
  std::copy(info.dims, info.dims + info.rank, tensor.dims);
  tensor.pixel_stride = info.pixel_stride;
  tensor.scale = info.quantized() ? info.scale() : 0;
  tensor.zero_point = info.zero_point;
  tensor.bytes = info.bytes;
  tensor.data = info.without_zeros ? nullptr : const_cast<void*>(info.data);
  return tensor;
}

}  // namespace bantam::c_api

using namespace bantam;         // NOLINT: this file is the C face of that namespace
using namespace bantam::c_api;  // NOLINT

bantam_status bantam_model_get_info(const bantam_model* model, bantam_model_info* info, bantam_error* error) {
  if (model == nullptr) return report(null_argument("model"), error);
  if (Status status = check_struct(info, "info"); !status.ok()) return report(status, error);
  deliver(describe_model(unwrap(model)->loaded()), info);
  return report({}, error);
}

bantam_status bantam_model_get_input(const bantam_model* model, int32_t index, bantam_tensor* tensor,
                                     bantam_error* error) {
  return get_listed(model, &LoadedPlan::inputs, index, tensor, error);
}

bantam_status bantam_model_get_output(const bantam_model* model, int32_t index, bantam_tensor* tensor,
                                      bantam_error* error) {
  return get_listed(model, &LoadedPlan::outputs, index, tensor, error);
}

bantam_status bantam_model_get_op(const bantam_model* model, int32_t index, bantam_op_info* op,
                                  bantam_error* error) {
  constexpr size_t kLeast = offsetof(bantam_op_info, weights_count);
  if (model == nullptr) return report(null_argument("model"), error);
  if (Status status = check_struct(op, "op", kLeast); !status.ok()) return report(status, error);
  const LoadedPlan& loaded = unwrap(model)->loaded();
  if (!in_range(index, loaded.op_count())) return report(invalid("index", "it is out of range"), error);
  const OpContext& context = loaded.ops[static_cast<size_t>(index)];
  bantam_op_info info = {};
  info.name = loaded.op_name(index);
  info.code = op_code_name(*context.op);
  info.kind = kind_name(*context.op);
  info.dtype = static_cast<bantam_dtype>(compute_dtype(context));
  info.input_count = context.input_count;
  info.output_count = context.output_count;
  info.macs = context.op->macs();
  count_weights(context, &info);
  info.golden = context.op->golden();
  deliver(info, op);
  return report({}, error);
}

bantam_status bantam_model_get_op_input(const bantam_model* model, int32_t op, int32_t index,
                                        bantam_tensor* tensor, bantam_error* error) {
  return get_operand(model, op, index, false, tensor, error);
}

bantam_status bantam_model_get_op_output(const bantam_model* model, int32_t op, int32_t index,
                                         bantam_tensor* tensor, bantam_error* error) {
  return get_operand(model, op, index, true, tensor, error);
}

bantam_status bantam_model_get_preprocessing(const bantam_model* model, bantam_preprocessing* preprocessing,
                                             bantam_error* error) {
  if (model == nullptr) return report(null_argument("model"), error);
  if (Status status = check_struct(preprocessing, "preprocessing"); !status.ok())
    return report(status, error);
  const plan::Preprocessing* image = unwrap(model)->plan().preprocessing();
  if (image == nullptr) return report(invalid("preprocessing", "the model has none"), error);
  bantam_preprocessing info = {};
  info.order = static_cast<bantam_channel_order>(image->order());
  info.resize = image->resize();
  info.crop = image->crop();
  info.channels = image->order() == plan::ChannelOrder::kGray ? 1 : 3;
  copy_per_channel(image->mean(), 0, info.channels, info.mean);
  copy_per_channel(image->std(), 1, info.channels, info.std);
  deliver(info, preprocessing);
  return report({}, error);
}

bantam_status bantam_model_get_provenance(const bantam_model* model, bantam_provenance* provenance,
                                          bantam_error* error) {
  if (model == nullptr) return report(null_argument("model"), error);
  if (Status status = check_struct(provenance, "provenance"); !status.ok()) return report(status, error);
  const plan::Provenance* from = unwrap(model)->plan().provenance();
  bantam_provenance info = {};
  info.source_name = from == nullptr ? "" : text(from->source_name());
  info.source_hash = from == nullptr ? 0 : from->source_hash();
  info.options = from == nullptr ? "" : text(from->options());
  info.calibration = from == nullptr ? "" : text(from->calibration());
  info.compiler_version = from == nullptr ? "" : text(from->compiler_version());
  deliver(info, provenance);
  return report({}, error);
}

bantam_status bantam_model_get_note(const bantam_model* model, int32_t index, bantam_note* note,
                                    bantam_error* error) {
  if (model == nullptr) return report(null_argument("model"), error);
  if (Status status = check_struct(note, "note"); !status.ok()) return report(status, error);
  const auto* notes = unwrap(model)->plan().notes();
  if (!in_range(index, notes == nullptr ? 0 : static_cast<int32_t>(notes->size()))) {
    return report(invalid("index", "it is out of range"), error);
  }
  const plan::Note* from = notes->Get(static_cast<flatbuffers::uoffset_t>(index));
  bantam_note info = {};
  info.node = text(from->node());
  info.text = text(from->text());
  deliver(info, note);
  return report({}, error);
}
