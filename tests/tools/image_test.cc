#include "data/image.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <cstdlib>
#include <span>

#include "data/samples.h"
#include "io/failure.h"
#include "temporary_directory.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb_image_write.h>
#pragma GCC diagnostic pop

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;

Image noise(int height, int width, int channels) {
  Image image{height, width, channels, {}};
  uint32_t state = 12345;
  for (int i = 0; i < height * width * channels; ++i) {
    state = (state * 1103515245u + 12345u) & 0x7fffffffu;
    image.pixels.push_back(static_cast<uint8_t>(state >> 16));
  }
  return image;
}

uint64_t fnv1a(const std::vector<uint8_t>& bytes) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3ull;
  return hash;
}

std::string save_png(const TemporaryDirectory& dir, const std::string& name, const Image& image) {
  std::string path = dir.file(name);
  REQUIRE(stbi_write_png(path.c_str(), image.width, image.height, image.channels, image.pixels.data(), 0) !=
          0);
  return path;
}

ImageOptions options(plan::ChannelOrder order, int resize = 0, int crop = 0) {
  return {order, resize, crop, {}, {}};
}

// Hashes of Image.resize((width, height), BILINEAR) of Pillow 9.4.
TEST_CASE("image: resize gives Pillow's pixels") {
  struct Case {
    int channels, from_height, from_width, height, width;
    uint64_t hash;
  };
  constexpr Case kCases[] = {
      {3, 23, 37, 9, 16, 0xfb6e3c295b2ba89aull},      {3, 23, 37, 61, 80, 0x9c63eabaee416433ull},
      {3, 480, 640, 256, 341, 0xb1af0c85ffdf20e2ull}, {3, 200, 5, 31, 256, 0xae93fe0f865c26fbull},
      {3, 1, 1, 7, 7, 0x815bebd685f715a8ull},         {3, 13, 13, 5, 13, 0x973bfa949c7fd124ull},
      {1, 23, 37, 9, 16, 0x7142d10560744533ull},      {1, 23, 37, 61, 80, 0x91b0b4b609cad2c2ull},
      {1, 480, 640, 256, 341, 0x31484530b8f73727ull}, {1, 200, 5, 31, 256, 0xc9ab4d882e5665dfull},
      {1, 1, 1, 7, 7, 0x4f7f100afa0b781bull},         {1, 13, 13, 5, 13, 0x3856134bd37ace75ull},
  };
  for (const Case& c : kCases) {
    INFO(c.channels << " channels, " << c.from_height << "x" << c.from_width << " to " << c.height << "x"
                    << c.width);
    Image image = noise(c.from_height, c.from_width, c.channels);
    CHECK(fnv1a(resize_image(image, c.height, c.width).pixels) == c.hash);
  }
}

Tensor maps(std::vector<int64_t> shape, const std::vector<float>& values) {
  Tensor tensor{plan::DType::kFloat32, std::move(shape), {}};
  const auto bytes = std::as_bytes(std::span(values));
  tensor.bytes.assign(bytes.begin(), bytes.end());
  return tensor;
}

TEST_CASE("image: maps of floats are resized as pixels are, each by itself") {
  const Image image = noise(23, 37, 1);
  std::vector<float> values(image.pixels.begin(), image.pixels.end());
  for (size_t i = 0; i < image.pixels.size(); ++i) values.push_back(-2 * values[i]);
  for (const auto& [height, width] : {std::pair{9, 16}, std::pair{61, 80}, std::pair{23, 37}}) {
    INFO(height << "x" << width);
    const Tensor resized = resize_maps(maps({1, 2, 23, 37}, values), height, width);
    CHECK(resized.shape == std::vector<int64_t>{1, 2, height, width});
    const Image expected = resize_image(image, height, width);
    const size_t count = expected.pixels.size();
    REQUIRE(resized.as<float>().size() == 2 * count);
    float worst = 0, worst_double = 0;
    for (size_t i = 0; i < count; ++i) {
      const float pixel = resized.as<float>()[i];
      worst = std::max(worst, std::fabs(pixel - static_cast<float>(expected.pixels[i])));
      worst_double = std::max(worst_double, std::fabs(resized.as<float>()[count + i] + 2 * pixel));
    }
    CHECK(worst <= 1.01f);  // pixels are rounded after each of two passes
    CHECK(worst_double < 1e-3f);
  }
}

