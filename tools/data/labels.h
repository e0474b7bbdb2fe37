// Class labels: an .npy of integers in the order of the samples, or a CSV of `file,label` rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/samples.h"

namespace bantam::tools {

// The label of each of the first `count` samples. A CSV goes by file name for a folder of images, otherwise
// by row; its first row may be a heading. A Failure when a sample has no label or the numbers of samples and
// labels differ.
std::vector<int64_t> read_labels(const std::string& path, const Samples& samples, int64_t count);

// A text file with a class name per line.
std::vector<std::string> read_class_names(const std::string& path);

}  // namespace bantam::tools
