// The columns of a layer's inputs, in blocks that are solved together.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace bantam::compiler {

using Indices = std::vector<Eigen::Index>;

// Columns of the rows of inputs, and those of the weights (all outputs of a group).
struct Block {
  Indices of_rows, of_weights;
};

// Whole channels with all their taps, up to `most` columns; rows have them tap by tap. `channels`: of the
// layer's input, `per_group` of them to a group.
std::vector<Block> blocks_of(int64_t taps, int64_t channels, int64_t per_group, int64_t group, int64_t most);

}  // namespace bantam::compiler
