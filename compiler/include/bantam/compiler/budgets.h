// What a board can bear, and what networks cost it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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

  // Whether what pruning has to save is time or energy.
  bool saves_time() const { return latency_ms || goal == Goal::kLatency || goal == Goal::kEnergy; }
};

// Pixels of an input [N,C,H,W]; 0 by 0: as many as the model's own.
struct InputSize {
  int height = 0;
  int width = 0;
  bool is_own() const { return height == 0; }
  bool operator==(const InputSize&) const = default;
};

// A network that can be made from the model: computed in `precision`, without the share `pruned` (0..1) of
// its multiply-accumulates, for an input of this size.
struct Candidate {
  Precision precision = Precision::kInt8;
  double pruned = 0;
  bool mixed =
      false;  // int8 with those ops in float32 (or float16) that would cost more accuracy than is allowed
  InputSize input = {};
  bool operator==(const Candidate&) const = default;
};

struct Footprint {
  double latency_ms = 0;
  uint64_t size_bytes = 0;    // of the plan
  uint64_t memory_bytes = 0;  // the plan, the arena, and the weights once more in the CPU's layout
  double energy_mj = 0;       // of a run: measured, or by the model of compiler/budget/energy.h
};

struct Point {
  Candidate candidate;
  Footprint footprint;
  std::optional<double> drop;  // of accuracy against the fp32 model; empty: not measured
  std::string verdict;         // how it was measured, in words
};

// A budget that cannot be kept together with the others.
struct Miss {
  std::string budget;  // "latency", "size", "memory" or "accuracy"
  Point nearest;       // what keeps the others, or misses them least, and comes nearest to it
};

// What a search within budgets has seen.
struct SearchReport {
  std::vector<Point> points;    // with their accuracy, in the order in which they were measured
  std::vector<Point> front;     // of these, those that no other beats in everything, by latency
  std::optional<Point> chosen;  // empty: the budgets contradict each other
  std::string reason;           // why the search ended so
  std::vector<Miss> misses;     // where nothing is chosen
  bool energy_measured = false;
  double written_ms = 0;  // the plan as it is written, timed once more; 0: nothing is chosen
};

// "int8", "fp16", "fp32"
const char* precision_text(Precision precision);
// "192x192", height first
std::string size_text(const InputSize& size);
// "int8 and float, input 192x192, 30 % of the macs pruned"
std::string candidate_text(const Candidate& candidate);

}  // namespace bantam::compiler
