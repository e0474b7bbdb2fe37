#pragma once

#include "import/node_importer.h"

namespace bantam::compiler {

// A strided part of a tensor: one entry per axis.
struct SliceRange {
  std::vector<int> starts;
  std::vector<int> steps;
  Shape counts;
};
// The whole of `shape`.
SliceRange whole_range(const Shape& shape);
ValueId emit_slice(NodeImporter& n, ValueId x, const SliceRange& range);

}  // namespace bantam::compiler
