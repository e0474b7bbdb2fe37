// Image files and how they become a model's uint8 input.
//
// Decoding: stb_image, whose integer arithmetic gives the same pixels on every machine. EXIF orientation is
// not applied and alpha is dropped, as Pillow's convert('RGB') does. Resize and crop: bit for bit what
// torchvision's Resize(S) and CenterCrop(S) do to a Pillow image: antialiased bilinear (Pillow's Resample.c,
// 22-bit coefficients), short side S, long side rounded down; the crop starts at (side - S) / 2 rounded half
// to even.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/image_options.h"
#include "data/tensor.h"

namespace bantam::tools {

// Rows of pixels, channels interleaved: 1 grey or 3 R, G, B.
struct Image {
  int height = 0;
  int width = 0;
  int channels = 0;
  std::vector<uint8_t> pixels;
};

Image decode_image(const std::string& path);
bool is_image(const std::string& path);  // by the name's ending: .jpg .jpeg .png

// Resize, crop and channel order of `options`. `where` names the image in messages.
Image prepare_image(Image image, const ImageOptions& options, const std::string& where);

Image resize_image(const Image& image, int height, int width);

// The same filter over the last two axes, height and width, of a float32 tensor.
Tensor resize_maps(const Tensor& maps, int height, int width);

}  // namespace bantam::tools
