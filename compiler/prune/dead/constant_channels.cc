#include "prune/dead/constant_channels.h"

#include <algorithm>
#include <map>

#include "prune/channels/structure.h"

namespace bantam::compiler {
namespace {

using plan::BinaryKind;
using plan::UnaryKind;

bool keeps_zero(UnaryKind kind) {
  constexpr UnaryKind kKinds[] = {
      UnaryKind::kLeakyRelu, UnaryKind::kElu,   UnaryKind::kSelu,     UnaryKind::kHardSwish,
      UnaryKind::kTanh,      UnaryKind::kGelu,  UnaryKind::kGeluTanh, UnaryKind::kErf,
      UnaryKind::kSqrt,      UnaryKind::kNeg,   UnaryKind::kAbs,      UnaryKind::kSilu,
      UnaryKind::kSquare,    UnaryKind::kMish,  UnaryKind::kSoftsign, UnaryKind::kSin,
      UnaryKind::kCelu,      UnaryKind::kFloor, UnaryKind::kRound};
  return std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds);
}

class ConstantFinder {
 public:
  explicit ConstantFinder(const Graph& graph) : graph_(graph), known_(graph.values.size()) {}

  std::vector<ChannelConstants> run() {
    for (const Node& node : graph_.nodes) {
      const ValueId y = node.outputs[0];
      if (graph_.dtype(y) != DType::kFloat32 || graph_.shape(y).empty()) continue;
      ChannelConstants result = find(node);
      const bool any = std::any_of(result.begin(), result.end(), [](const auto& c) { return c.has_value(); });
      if (any) known_[static_cast<size_t>(y)] = std::move(result);
    }
    return std::move(known_);
  }

 private:
  size_t channels(ValueId id) const {
    return graph_.shape(id).empty() ? 1 : static_cast<size_t>(graph_.shape(id).back());
  }

  std::optional<float> at(ValueId id, size_t channel) const {
    if (graph_.is_constant(id)) return constant_at(id, channel);
    const ChannelConstants& known = known_[static_cast<size_t>(id)];
    return known.empty() ? std::nullopt : known[channel];
  }

  std::optional<float> constant_at(ValueId id, size_t channel) const {
    if (graph_.dtype(id) != DType::kFloat32) return std::nullopt;
    const std::span<const float> data = graph_.constant(id).as<float>();
    const size_t step = channels(id);
    for (size_t i = channel; i < data.size(); i += step) {
      if (data[i] != data[channel]) return std::nullopt;
    }
    return data.empty() ? std::nullopt : std::optional(data[channel]);
  }

  bool is_zero(ValueId id, size_t channel) const { return at(id, channel) == 0.0f; }

  ChannelConstants find(const Node& node) {
    switch (node.code) {
      case OpCode::kConv2d:
      case OpCode::kConvTranspose2d:
      case OpCode::kFullyConnected:
        return of_layer(node);
      case OpCode::kUnary:
        return of_unary(node);
      case OpCode::kBinary:
        return of_binary(node);
      case OpCode::kMaxPool2d:
      case OpCode::kAveragePool2d:
      case OpCode::kCopy:
        return zeros_of(node.inputs[0]);
      case OpCode::kResize:
        return node.attrs<plan::ResizeT>().extrapolation == 0.0f ? zeros_of(node.inputs[0])
                                                                 : ChannelConstants();
      case OpCode::kConcat:
        return of_concat(node);
      case OpCode::kSlice:
        return of_slice(node);
      case OpCode::kPad:
        return of_pad(node);
      case OpCode::kReduce:
        return of_reduce(node);
      case OpCode::kReshape:
        return of_reshape(node);
      case OpCode::kTranspose:
        return of_transpose(node);
      default:
        return {};
    }
  }

  // Where the channels go in a transpose that does not leave them last, for the reshape after it.
  ChannelConstants of_transpose(const Node& node) {
    const auto& perm = node.attrs<plan::TransposeT>().perm;
    const int32_t last = static_cast<int32_t>(perm.size()) - 1;
    if (perm.back() == last) return zeros_of(node.inputs[0]);
    const auto axis = static_cast<size_t>(std::find(perm.begin(), perm.end(), last) - perm.begin());
    moved_[node.outputs[0]] = {axis, zeros_of(node.inputs[0])};
    return {};
  }

  // Channels stay, or are spread over a longer last axis: that of a flattened feature map.
  ChannelConstants of_reshape(const Node& node) const {
    const ValueId x = node.inputs[0];
    const auto moved = moved_.find(x);
    const size_t axis = moved == moved_.end() ? graph_.shape(x).size() - 1 : moved->second.axis;
    const ChannelConstants from = moved == moved_.end() ? zeros_of(x) : moved->second.zeros;
    size_t inner = 1;
    for (size_t i = axis + 1; i < graph_.shape(x).size(); ++i)
      inner *= static_cast<size_t>(graph_.shape(x)[i]);
    if (channels(node.outputs[0]) != from.size() * inner) return {};
    ChannelConstants result;
    for (const std::optional<float>& zero : from) result.insert(result.end(), inner, zero);
    return result;
  }

