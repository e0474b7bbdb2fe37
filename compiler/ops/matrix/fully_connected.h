#pragma once

#include "import/node_importer.h"

namespace bantam::compiler {

// x [...,K], weights [O,K], bias [O] or kNoValue.
ValueId emit_fully_connected(NodeImporter& n, ValueId x, ValueId weights, ValueId bias);

}  // namespace bantam::compiler
