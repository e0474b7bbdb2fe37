// A plan, the networks between it and the model it was made from, and samples to compare them on.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "bantam/compiler/stages.h"
#include "engine/input_set.h"
#include "engine/plan.h"
#include "report/network.h"

namespace bantam::tools {

struct Subject {
  const Model& plan;
  const InputSet& inputs;
  int64_t count = 0;  // samples
  int threads = 0;    // 0: all cores
  std::string onnx;   // for messages
  std::string plan_name;

  LoadedModel unfolded;               // the model as it is written
  std::optional<LoadedModel> folded;  // the model as compiled, when the plan was pruned: without pruning
  LoadedModel switched;               // what the plan computes in float32, and its approximations
  std::vector<compiler::Switch> switches;
  std::vector<plan::NoteT> fusions;  // what became part of which node
  int unmatched = 0;                 // ops with weights of the plan that `switched` knows nothing of

  // The switches with those of these causes on.
  std::vector<uint8_t> only(std::initializer_list<compiler::Cause> causes) const;
  std::vector<uint8_t> none() const { return only({}); }

  Network open_unfolded() const { return Network(unfolded.model, onnx); }
  Network open_switched() const { return Network(switched.model, onnx); }
  Network open_plan() const { return Network(plan, plan_name); }
};

// What a subject is made from.
struct Origin {
  std::string onnx;
  std::string pruned;  // the model after pruning, as ONNX; "" when it was not, or `options` say how
  compiler::CompileOptions options;  // shapes, image options, pruning and its calibration data
};

// `plan_bytes`: those of `plan`. A Failure when the plan cannot have been made from that model.
Subject make_subject(const Model& plan, std::span<const std::byte> plan_bytes, const std::string& plan_name,
                     const InputSet& inputs, const Origin& origin);

}  // namespace bantam::tools
