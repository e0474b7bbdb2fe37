// The networks that can be made from a model, made as they are asked for. What they share (the fp32 network
// that judges them, the order in which channels go) is found out once.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "budget/explore.h"
#include "passes/pass.h"
#include "prune/pruner.h"
#include "search/judge.h"

namespace bantam::compiler {

class Networks final : public Landscape {
 public:
  // `graph`: as the prune pass gets it. `context`, which must live as long: with calibration samples, a test
  // set, pruning options (their ratio does not count) and a timer. `begins`: told of every network that is
  // going to be made; may be empty. `judge`: of the model at its own input size, where the graph is for
  // another; null: `graph` is what networks are compared with.
  using Begins = std::function<void(const Candidate&)>;
  Networks(Graph graph, const PassContext& context, const Budgets& budgets, Begins begins,
           const Judge* judge = nullptr);

  std::optional<Footprint> footprint(const Candidate& candidate) override;
  Point finish(const Candidate& candidate) override;
  std::optional<Point> mix(const Candidate& candidate) override;

  struct Network {
    Graph graph;  // behind the whole pipeline
    Verdict verdict;
    std::vector<std::string> warnings;
    std::string calibration, pruning;  // as the passes tell it
    bool halves = false;               // as in PassContext
    std::vector<float> magnitudes;     // likewise
  };
  Network make(const Candidate& candidate);

  const Judge& judge() const { return *judge_; }

 private:
  struct Pruned {
    Graph graph;
    std::string summary;
    std::vector<std::string> warnings;
    std::optional<double> drop;  // in float32
  };
  const Pruner& pruner();
  Pruned& pruned(double ratio);
  double drop_of(Pruned& pruned) const;
  CompileOptions options_for(Precision precision) const;
  // Runs the passes behind prune up to quantize with these options.
  Network quantize(const Graph& graph, const CompileOptions& options) const;
  Verdict judge(const Network& network, const CompileOptions& options) const;
  Point weigh(const Candidate& candidate, Network network) const;
  Footprint measure(Network network, const CompileOptions& options) const;

  const Graph graph_;
  const PassContext& context_;
  const Budgets& budgets_;
  std::unique_ptr<const Judge> judge_;
  std::unique_ptr<const Pruner> pruner_;
  std::map<double, Pruned> pruned_;  // by share of the macs
  Begins begins_;
};

}  // namespace bantam::compiler
