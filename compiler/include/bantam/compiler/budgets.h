// What a board can bear, and what networks cost it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace bantam::compiler {

// kAsModel: int8 where the model states its quantization (QuantizeLinear and its kin), float32 elsewhere.
// kFp32 computes such a model in float32, rounding where it says so; kFp16 is kAsModel with float16 weights.
enum class Precision { kAsModel, kFp32, kFp16, kInt8 };

// What is made as small as the budgets allow.
enum class Goal { kDrop, kLatency, kSize, kMemory, kEnergy };

// Empty: no limit.
struct Budgets {
  std::optional<double> latency_ms;
  std::optional<uint64_t> size_bytes;    // of the plan
  std::optional<uint64_t> memory_bytes;  // while it runs, the plan included
  std::optional<double> drop;            // of accuracy against the fp32 model, 0..1
  Goal goal = Goal::kDrop;
};

// A network that can be made from the model: computed in `precision`, without the share `pruned` (0..1) of its
// multiply-accumulates.
struct Candidate {
  Precision precision = Precision::kInt8;
  double pruned = 0;
  bool operator==(const Candidate&) const = default;
};

struct Footprint {
  double latency_ms = 0;
  uint64_t size_bytes = 0;    // of the plan
  uint64_t memory_bytes = 0;  // the plan, the arena, and the weights once more in the CPU's layout
  double energy_mj = 0;       // of a run, by the model of compiler/budget/energy.h
};

struct Point {
  Candidate candidate;
  Footprint footprint;
  std::optional<double> drop;  // of accuracy against the fp32 model; empty: not measured
  std::string verdict;         // how it was measured, in words
};

}  // namespace bantam::compiler
