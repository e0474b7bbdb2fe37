#pragma once

#include <string>

#include "engine/plan.h"
#include "report/report.h"

namespace bantam::tools {

// What the plan itself says: everything of a report that takes no samples and no time.
Report describe(const Model& plan, const std::string& path);
// The time of every op: medians over `seconds` of runs on one thread, as `bantam bench --profile` measures.
void measure_times(const std::string& path, double seconds, Report& report);

}  // namespace bantam::tools
