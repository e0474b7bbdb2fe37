// How far a share that was counted on some samples may be from the true one.
#pragma once

#include <cstdint>

namespace bantam::compiler {

struct Interval {
  double low = 0;
  double high = 1;
};

// Of a share of which `count` in `samples` were seen, with 95 % confidence. Wilson, "Probable inference, the
// law of succession, and statistical inference", 1927. Without samples: 0 to 1.
Interval wilson_interval(int64_t count, int64_t samples);

// Of the difference of two shares seen on the same samples, (lost - won) / samples, with 95 % confidence.
// Agresti and Min, "Simple improved confidence intervals for comparing matched proportions", 2005. Without
// samples: -1 to 1.
Interval paired_interval(int64_t lost, int64_t won, int64_t samples);

// About how many samples it takes until the interval around the share `seen` no longer holds `target`; 0 when
// the two are equal, which nothing settles.
int64_t samples_to_settle(double seen, double target);

}  // namespace bantam::compiler
