// Smaller inputs that a model may be given.
#pragma once

#include <string>
#include <vector>

#include "bantam/compiler/compiler.h"
#include "import/node_importer.h"

namespace bantam::compiler {

struct SmallerInputs {
  std::vector<InputSize> sizes;  // the largest first
  std::string refusal;           // why there are none, in one line
};

// Shares of the size of `graph`'s input, `graph` being the model at `onnx_path` as it is imported: 7/8 to 1/2
// of the short side in multiples of what the network divides it by, the long side in proportion. Only those
// at which the network can be made and gives outputs of the same shapes.
SmallerInputs smaller_inputs(const Graph& graph, const std::string& onnx_path, const CompileOptions& options,
                             const Evaluator& evaluate);

// The options for an input of that size: --resize and --crop shrink with it, and without them the image
// itself is resized. Of samples, those of this size.
CompileOptions options_at(const InputSize& size, CompileOptions options);

}  // namespace bantam::compiler
