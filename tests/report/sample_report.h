// A report with something of everything, long and awkward names included.
#pragma once

#include <string>

#include "report/report.h"

namespace bantam::tests {

tools::Report sample_report(int ops);

// How often `part` is in `text`.
int count_of(const std::string& text, const std::string& part);

}  // namespace bantam::tests
