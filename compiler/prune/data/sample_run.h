// Running a part of a graph on many samples, on several threads.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "passes/pass.h"

namespace bantam::compiler {

// Calls work(i) for every i below `count`, on the threads that the options allow. The first exception ends
// all and is thrown.
void for_each_index(int count, const CompileOptions& options, const std::function<void(int)>& work);

// Called from several threads, for one sample by one of them; `position` is the sample's place among those
// that run. `data` has the value's own type, float32 unless something else was wanted.
using Observer = std::function<void(int position, ValueId id, std::span<const float> data)>;

struct RunSamples {
  int count = 0;
  std::function<std::vector<TensorData>(int position)> load;  // one tensor per input of the graph
};

// Runs `graph` and shows the values `wanted` (not constant; the first output of a node, or an input). Not
// more of the graph runs than these values need.
void run_samples(Graph graph, std::vector<ValueId> wanted, const RunSamples& samples,
                 const Observer& observer, const PassContext& context);

}  // namespace bantam::compiler
