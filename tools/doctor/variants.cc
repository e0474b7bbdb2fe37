#include "doctor/variants.h"

#include <array>
#include <utility>

namespace bantam::tools {
namespace {

// Per channel, in the order R, G, B: value = (pixel - mean) / std.
struct Usual {
  const char* name;
  const char* flags;  // for R, G, B
  const char* reversed_flags;
  std::array<float, 3> mean, std;
};

constexpr Usual kUsual[] = {
    {"pixels as they are, 0 to 255", "leave --mean and --std out", nullptr, {0, 0, 0}, {1, 1, 1}},
    {"pixels divided by 255", "give --mean 0 --std 255", nullptr, {0, 0, 0}, {255, 255, 255}},
    {"pixels from -1 to 1",
     "give --mean 127.5 --std 127.5",
     nullptr,
     {127.5f, 127.5f, 127.5f},
     {127.5f, 127.5f, 127.5f}},
    {"ImageNet's mean and deviation",
     "give --mean 123.675,116.28,103.53 --std 58.395,57.12,57.375",
     "give --mean 103.53,116.28,123.675 --std 57.375,57.12,58.395",
     {123.675f, 116.28f, 103.53f},
     {58.395f, 57.12f, 57.375f}},
    {"ImageNet's mean alone",
     "give --mean 123,117,104 without --std",
     "give --mean 104,117,123 without --std",
     {123, 117, 104},
     {1, 1, 1}},
};

// Per channel: value * scale + offset.
struct Affine {
  std::array<float, 3> scale, offset;
};

Rewrite affine(const Affine& map, int channels) {
  return [map, channels](std::vector<float>& values) {
    const size_t pixels = values.size() / static_cast<size_t>(channels);
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t c = i / pixels;
      values[i] = values[i] * map.scale[c] + map.offset[c];
    }
  };
}

float channel_of(const std::vector<float>& values, size_t channel, float otherwise) {
  return values.empty() ? otherwise : values[channel];
}

// From what `image` made of the pixels to what `usual` makes of them.
Affine between(const compiler::ImageOptions& image, const Usual& usual, int channels, bool reversed) {
  Affine map{};
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const size_t from = reversed ? 2 - c : c;
    const float mean = channel_of(image.mean, c, 0), deviation = channel_of(image.std, c, 1);
    map.scale[c] = deviation / usual.std[from];
    map.offset[c] = (mean - usual.mean[from]) / usual.std[from];
  }
  return map;
}

bool changes_nothing(const Affine& map, int channels) {
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    if (map.scale[c] < 0.97f || map.scale[c] > 1.03f || map.offset[c] < -0.03f || map.offset[c] > 0.03f)
      return false;
  }
  return true;
}

std::vector<Variant> image_normalizations(const compiler::ImageOptions& image, int channels) {
  std::vector<Variant> variants;
  const bool reversed = image.order == plan::ChannelOrder::kBgr;
  for (const Usual& usual : kUsual) {
    const bool colour_only = usual.mean[0] != usual.mean[1];
    if (channels == 1 && colour_only) continue;
    const Affine map = between(image, usual, channels, reversed);
    if (changes_nothing(map, channels)) continue;
    const char* flags = reversed && usual.reversed_flags != nullptr ? usual.reversed_flags : usual.flags;
    variants.push_back({usual.name, flags, affine(map, channels)});
  }
  return variants;
}

Affine same_for_all(float scale, float offset) { return {{scale, scale, scale}, {offset, offset, offset}}; }

// `times` of ImageNet's normalization of values from 0 to `unit`, or its inverse.
Affine normalized(float unit) {
  const Usual& usual = kUsual[3];
  Affine map{};
  for (size_t c = 0; c < 3; ++c) {
    map.scale[c] = 255 / unit / usual.std[c];
    map.offset[c] = -usual.mean[c] / usual.std[c];
  }
  return map;
}

Affine inverse(const Affine& map) {
  Affine back{};
  for (size_t c = 0; c < 3; ++c) {
    back.scale[c] = 1 / map.scale[c];
    back.offset[c] = -map.offset[c] / map.scale[c];
  }
  return back;
}

std::vector<Variant> array_normalizations(int channels) {
  std::vector<std::tuple<const char*, const char*, Affine>> maps = {
      {"the values divided by 255", "divide the array by 255", same_for_all(1 / 255.0f, 0)},
      {"the values multiplied by 255", "multiply the array by 255", same_for_all(255, 0)},
      {"the values divided by 127.5, less 1", "divide the array by 127.5 and subtract 1",
       same_for_all(1 / 127.5f, -1)},
      {"the values doubled, less 1", "double the array and subtract 1", same_for_all(2, -1)}};
  if (channels == 3) {
    maps.push_back({"ImageNet's normalization of 0 to 1", "normalize with ImageNet's mean and deviation",
                    normalized(1)});
    maps.push_back({"ImageNet's normalization of 0 to 255",
                    "divide by 255 and normalize with ImageNet's mean and deviation", normalized(255)});
    maps.push_back({"ImageNet's normalization undone once",
                    "normalize once: the array looks normalized twice, or the model does it itself",
                    inverse(normalized(1))});
  }
  std::vector<Variant> variants;
  for (const auto& [name, advice, map] : maps) variants.push_back({name, advice, affine(map, channels)});
  return variants;
}

}  // namespace

std::vector<Variant> normalizations(const std::optional<compiler::ImageOptions>& image, int channels) {
  return image ? image_normalizations(*image, channels) : array_normalizations(channels);
}

Variant swapped_channels(const std::optional<compiler::ImageOptions>& image) {
  Affine map = same_for_all(1, 0);
  for (size_t c = 0; image && c < 3; ++c) {  // the value of channel 2 - c as channel c is normalized
    const float mean = channel_of(image->mean, c, 0), deviation = channel_of(image->std, c, 1);
    map.scale[c] = channel_of(image->std, 2 - c, 1) / deviation;
    map.offset[c] = (channel_of(image->mean, 2 - c, 0) - mean) / deviation;
  }
  std::string advice = "swap the array's channels";
  if (image) {
    const bool bgr = image->order == plan::ChannelOrder::kBgr;
    advice = std::string("give --image ") + (bgr ? "rgb" : "bgr");
  }
  Rewrite scale = affine(map, 3);
  return {"channels in the other order", advice, [scale](std::vector<float>& values) {
            const size_t pixels = values.size() / 3;
            for (size_t i = 0; i < pixels; ++i) std::swap(values[i], values[2 * pixels + i]);
            scale(values);
          }};
}

}  // namespace bantam::tools
