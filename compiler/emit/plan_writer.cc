#include "emit/plan_writer.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <map>

#include "bantam/compiler/error.h"
#include "emit/arena.h"
#include "emit/zeros.h"
#include "hash64.h"
#include "ops/op_def.h"
#include "plan_format.h"

namespace bantam::compiler {
namespace {

uint64_t align_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

class PlanWriter {
 public:
  PlanWriter(const Graph& graph, const EmitOptions& options) : graph_(graph), options_(options) {}

  std::vector<std::byte> write() {
    plan_.name = graph_.name;
    number_tensors();
    place_constants();
    place_arena();
    for (const Node& node : graph_.nodes) add_op(node);
    for (ValueId id : graph_.inputs) plan_.inputs.push_back(tensor_of(id));
    for (ValueId id : graph_.outputs) plan_.outputs.push_back(tensor_of(id));
    add_metadata();
    return file();
  }

 private:
  int32_t tensor_of(ValueId id) const { return id == kNoValue ? -1 : tensors_.at(id); }

  void number(ValueId id) {
    if (id == kNoValue || tensors_.contains(id)) return;
    const Value& value = graph_.value(id);
    if (value.view) number(value.view->base);
    tensors_.emplace(id, static_cast<int32_t>(plan_.tensors.size()));
    values_.push_back(id);
    auto tensor = std::make_unique<plan::TensorT>();
    tensor->name = value.name;
    tensor->dtype = value.type.dtype;
    tensor->half = value.half;
    for (int64_t dim : value.type.shape) tensor->shape.push_back(static_cast<int32_t>(dim));
    if (value.quantization) {
      tensor->quantization = std::make_unique<plan::QuantizationT>();
      tensor->quantization->scales = value.quantization->scales;
      tensor->quantization->zero_point = value.quantization->zero_point;
    }
    plan_.tensors.push_back(std::move(tensor));
  }

  void number_tensors() {
    for (ValueId id : graph_.inputs) number(id);
    for (const Node& node : graph_.nodes) {
      for (ValueId id : node.inputs) number(id);
      for (ValueId id : node.outputs) number(id);
    }
  }

  void place_constants() {
    std::map<std::string, uint64_t, std::less<>> seen;
    const std::vector<bool> may_lack_zeros = weights_of_layers(graph_);
    for (size_t i = 0; i < values_.size(); ++i) {
      const Value& value = graph_.value(values_[i]);
      if (value.constant == nullptr) continue;
      plan::TensorT& tensor = *plan_.tensors[i];
      std::vector<std::byte> packed;
      if (may_lack_zeros[static_cast<size_t>(values_[i])]) packed = without_zeros(*value.constant);
      if (!packed.empty()) {
        tensor.encoding = plan::Encoding::kNoZeros;
        tensor.stored_bytes = packed.size();
        minor_ = kPlanMinorNoZeros;
      }
      const auto& bytes = packed.empty() ? value.constant->bytes : packed;
      const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      auto entry = seen.find(content);
      if (entry == seen.end()) {
        weights_.resize(align_up(weights_.size(), kTensorAlignment));
        entry = seen.emplace(content, weights_.size()).first;
        weights_.insert(weights_.end(), bytes.begin(), bytes.end());
      }
      tensor.storage = plan::Storage::kWeights;
      tensor.offset = entry->second;
    }
  }

  ValueId root_of(ValueId id) const {
    while (graph_.value(id).view) id = graph_.value(id).view->base;
    return id;
  }

  void place_arena() {
    std::map<ValueId, Buffer> buffers;  // by root; ordered, so that the plan is deterministic
    const auto touch = [&](ValueId id, int op) {
      if (id == kNoValue || graph_.is_constant(id)) return;
      const ValueId root = root_of(id);
      const TensorType& type = graph_.value(root).type;
      const uint64_t bytes = static_cast<uint64_t>(element_count(type.shape)) * element_size(type.dtype);
      const auto [entry, fresh] = buffers.try_emplace(root, Buffer{bytes, op, op});
      entry->second.first = std::min(entry->second.first, op);
      entry->second.last = std::max(entry->second.last, op);
    };
    for (ValueId id : graph_.inputs) touch(id, -1);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (ValueId id : graph_.nodes[i].inputs) touch(id, static_cast<int>(i));
      for (ValueId id : graph_.nodes[i].outputs) touch(id, static_cast<int>(i));
    }
    for (ValueId id : graph_.outputs) touch(id, static_cast<int>(graph_.nodes.size()));
    std::vector<Buffer> list;
    for (const auto& [root, buffer] : buffers) list.push_back(buffer);
    plan_.arena_bytes = place_buffers(list);
    size_t next = 0;
    for (const auto& [root, buffer] : buffers) tensor(root).offset = list[next++].offset;
    for (ValueId id : values_) place_view(id);
  }

