// Physical removal of channels.
#include <algorithm>

#include "prune/channels/structure.h"

namespace bantam::compiler {
namespace {

// The steps of what is left of an axis.
std::shared_ptr<const Steps> selected(const std::shared_ptr<const Steps>& steps, size_t axis,
                                      const std::vector<int>& kept) {
  if (!steps || steps->sizes.size() < 2 || steps->axis != static_cast<int>(axis)) return steps;
  auto result = std::make_shared<Steps>();
  result->axis = steps->axis;
  for (int index : kept) result->sizes.push_back(steps->sizes[static_cast<size_t>(index)]);
  return result;
}

// The tensor with only the indices `kept` along `axis`.
Tensor selected(const Tensor& tensor, size_t axis, const std::vector<int>& kept) {
  TensorType type = tensor.type;
  size_t outer = 1;
  size_t inner = element_size(type.dtype);
  for (size_t i = 0; i < type.shape.size(); ++i) {
    if (i != axis) (i < axis ? outer : inner) *= static_cast<size_t>(type.shape[i]);
  }
  const size_t dim = static_cast<size_t>(type.shape[axis]);
  type.shape[axis] = static_cast<int64_t>(kept.size());
  Tensor result(type);
  std::byte* out = result.bytes.data();
  for (size_t o = 0; o < outer; ++o) {
    for (int index : kept) {
      const std::byte* from = tensor.bytes.data() + (o * dim + static_cast<size_t>(index)) * inner;
      out = std::copy_n(from, inner, out);
    }
  }
  result.steps = selected(tensor.steps, axis, kept);
  return result;
}

int count_kept(const std::vector<int>& units, const std::vector<bool>& removed, int first, int last) {
  return static_cast<int>(std::count_if(units.begin() + first, units.begin() + last, [&](int unit) {
    return unit < 0 || !removed[static_cast<size_t>(unit)];
  }));
}

class Remover {
 public:
  Remover(Graph& graph, const Structure& structure, const std::vector<bool>& removed)
      : graph_(graph), structure_(structure), removed_(removed) {}

  void run() {
    for (Node& node : graph_.nodes) shrink_attributes(node);  // by the old shapes
    for (size_t v = 0; v < structure_.unit_of.size(); ++v) shrink(static_cast<ValueId>(v));
    for (Node& node : graph_.nodes) {
      if (node.code != OpCode::kConv2d && node.code != OpCode::kConvTranspose2d) continue;
      auto& conv = node.attrs<plan::Conv2dT>();
      if (conv.groups == 1) continue;
      conv.groups = static_cast<int32_t>(graph_.shape(node.inputs[0])[3] / graph_.shape(node.inputs[1])[3]);
    }
  }

 private:
  // How many of the indices first to last - 1 stay.
  int kept(ValueId id, size_t axis, int64_t first, int64_t last) const {
    return count_kept(structure_.along(id, axis), removed_, static_cast<int>(first), static_cast<int>(last));
  }

  void shrink_attributes(Node& node) {
    if (node.code == OpCode::kSlice) {
      auto& slice = node.attrs<plan::SliceT>();
      for (size_t axis = 0; axis < slice.starts.size(); ++axis)
        slice.starts[axis] = kept(node.inputs[0], axis, 0, slice.starts[axis]);
    } else if (node.code == OpCode::kPad) {
      auto& pad = node.attrs<plan::PadT>();
      const ValueId y = node.outputs[0];
      for (size_t axis = 0; axis < pad.before.size(); ++axis) {
        const int64_t dim = graph_.shape(y)[axis];
        pad.before[axis] = kept(y, axis, 0, pad.before[axis]);
        pad.after[axis] = kept(y, axis, dim - pad.after[axis], dim);
      }
    }
  }

  void shrink(ValueId id) {
    Value& value = graph_.value(id);
    for (size_t axis = 0; axis < value.type.shape.size(); ++axis) {
      const std::vector<int> indices = kept_along(structure_, removed_, id, axis);
      if (static_cast<int64_t>(indices.size()) == value.type.shape[axis]) continue;
      if (value.constant != nullptr)
        value.constant = std::make_shared<const Tensor>(selected(*value.constant, axis, indices));
      value.type.shape[axis] = static_cast<int64_t>(indices.size());
    }
  }

  Graph& graph_;
  const Structure& structure_;
  const std::vector<bool>& removed_;
};

}  // namespace

std::vector<int> kept_along(const Structure& structure, const std::vector<bool>& removed, ValueId id,
                            size_t axis) {
  std::vector<int> indices;
  const std::vector<int>& units = structure.along(id, axis);
  for (size_t i = 0; i < units.size(); ++i) {
    if (units[i] < 0 || !removed[static_cast<size_t>(units[i])]) indices.push_back(static_cast<int>(i));
  }
  return indices;
}

void remove_units(Graph& graph, const Structure& structure, const std::vector<bool>& removed) {
  Remover(graph, structure, removed).run();
}

}  // namespace bantam::compiler
