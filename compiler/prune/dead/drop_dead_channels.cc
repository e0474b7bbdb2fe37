// Channels that a pruned model still carries as zeros go for good: those that nothing makes (weights of zero,
// so that they hold one number for ever) and those that nothing reads (weights of zero in all their readers).
// The outputs stay what they were.
#include <fmt/format.h>

#include <algorithm>

#include "passes/pass.h"
#include "prune/channels/structure.h"
#include "prune/dead/constant_channels.h"

namespace bantam::compiler {
namespace {

bool has_zero_row_or_column(const Graph& graph, const Node& node) {
  const Tensor& tensor = graph.constant(node.inputs[1]);
  const std::span<const float> w = tensor.as<float>();
  const size_t outputs = static_cast<size_t>(tensor.type.shape[0]);
  const size_t inputs = static_cast<size_t>(tensor.type.shape.back());
  std::vector<bool> row(outputs, false);
  std::vector<bool> column(inputs, false);
  for (size_t i = 0; i < w.size(); ++i) {
    if (w[i] == 0.0f) continue;
    row[i / (w.size() / outputs)] = true;
    column[i % inputs] = true;
  }
  const auto any_zero = [](const std::vector<bool>& used) {
    return std::find(used.begin(), used.end(), false) != used.end();
  };
  return any_zero(row) || any_zero(column);
}

bool worth_looking(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
    return has_weights(node.code) && graph.is_constant(node.inputs[1]) &&
           graph.dtype(node.inputs[1]) == DType::kFloat32 && has_zero_row_or_column(graph, node);
  });
}

bool is_padded(const Node& node) {
  if (node.code == OpCode::kFullyConnected) return false;
  const auto& conv = node.attrs<plan::Conv2dT>();
  return node.code != OpCode::kConv2d || conv.pad_top + conv.pad_bottom + conv.pad_left + conv.pad_right > 0;
}

class DeadChannels {
 public:
  explicit DeadChannels(Graph& graph)
      : graph_(graph), structure_(find_structure(graph)), constants_(constant_channels(graph)) {}

  // How many channels went.
  int drop() {
    dead_.assign(static_cast<size_t>(structure_.units), true);
    for (const Node& node : graph_.nodes) look(node);
    keep_one_per_group();
    const int count = static_cast<int>(std::count(dead_.begin(), dead_.end(), true));
    if (count == 0) return 0;
    for (Node& node : graph_.nodes) {
      if (has_weights(node.code)) absorb(node);
    }
    for (const ChannelGroup& group : structure_.groups) add_note(group);
    remove_units(graph_, structure_, dead_);
    return count;
  }

 private:
  std::optional<float> constant_at(ValueId id, size_t channel) const {
    const ChannelConstants& known = constants_[static_cast<size_t>(id)];
    return known.empty() ? std::nullopt : known[channel];
  }

  // What a node reads across channels stays, unless it makes no difference to it.
  void look(const Node& node) {
    if (node.code == OpCode::kMatMul) {
      const ValueId a = node.inputs[0];
      const std::vector<int>& units = structure_.along(a, graph_.shape(a).size() - 1);
      for (size_t c = 0; c < units.size(); ++c) {
        if (units[c] >= 0 && constant_at(a, c) != 0.0f) dead_[static_cast<size_t>(units[c])] = false;
      }
    }
    if (!has_weights(node.code)) return;
    const ValueId x = node.inputs[0];
    const ValueId w = node.inputs[1];
    const std::vector<int>& columns = structure_.along(w, graph_.shape(w).size() - 1);
    const std::vector<int>& units = structure_.along(x, graph_.shape(x).size() - 1);
    for (size_t c = 0; c < units.size(); ++c) {
      const size_t column = c % columns.size();
      // Grouped layers that take channels one by one pass them on, and do not read them.
      if (units[c] < 0 || columns[column] != units[c]) continue;
      const std::optional<float> constant = constant_at(x, c);
      const bool silent =
          constant == 0.0f || (constant && !is_padded(node) && columns.size() == units.size());
      if (!silent && !is_zero_column(w, column)) dead_[static_cast<size_t>(units[c])] = false;
    }
  }

