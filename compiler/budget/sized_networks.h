// The networks of a model for inputs of several sizes. All are judged by the fp32 network at the model's own
// size; channels are ranked for each.
#pragma once

#include <list>

#include "budget/networks.h"

namespace bantam::compiler {

class SizedNetworks final : public Landscape {
 public:
  // As for Networks; networks for a smaller input are imported from the context's file when they are first
  // asked for.
  SizedNetworks(Graph graph, const PassContext& context, const Budgets& budgets,
                const Networks::Begins& begins)
      : context_(context),
        budgets_(budgets),
        begins_(begins),
        own_(std::move(graph), context, budgets, begins) {}

  std::optional<Footprint> footprint(const Candidate& candidate) override {
    return of(candidate).footprint(candidate);
  }
  Point finish(const Candidate& candidate) override { return of(candidate).finish(candidate); }
  std::optional<Point> mix(const Candidate& candidate) override { return of(candidate).mix(candidate); }
  Networks::Network make(const Candidate& candidate) { return of(candidate).make(candidate); }

 private:
  struct Sized {
    Sized(const SizedNetworks& all, const InputSize& size);
    CompileOptions options;
    std::vector<std::string> warnings;  // those of the model's own size are told
    PassContext context;
    Networks networks;
  };
  Networks& of(const Candidate& candidate);

  const PassContext& context_;
  const Budgets& budgets_;
  const Networks::Begins begins_;
  Networks own_;
  std::list<Sized> smaller_;
};

}  // namespace bantam::compiler
