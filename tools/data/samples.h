// Samples for calibration and evaluation: a folder of images, or an .npy with the samples along axis 0.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "data/image_options.h"
#include "data/npy.h"
#include "data/tensor.h"

namespace bantam::tools {

class Samples {
 public:
  virtual ~Samples() = default;
  virtual int64_t count() const = 0;
  // Sample `index` with a batch dimension of 1 in front; a uint8 NHWC image where image options were given.
  // Thread-safe; reads only this sample.
  virtual Tensor load(int64_t index) const = 0;
  virtual std::string name(int64_t index) const = 0;  // for messages, and to find an image's label
  virtual std::string description() const = 0;        // the name of the folder or file
};

// `image`: the model takes images; uint8 .npy arrays [N,H,W,3] (R, G, B), [N,H,W,1] or [N,H,W] are prepared
// like image files. A Failure for an empty source and for one that does not go with `image`. NaN and infinity
// are refused when the sample is loaded.
std::unique_ptr<Samples> open_samples(const std::string& path, const std::optional<ImageOptions>& image);

// The same samples with other last two axes, of floats: resized as images are.
std::unique_ptr<Samples> resized_samples(std::unique_ptr<Samples> samples, int height, int width);

// One array read as an image: [H,W], [H,W,C] or [1,H,W,C] of uint8, prepared as [1,H,W,C].
Tensor prepare_array(Tensor pixels, const ImageOptions& options, const std::string& where);
Tensor load_image(const std::string& path, const ImageOptions& options);

// Gives `sample` the input's shape when only leading ones differ; a Failure when dtype or shape do not fit.
void fit_to_input(Tensor& sample, plan::DType dtype, std::span<const int64_t> shape, bool takes_image,
                  const std::string& where);

}  // namespace bantam::tools
