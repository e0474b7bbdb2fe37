#include "budget/sized_networks.h"

#include "budget/input_sizes.h"
#include "import/resized_input.h"

namespace bantam::compiler {
namespace {

Graph prepared(PassContext& context) {
  Graph graph = load_model(context.onnx_path, context.options, context.evaluate);
  prepare_for_pruning(graph, context);
  return graph;
}

}  // namespace

SizedNetworks::Sized::Sized(const SizedNetworks& all, const InputSize& size)
    : options(options_at(size, all.context_.options)),
      context{options, all.context_.evaluate, all.context_.runner, warnings, {}, {}, all.context_.onnx_path},
      networks(prepared(context), context, all.budgets_, all.begins_, &all.own_.judge()) {}

Networks& SizedNetworks::of(const Candidate& candidate) {
  if (candidate.input.is_own()) return own_;
  for (Sized& sized : smaller_) {
    if (sized.options.input_size == candidate.input) return sized.networks;
  }
  return smaller_.emplace_back(*this, candidate.input).networks;
}

}  // namespace bantam::compiler
