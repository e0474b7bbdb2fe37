// Other ways in which samples are usually prepared.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "doctor/network.h"

namespace bantam::tools {

struct Variant {
  std::string name;    // "pixels divided by 255"
  std::string advice;  // the flags, or what to do to the array
  Rewrite rewrite;
};

// Of images: the usual --mean and --std in place of those of `image`. Of arrays (no `image`): scaled,
// normalized and un-normalized values.
std::vector<Variant> normalizations(const std::optional<compiler::ImageOptions>& image, int channels);

// The first and the last of three channels swapped, each normalized as before.
Variant swapped_channels(const std::optional<compiler::ImageOptions>& image);

}  // namespace bantam::tools
