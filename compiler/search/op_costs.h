// What ops cost in int8 and in float, and what a network costs in which some stay float.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "passes/pass.h"
#include "quantize/assign.h"

namespace bantam::compiler {

// The network in int8, but for the nodes that shall stay float. For any thread.
using Quantizer = std::function<Graph(const KeptFloat& kept)>;

struct FinishedPlan {
  std::vector<std::byte> plan;
  Graph graph;  // its ops, in order
};
// What becomes of a graph as the quantize pass leaves it.
FinishedPlan finish(Graph graph, const PassContext& context);

// Whether these ops only exist because precisions or scales meet.
bool is_conversion(OpCode code);

class OpCosts {
 public:
  // Measured by the options' op_timer, in milliseconds; without `measured`, in multiply-accumulates, of which
  // int8 does four in the time of one.
  OpCosts(const Graph& graph, const Quantizer& quantize, const PassContext& context, bool measured);

  double int8(size_t node) const { return int8_[node]; }
  double in_float(size_t node) const { return float_[node]; }
  // Of the whole network, conversions counted in.
  double predict(const KeptFloat& kept) const;
  int estimated() const { return estimated_; }  // ops whose time the timer only estimates

 private:
  void count_work();
  void measure(const Quantizer& quantize, const PassContext& context);
  void measure_conversions(const PassContext& context);
  double conversion(ValueId id) const;

  const Graph& graph_;
  Uses uses_;
  std::vector<double> int8_, float_;  // by node
  double conversion_base_ = 0;        // of a Quantize or Dequantize
  double conversion_rate_ = 0;        // likewise, per element
  int estimated_ = 0;
};

}  // namespace bantam::compiler
