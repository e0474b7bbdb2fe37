// The flags that every command has which reads an ONNX model, and what follows from them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/image_options.h"
#include "engine/plan.h"

namespace CLI {
class App;
}

namespace bantam::tools {

struct ModelFlags {
  std::vector<std::string> shapes;  // NAME=1x3x224x224
  std::string image;                // rgb, bgr, gray; empty: no image options
  int resize = 0;
  int crop = 0;
  std::vector<float> mean;
  std::vector<float> std;

  void add_to(CLI::App& command);
  // UsageErrors for what contradicts itself.
  std::map<std::string, std::vector<int64_t>> shape_map() const;
  std::optional<ImageOptions> image_options() const;
  std::string text() const;  // the flags again, normalized, for the plan's provenance
  bool empty() const;
};

// A plan from a file, or an ONNX model compiled in memory as fp32 (a Failure where the compiler is not built
// in). Flags that contradict a plan's own preprocessing are a Failure.
LoadedModel open_model(const std::string& path, const ModelFlags& flags);

}  // namespace bantam::tools