TEST_CASE("image: a resized map keeps a constant and its mean, and averages what becomes one value") {
  const Tensor flat = resize_maps(maps({5, 7}, std::vector<float>(35, 2.5f)), 3, 4);
  for (float value : flat.as<float>()) CHECK(std::fabs(value - 2.5f) < 1e-6f);
  // Halves: no value is skipped, as a filter that is not antialiased would do.
  const Tensor half = resize_maps(maps({1, 8}, {0, 8, 0, 8, 0, 8, 0, 8}), 1, 4);
  for (float value : half.as<float>()) CHECK(std::fabs(value - 4) < 1.2f);
}

TEST_CASE("samples: resized ones are the same samples with other last axes; others than floats are refused") {
  const TemporaryDirectory dir;
  const auto save = [&](const char* name, plan::DType dtype, const std::vector<int64_t>& shape,
                        size_t bytes) {
    NpyWriter writer(dir.file(name), dtype, shape);
    writer.append(std::vector<std::byte>(bytes));
    writer.commit();
    return dir.file(name);
  };
  const auto small = resized_samples(
      open_samples(save("x.npy", plan::DType::kFloat32, {2, 3, 8, 8}, 1536), std::nullopt), 4, 6);
  CHECK(small->count() == 2);
  CHECK(small->load(1).shape == std::vector<int64_t>{1, 3, 4, 6});
  CHECK(small->description() == "x.npy");
  const auto bytes =
      resized_samples(open_samples(save("b.npy", plan::DType::kUInt8, {2, 8, 8}, 128), std::nullopt), 4, 6);
  CHECK_THROWS_WITH(bytes->load(0), ContainsSubstring("only maps of float32 can be resized"));
}

// Hashes of CenterCrop(crop)(Resize(side)(image)) of torchvision 0.14.
TEST_CASE("image: resize and crop give torchvision's pixels") {
  struct Case {
    int height, width, resize, crop;
    uint64_t hash;
  };
  constexpr Case kCases[] = {{17, 31, 12, 9, 0x65ad0c29f60e153bull},
                             {480, 640, 256, 224, 0xc6e1a668f56f18ccull},
                             {500, 333, 232, 225, 0x0cec8683dd55fe5dull}};
  for (const Case& c : kCases) {
    Image out =
        prepare_image(noise(c.height, c.width, 3), options(plan::ChannelOrder::kRgb, c.resize, c.crop), "x");
    CHECK(fnv1a(out.pixels) == c.hash);
  }
}

TEST_CASE("image: channel orders") {
  TemporaryDirectory dir;
  Image image = noise(17, 31, 3);
  Image decoded = decode_image(save_png(dir, "a.png", image));
  CHECK(decoded.pixels == image.pixels);
  Image bgr = prepare_image(decoded, options(plan::ChannelOrder::kBgr), "a");
  CHECK(bgr.pixels[0] == image.pixels[2]);
  CHECK(bgr.pixels[1] == image.pixels[1]);
  CHECK(bgr.pixels[2] == image.pixels[0]);
  Image gray = prepare_image(decoded, options(plan::ChannelOrder::kGray), "a");
  CHECK(gray.channels == 1);
  CHECK(fnv1a(gray.pixels) == 0xe458e1efcf07b75eull);  // Pillow's convert('L')

  Image single = noise(4, 5, 1);
  Image spread =
      prepare_image(decode_image(save_png(dir, "g.png", single)), options(plan::ChannelOrder::kRgb), "g");
  CHECK(spread.channels == 3);
  CHECK(spread.pixels[3] == single.pixels[1]);
  CHECK(spread.pixels[5] == single.pixels[1]);
}

TEST_CASE("image: alpha is dropped") {
  TemporaryDirectory dir;
  Image with_alpha = noise(6, 7, 4);
  Image image = decode_image(save_png(dir, "a.png", with_alpha));
  CHECK(image.channels == 3);
  CHECK(image.pixels[3] == with_alpha.pixels[4]);
}

TEST_CASE("image: JPEG decodes to nearly what was stored") {
  TemporaryDirectory dir;
  Image image{16, 16, 3, std::vector<uint8_t>(16 * 16 * 3, 100)};
  std::string path = dir.file("a.JPG");
  REQUIRE(stbi_write_jpg(path.c_str(), 16, 16, 3, image.pixels.data(), 95) != 0);
  CHECK(is_image(path));
  for (uint8_t pixel : decode_image(path).pixels) CHECK(std::abs(pixel - 100) <= 2);
}

