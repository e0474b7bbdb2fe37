// Preprocessing and golden hashes; what is only text needs no check.
#include <cmath>

#include "verify/verify.h"

namespace bantam::verify {
namespace {

Status error(const char* where, const char* what) { return Status(StatusCode::kInvalidPlan, where, what); }

// One finite number per channel, or none at all.
bool one_per_channel(const flatbuffers::Vector<float>* values, uint32_t channels, bool positive) {
  if (values == nullptr || values->size() == 0) return true;
  for (const float value : *values) {
    if (!std::isfinite(value) || (positive && value <= 0)) return false;
  }
  return values->size() == channels;
}

Status verify_preprocessing(const LoadedPlan& loaded, const plan::Preprocessing& image) {
  if (image.order() > plan::ChannelOrder::MAX) return error("preprocessing", "its channel order is unknown");
  if (image.resize() < 0 || image.crop() < 0) return error("preprocessing", "a size is negative");
  if (loaded.input_count() < 1) return error("preprocessing", "the plan has no input");
  const TensorInfo& input = loaded.tensors[static_cast<size_t>(loaded.inputs()[0])];
  const uint32_t channels = image.order() == plan::ChannelOrder::kGray ? 1 : 3;
  if (input.dtype != plan::DType::kUInt8 || input.rank != 4 ||
      static_cast<uint32_t>(input.dims[3]) != channels) {
    return error("preprocessing", "it is not for a uint8 image of these channels");
  }
  if (!one_per_channel(image.mean(), channels, false) || !one_per_channel(image.std(), channels, true)) {
    return error("preprocessing", "mean or std is not a number per channel");
  }
  return ok_status();
}

}  // namespace

Status verify_metadata(const LoadedPlan& loaded) {
  if (loaded.output_count() == 0) return error("outputs", "the plan has none");
  const auto* golden = loaded.plan->golden_outputs();
  if (golden != nullptr && golden->size() != 0 && golden->size() != loaded.outputs().size()) {
    return error("golden outputs", "there is not one hash per output");
  }
  const auto* image = loaded.plan->preprocessing();
  return image == nullptr ? ok_status() : verify_preprocessing(loaded, *image);
}

}  // namespace bantam::verify