  bool is_zero_column(ValueId w, size_t column) const {
    const std::span<const float> data = graph_.constant(w).as<float>();
    const size_t columns = static_cast<size_t>(graph_.shape(w).back());
    for (size_t i = column; i < data.size(); i += columns) {
      if (data[i] != 0.0f) return false;
    }
    return true;
  }

  void keep_one_per_group() {
    for (const ChannelGroup& group : structure_.groups) {
      const bool all = std::all_of(group.units.begin(), group.units.end(),
                                   [&](int unit) { return dead_[static_cast<size_t>(unit)]; });
      if (all || group.readers.empty()) dead_[static_cast<size_t>(group.units[0])] = false;
    }
  }

  // Constants other than zero go into the bias of their readers.
  void absorb(Node& node) {
    const ValueId x = node.inputs[0];
    const ValueId w = node.inputs[1];
    const std::vector<int>& units = structure_.along(x, graph_.shape(x).size() - 1);
    const size_t columns = static_cast<size_t>(graph_.shape(w).back());
    if (columns != units.size()) return;
    const std::span<const float> data = graph_.constant(w).as<float>();
    const size_t outputs = static_cast<size_t>(graph_.shape(w)[0]);
    std::vector<double> shift(outputs, 0.0);
    for (size_t c = 0; c < units.size(); ++c) {
      if (units[c] < 0 || !dead_[static_cast<size_t>(units[c])]) continue;
      const double constant = static_cast<double>(constant_at(x, c).value_or(0.0f));
      for (size_t i = c; i < data.size(); i += columns)
        shift[i / (data.size() / outputs)] += constant * static_cast<double>(data[i]);
    }
    if (std::all_of(shift.begin(), shift.end(), [](double s) { return s == 0; })) return;
    add_to_bias(node, shift);
  }

  void add_to_bias(Node& node, const std::vector<double>& shift) {
    Tensor bias(TensorType{DType::kFloat32, {static_cast<int64_t>(shift.size())}});
    const bool biased = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    if (biased) bias = graph_.constant(node.inputs[2]);
    const std::span<float> values = bias.as<float>();
    for (size_t o = 0; o < shift.size(); ++o)
      values[o] = static_cast<float>(static_cast<double>(values[o]) + shift[o]);
    if (biased) {
      graph_.value(node.inputs[2]).constant = std::make_shared<const Tensor>(std::move(bias));
      return;
    }
    node.inputs.resize(2);
    // Values of their own are outside the structure, and shrink with nothing: output channels that go, too,
    // are left out here.
    const std::vector<int> kept = kept_along(structure_, dead_, node.inputs[1], 0);
    Tensor shrunk(TensorType{DType::kFloat32, {static_cast<int64_t>(kept.size())}});
    for (size_t o = 0; o < kept.size(); ++o) shrunk.as<float>()[o] = values[static_cast<size_t>(kept[o])];
    node.inputs.push_back(graph_.add_constant(node.name + " bias", std::move(shrunk)));
  }

  void add_note(const ChannelGroup& group) {
    const auto count = std::count_if(group.units.begin(), group.units.end(),
                                     [&](int unit) { return dead_[static_cast<size_t>(unit)]; });
    if (count > 0)
      graph_.note(group.name,
                  fmt::format("{} of {} channels removed: they were zero", count, group.units.size()));
  }

  Graph& graph_;
  Structure structure_;
  std::vector<ChannelConstants> constants_;
  std::vector<bool> dead_;  // by unit
};

}  // namespace

void drop_dead_channels(Graph& graph, PassContext&) {
  if (!worth_looking(graph)) return;
  separate_constants(graph);
  while (DeadChannels(graph).drop() > 0) {
  }
}

}  // namespace bantam::compiler