TEST_CASE("image: damaged files are refused, whatever is damaged") {
  TemporaryDirectory dir;
  CHECK_THROWS_AS(decode_image(dir.write("a.png", "not an image")), Failure);
  CHECK_THROWS_AS(decode_image(dir.write("b.jpg", "")), Failure);
  std::string good = read_back(save_png(dir, "c.png", noise(9, 9, 3)));
  for (size_t length = 0; length + 20 < good.size(); length += 3) {
    CHECK_THROWS_AS(decode_image(dir.write("d.png", good.substr(0, length))), Failure);
  }
  std::string huge = good;
  huge[16] = 0x00, huge[17] = 0x7f, huge[20] = 0x00, huge[21] = 0x7f;  // width and height of IHDR
  CHECK_THROWS_AS(decode_image(dir.write("e.png", huge)), Failure);
}

TEST_CASE("image: too small for the crop is an error that says what to do") {
  CHECK_THROWS_WITH(prepare_image(noise(8, 20, 3), options(plan::ChannelOrder::kRgb, 0, 16), "x.png"),
                    ContainsSubstring("x.png: is 20x8") && ContainsSubstring("--resize 16"));
}

TEST_CASE("samples: a folder is read in the order of its names") {
  TemporaryDirectory dir;
  save_png(dir, "b.png", noise(4, 4, 3));
  save_png(dir, "a.png", noise(5, 5, 3));
  dir.write("labels.csv", "a.png,1\n");
  auto samples = open_samples(dir.path(), options(plan::ChannelOrder::kRgb));
  REQUIRE(samples->count() == 2);
  CHECK(samples->name(0) == "a.png");
  CHECK(samples->load(0).shape == std::vector<int64_t>{1, 5, 5, 3});
  CHECK_THROWS_WITH(open_samples(dir.path(), std::nullopt), ContainsSubstring("--image"));
}

TEST_CASE("samples: an empty folder is refused") {
  TemporaryDirectory dir;
  CHECK_THROWS_WITH(open_samples(dir.path(), options(plan::ChannelOrder::kRgb)),
                    ContainsSubstring("no images"));
  CHECK_THROWS_AS(open_samples(dir.file("absent"), options(plan::ChannelOrder::kRgb)), Failure);
}

TEST_CASE("samples: arrays of images are prepared like files") {
  TemporaryDirectory dir;
  std::vector<int64_t> shape = {2, 17, 31, 3};
  Image image = noise(17, 31, 3);
  NpyWriter writer(dir.file("x.npy"), plan::DType::kUInt8, shape);
  for (int i = 0; i < 2; ++i) writer.append(std::as_bytes(std::span(image.pixels)));
  writer.commit();
  Tensor sample = open_samples(dir.file("x.npy"), options(plan::ChannelOrder::kRgb, 12, 9))->load(1);
  CHECK(sample.shape == std::vector<int64_t>{1, 9, 9, 3});
  std::span<const uint8_t> pixels = sample.as<uint8_t>();
  CHECK(fnv1a({pixels.begin(), pixels.end()}) == 0x65ad0c29f60e153bull);
}

TEST_CASE("samples: NaN is refused when it is met, with its place") {
  TemporaryDirectory dir;
  std::vector<float> values = {1, 2, NAN, 4};
  std::vector<int64_t> shape = {2, 2};
  NpyWriter writer(dir.file("n.npy"), plan::DType::kFloat32, shape);
  writer.append(std::as_bytes(std::span(values)));
  writer.commit();
  auto samples = open_samples(dir.file("n.npy"), std::nullopt);
  CHECK(samples->load(0).shape == std::vector<int64_t>{1, 2});
  CHECK_THROWS_WITH(samples->load(1), ContainsSubstring("sample 1") && ContainsSubstring("NaN"));
}

TEST_CASE("samples: shapes that only differ in leading ones fit, others do not") {
  Tensor sample{plan::DType::kFloat32, {1, 1, 640}, std::vector<std::byte>(2560)};
  std::vector<int64_t> shape = {640}, other = {64, 10};
  fit_to_input(sample, plan::DType::kFloat32, shape, false, "x");
  CHECK(sample.shape == shape);
  CHECK_THROWS_WITH(fit_to_input(sample, plan::DType::kFloat32, other, false, "x"),
                    ContainsSubstring("float32[64x10]"));
  Tensor pixels{plan::DType::kUInt8, {1, 4, 4, 3}, std::vector<std::byte>(48)};
  CHECK_THROWS_WITH(fit_to_input(pixels, plan::DType::kFloat32, other, false, "x"),
                    ContainsSubstring("--image"));
}

}  // namespace
}  // namespace bantam::tools
