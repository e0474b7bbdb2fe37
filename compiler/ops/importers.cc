#include "ops/importers.h"

#include <fmt/format.h>

#include <algorithm>

namespace bantam::compiler {

int checked_int(const NodeImporter& n, int64_t value, std::string_view what, int64_t least, int64_t most) {
  if (value < least || value > most)
    n.fail(fmt::format("{} is {}, it must be in {}..{}", what, value, least, most));
  return static_cast<int>(value);
}

std::vector<int> checked_axes(const NodeImporter& n, const std::vector<int64_t>& axes, int rank) {
  std::vector<int> out;
  for (int64_t axis : axes) out.push_back(n.axis(axis, rank));
  std::sort(out.begin(), out.end());
  if (std::adjacent_find(out.begin(), out.end()) != out.end()) n.fail("axes name one dimension twice");
  return out;
}

void expect_input_count(const NodeImporter& n, int least, int most) {
  if (n.input_count() >= least && n.input_count() <= most) return;
  n.fail(least == most ? fmt::format("{} inputs, it takes {}", n.input_count(), least)
                       : fmt::format("{} inputs, it takes {} to {}", n.input_count(), least, most));
}

}  // namespace bantam::compiler
