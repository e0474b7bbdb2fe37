#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan_generated.h"

namespace bantam::tools {

// How an image file becomes a uint8 image of the model; see plan::Preprocessing.
struct ImageOptions {
  plan::ChannelOrder order = plan::ChannelOrder::kRgb;
  int resize = 0;  // short side in pixels; 0: none
  int crop = 0;    // centred square in pixels; 0: none
  std::vector<float>
      mean;  // 0..255 pixels, in the order of the model's channels; only the compiler reads these
  std::vector<float> std;

  int channels() const { return order == plan::ChannelOrder::kGray ? 1 : 3; }
};

}  // namespace bantam::tools
