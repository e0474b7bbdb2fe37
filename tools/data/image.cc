#include "data/image.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <memory>

#include "io/failure.h"
#include "io/input_file.h"
#include "io/text.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#include <stb_image.h>
#pragma GCC diagnostic pop

namespace bantam::tools {
namespace {

constexpr uint64_t kMaxFileBytes = 256 << 20;
constexpr int64_t kMaxPixels = 64 << 20;

// Pillow's convert('L'): ITU-R 601-2 luma in 16-bit fixed point.
uint8_t luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

// `stored` channels (1 grey, 2 with alpha, 3, 4 with alpha) to 1 or 3.
Image without_alpha(const uint8_t* pixels, int height, int width, int stored) {
  Image image{height, width, stored <= 2 ? 1 : 3, {}};
  size_t count = static_cast<size_t>(height) * static_cast<size_t>(width);
  size_t kept = static_cast<size_t>(image.channels);
  image.pixels.resize(count * kept);
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(&image.pixels[i * kept], pixels + i * static_cast<size_t>(stored), kept);
  }
  return image;
}

Image with_channels(const Image& image, plan::ChannelOrder order) {
  bool gray = order == plan::ChannelOrder::kGray;
  Image out{image.height, image.width, gray ? 1 : 3, {}};
  size_t count = static_cast<size_t>(image.height) * static_cast<size_t>(image.width);
  out.pixels.resize(count * static_cast<size_t>(out.channels));
  for (size_t i = 0; i < count; ++i) {
    if (image.channels == 1) {
      std::fill_n(&out.pixels[i * static_cast<size_t>(out.channels)], out.channels, image.pixels[i]);
      continue;
    }
    const uint8_t* rgb = &image.pixels[i * 3];
    if (gray) {
      out.pixels[i] = luma(rgb);
    } else {
      bool swap = order == plan::ChannelOrder::kBgr;
      out.pixels[i * 3] = rgb[swap ? 2 : 0];
      out.pixels[i * 3 + 1] = rgb[1];
      out.pixels[i * 3 + 2] = rgb[swap ? 0 : 2];
    }
  }
  return out;
}

// torchvision's CenterCrop: round((side - crop) / 2), Python's round, half to even.
int crop_start(int side, int crop) {
  int spare = side - crop;
  int half = spare / 2;
  return spare % 2 == 0 ? half : half + half % 2;
}

Image crop_centre(const Image& image, int crop, const std::string& where) {
  if (image.height < crop || image.width < crop) {
    throw Failure(where,
                  format("is %dx%d (width x height), smaller than the crop of %d; give --resize %d or more",
                         image.width, image.height, crop, crop));
  }
  int top = crop_start(image.height, crop), left = crop_start(image.width, crop);
  Image out{crop, crop, image.channels, {}};
  size_t row = static_cast<size_t>(crop) * static_cast<size_t>(image.channels);
  out.pixels.resize(row * static_cast<size_t>(crop));
  for (int y = 0; y < crop; ++y) {
    size_t from =
        (static_cast<size_t>(top + y) * static_cast<size_t>(image.width) + static_cast<size_t>(left)) *
        static_cast<size_t>(image.channels);
    std::memcpy(&out.pixels[static_cast<size_t>(y) * row], &image.pixels[from], row);
  }
  return out;
}

Image resize_short_side(const Image& image, int side, const std::string& where) {
  int short_side = std::min(image.height, image.width);
  int64_t long_side = int64_t{side} * std::max(image.height, image.width) / short_side;
  if (long_side * side > kMaxPixels) throw Failure(where, "is too elongated to be resized");
  bool wide = image.width > image.height;
  return resize_image(image, wide ? side : static_cast<int>(long_side),
                      wide ? static_cast<int>(long_side) : side);
}

}  // namespace

Image decode_image(const std::string& path) {
  std::vector<std::byte> file = read_file(path, kMaxFileBytes);
  const auto* data = reinterpret_cast<const stbi_uc*>(file.data());
  int length = static_cast<int>(file.size());
  int width = 0, height = 0, channels = 0;
  if (stbi_info_from_memory(data, length, &width, &height, &channels) == 0) {
    throw Failure(path, "is no image that can be decoded (JPEG and PNG can be)");
  }
  if (int64_t{width} * height > kMaxPixels) {
    throw Failure(path, format("has %dx%d pixels; images of up to 64 million are decoded", width, height));
  }
  std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(data, length, &width, &height, &channels, 0), stbi_image_free);
  if (pixels == nullptr) throw Failure(path, std::string("is a damaged image: ") + stbi_failure_reason());
  return without_alpha(pixels.get(), height, width, channels);
}

bool is_image(const std::string& path) {
  size_t dot = path.rfind('.');
  if (dot == std::string::npos) return false;
  std::string ending = path.substr(dot);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

Image prepare_image(Image image, const ImageOptions& options, const std::string& where) {
  if (image.height < 1 || image.width < 1) throw Failure(where, "is an empty image");
  if (options.order == plan::ChannelOrder::kGray && image.channels == 3) {
    image = with_channels(image, options.order);
  }
  if (options.resize > 0 && std::min(image.height, image.width) != options.resize) {
    image = resize_short_side(image, options.resize, where);
  }
  if (options.crop > 0) image = crop_centre(image, options.crop, where);
  bool as_it_is = image.channels == options.channels() && options.order != plan::ChannelOrder::kBgr;
  return as_it_is ? image : with_channels(image, options.order);
}

}  // namespace bantam::tools
