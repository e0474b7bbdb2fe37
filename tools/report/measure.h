// Fills in what a report says about errors, on the samples of a subject.
#pragma once

#include "report/report.h"
#include "report/subject.h"

namespace bantam::tools {

// Distances of ops and outputs, the steps by cause and the agreement of classifiers, on all samples.
void measure_steps(const Subject& subject, Report& report);
// What each op adds by itself: `own`, `together`; needs the steps. On as many of the first samples as are
// affordable.
void measure_ops(const Subject& subject, Report& report);
// The values in float32 of every tensor that the plan has in int8.
void measure_histograms(const Subject& subject, Report& report);
// What would lessen the error, with the gain predicted; needs all the above.
void suggest(const Subject& subject, Report& report);

}  // namespace bantam::tools
