// Any bytes as an image file: decoded and prepared, or refused.
#include <cstdint>

#include "data/image.h"
#include "io/failure.h"
#include "scratch_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bantam;  // NOLINT: a program of its own
  static const tests::ScratchFile png("image.png");
  const std::string& path = png.write(data, size);
  try {
    tools::Image image = tools::decode_image(path);
    // Large ones only decode: resizing them costs time and finds nothing more.
    if (image.pixels.size() > 1 << 16) return 0;
    tools::ImageOptions options;
    options.resize = 24;
    options.crop = 16;
    (void)tools::prepare_image(std::move(image), options, path);
  } catch (const tools::Failure&) {
  }
  return 0;
}
