// Any bytes as an .npy file, whole and item by item.
#include <algorithm>
#include <cstdint>

#include "data/npy.h"
#include "data/samples.h"
#include "io/failure.h"
#include "scratch_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bantam;  // NOLINT: a program of its own
  static const tests::ScratchFile file("array.npy");
  const std::string& path = file.write(data, size);
  try {
    const tools::NpyFile array(path);
    (void)array.read_all();
    if (!array.shape().empty() && array.shape()[0] > 0) (void)array.read_item(array.shape()[0] - 1);
    const auto samples = tools::open_samples(path, std::nullopt);
    for (int64_t i = 0; i < std::min<int64_t>(samples->count(), 4); ++i) (void)samples->load(i);
  } catch (const tools::Failure&) {
  }
  return 0;
}