  void place_view(ValueId id) {
    const Value& value = graph_.value(id);
    if (!value.view) return;
    plan::TensorT& view = tensor(id);
    view.base = tensor_of(value.view->base);
    view.offset = static_cast<uint64_t>(value.view->offset) * element_size(value.type.dtype);
    view.pixel_stride = static_cast<int32_t>(value.view->pixel_stride);
    if (graph_.is_constant(root_of(id))) throw InternalError("a view of a constant: " + value.name);
  }

  plan::TensorT& tensor(ValueId id) { return *plan_.tensors[static_cast<size_t>(tensor_of(id))]; }

  void add_op(const Node& node) {
    auto op = std::make_unique<plan::OpT>();
    op->code = node.code;
    op->name = node.name;
    for (ValueId id : node.inputs) op->inputs.push_back(tensor_of(id));
    for (ValueId id : node.outputs) op->outputs.push_back(tensor_of(id));
    std::visit(
        [&](const auto& attributes) {
          using T = std::decay_t<decltype(attributes)>;
          if constexpr (!std::is_same_v<T, std::monostate>) op->attributes.Set(T(attributes));
        },
        node.attributes);
    op->half = node.half;
    op->macs = multiply_accumulates(graph_, node);
    const size_t index = plan_.ops.size();
    if (index < options_.golden.ops.size()) op->golden = options_.golden.ops[index];
    plan_.ops.push_back(std::move(op));
  }

  void add_metadata() {
    if (graph_.has_preprocessing)
      plan_.preprocessing = std::make_unique<plan::PreprocessingT>(graph_.preprocessing);
    plan_.provenance = std::make_unique<plan::ProvenanceT>();
    plan_.provenance->source_name = options_.source_name;
    plan_.provenance->source_hash = options_.source_hash;
    plan_.provenance->options = options_.options;
    plan_.provenance->calibration = options_.calibration;
    plan_.provenance->compiler_version = BANTAM_VERSION;
    plan_.golden_outputs = options_.golden.outputs;
    for (const plan::NoteT& note : graph_.notes) plan_.notes.push_back(std::make_unique<plan::NoteT>(note));
  }

  std::vector<std::byte> file() const {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(plan::Plan::Pack(builder, &plan_));
    const auto* metadata = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
    PlanHeader header = {};
    header.magic = kPlanMagic;
    header.major = kPlanMajor;
    header.minor = minor_;
    header.metadata_bytes = builder.GetSize();
    header.weights_offset = align_up(sizeof(header) + header.metadata_bytes, kTensorAlignment);
    header.weights_bytes = weights_.size();
    header.file_bytes = header.weights_offset + header.weights_bytes + kReadPadding;
    std::vector<std::byte> bytes(header.file_bytes);
    std::copy_n(metadata, builder.GetSize(), bytes.begin() + sizeof(header));
    std::copy(weights_.begin(), weights_.end(),
              bytes.begin() + static_cast<ptrdiff_t>(header.weights_offset));
    header.checksum = hash64(bytes.data() + sizeof(header), bytes.size() - sizeof(header));
    std::memcpy(bytes.data(), &header, sizeof(header));
    return bytes;
  }

  const Graph& graph_;
  const EmitOptions& options_;
  plan::PlanT plan_;
  std::map<ValueId, int32_t> tensors_;
  std::vector<ValueId> values_;  // by tensor index
  std::vector<std::byte> weights_;
  uint16_t minor_ = 0;  // the first format that has all that the plan needs
};

}  // namespace

uint64_t multiply_accumulates(const Graph& graph, const Node& node) {
  const auto elements = [&](ValueId id) { return static_cast<uint64_t>(element_count(graph.shape(id))); };
  switch (node.code) {
    case OpCode::kConv2d:
    case OpCode::kFullyConnected: {
      const Shape& weights = graph.shape(node.inputs[1]);
      return elements(node.outputs[0]) * elements(node.inputs[1]) /
             static_cast<uint64_t>(std::max<int64_t>(weights[0], 1));
    }
    case OpCode::kConvTranspose2d: {
      const uint64_t channels = static_cast<uint64_t>(graph.shape(node.inputs[0]).back());
      const uint64_t pixels = elements(node.inputs[0]) / std::max<uint64_t>(channels, 1);
      return pixels * elements(node.inputs[1]);
    }
    case OpCode::kMatMul:
    case OpCode::kNarrowFullyConnected:
      return elements(node.outputs[0]) * static_cast<uint64_t>(graph.shape(node.inputs[0]).back());
    default:
      return 0;
  }
}

std::vector<std::byte> write_plan(const Graph& graph, const EmitOptions& options) {
  return PlanWriter(graph, options).write();
}

}  // namespace bantam::compiler