  ChannelConstants zeros_of(ValueId id) const {
    ChannelConstants result(channels(id));
    for (size_t c = 0; c < result.size(); ++c) {
      if (is_zero(id, c)) result[c] = 0.0f;
    }
    return result;
  }

  ChannelConstants of_layer(const Node& node) const {
    const std::span<const float> w = graph_.constant(node.inputs[1]).as<float>();
    const size_t outputs = static_cast<size_t>(graph_.shape(node.inputs[1])[0]);
    const size_t row = w.size() / outputs;
    const size_t in = channels(node.inputs[1]);
    const size_t groups = channels(node.inputs[0]) / in;
    const bool biased = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    ChannelConstants result(outputs);
    for (size_t o = 0; o < outputs; ++o) {
      const size_t group = o / (outputs / groups);
      bool silent = true;
      for (size_t i = 0; i < row && silent; ++i)
        silent = w[o * row + i] == 0.0f || is_zero(node.inputs[0], group * in + i % in);
      if (silent) result[o] = biased ? graph_.constant(node.inputs[2]).as<float>()[o] : 0.0f;
    }
    return result;
  }

  ChannelConstants of_unary(const Node& node) const {
    const auto& unary = node.attrs<plan::UnaryT>();
    if (keeps_zero(unary.kind)) return zeros_of(node.inputs[0]);
    if (unary.kind != UnaryKind::kClamp) return {};
    ChannelConstants result(channels(node.inputs[0]));
    for (size_t c = 0; c < result.size(); ++c) {
      const std::optional<float> x = at(node.inputs[0], c);
      if (x) result[c] = std::min(std::max(*x, unary.alpha), unary.beta);
    }
    return result;
  }

  ChannelConstants of_binary(const Node& node) const {
    const BinaryKind kind = node.attrs<plan::BinaryT>().kind;
    ChannelConstants result(channels(node.outputs[0]));
    const auto operand = [&](size_t i, size_t c) {
      return at(node.inputs[i], channels(node.inputs[i]) == 1 ? 0 : c);
    };
    for (size_t c = 0; c < result.size(); ++c) {
      const std::optional<float> a = operand(0, c);
      const std::optional<float> b = operand(1, c);
      if (kind == BinaryKind::kAdd && a && b) result[c] = *a + *b;
      if (kind == BinaryKind::kSub && a && b) result[c] = *a - *b;
      if (kind == BinaryKind::kMul && (a == 0.0f || b == 0.0f)) result[c] = 0.0f;
    }
    return result;
  }

  ChannelConstants of_concat(const Node& node) const {
    const bool by_channels =
        static_cast<size_t>(node.attrs<plan::ConcatT>().axis) + 1 == graph_.shape(node.outputs[0]).size();
    ChannelConstants result;
    if (!by_channels) return result;
    for (ValueId x : node.inputs) {
      for (size_t c = 0; c < channels(x); ++c) result.push_back(at(x, c));
    }
    return result;
  }

  ChannelConstants of_slice(const Node& node) const {
    const auto& slice = node.attrs<plan::SliceT>();
    ChannelConstants result(channels(node.outputs[0]));
    for (size_t c = 0; c < result.size(); ++c) {
      const int64_t from = slice.starts.back() + static_cast<int64_t>(c) * slice.steps.back();
      result[c] = at(node.inputs[0], static_cast<size_t>(from));
    }
    return result;
  }

  ChannelConstants of_pad(const Node& node) const {
    const auto& pad = node.attrs<plan::PadT>();
    ChannelConstants result(channels(node.outputs[0]));
    if (pad.mode != plan::PadMode::kConstant) return result;
    const size_t inner = channels(node.inputs[0]);
    for (size_t c = 0; c < result.size(); ++c) {
      const size_t from = c - static_cast<size_t>(pad.before.back());
      const bool fresh = c < static_cast<size_t>(pad.before.back()) || from >= inner;
      if (fresh || at(node.inputs[0], from) == pad.value) result[c] = pad.value;
    }
    return result;
  }

  ChannelConstants of_reduce(const Node& node) const {
    const auto& reduce = node.attrs<plan::ReduceT>();
    const int32_t last = static_cast<int32_t>(graph_.shape(node.inputs[0]).size()) - 1;
    if (std::find(reduce.axes.begin(), reduce.axes.end(), last) != reduce.axes.end()) return {};
    return zeros_of(node.inputs[0]);
  }

  struct Moved {
    size_t axis;
    ChannelConstants zeros;
  };

  const Graph& graph_;
  std::vector<ChannelConstants> known_;
  std::map<ValueId, Moved> moved_;  // channels that are not the last axis
};

}  // namespace

std::vector<ChannelConstants> constant_channels(const Graph& graph) { return ConstantFinder(graph).run(); }

}  // namespace bantam::compiler
