#include "engine/model_flags.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "io/failure.h"
#include "io/text.h"
#ifdef BANTAM_WITH_COMPILER
#include "engine/compile_model.h"
#endif

namespace bantam::tools {
namespace {

constexpr const char* kOrders[] = {"rgb", "bgr", "gray"};

std::string list_text(const std::vector<float>& values) {
  std::string text;
  for (float value : values) {
    char digits[32];
    char* end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    text += (text.empty() ? "" : ",") + std::string(digits, end);
  }
  return text;
}

std::vector<int64_t> parse_shape(const std::string& flag, std::string_view text) {
  std::vector<int64_t> shape;
  const char* at = text.data();
  const char* end = at + text.size();
  do {
    int64_t dim = 0;
    auto [next, error] = std::from_chars(at, end, dim);
    bool separated = next < end && (*next == 'x' || *next == ',') && next + 1 < end;
    if (error != std::errc() || dim < 1 || dim > (1 << 30) || (next != end && !separated)) {
      throw UsageError("--shape " + flag + ": write NAME=1x3x224x224, with whole numbers from 1 on");
    }
    shape.push_back(dim);
    at = next == end ? end : next + 1;
  } while (at < end);
  return shape;
}

// `values` for each of `count` channels; a single one stands for all of them.
std::vector<float> per_channel(std::vector<float> values, int count, const char* flag) {
  if (values.size() == 1) values.resize(static_cast<size_t>(count), values[0]);
  if (!values.empty() && values.size() != static_cast<size_t>(count)) {
    throw UsageError(format("%s has %zu values; the image has %d channels", flag, values.size(), count));
  }
  for (float value : values) {
    if (!(value > -1e6f && value < 1e6f))
      throw UsageError(std::string(flag) + " must hold numbers in units of 0..255 pixels");
  }
  return values;
}

bool same_values(const std::vector<float>& given, const std::vector<float>& own) {
  return given.empty() || given == own;
}

void check_against_plan(const std::string& path, const Model& model, const ModelFlags& flags) {
  if (!flags.shapes.empty())
    throw Failure(path, "is a plan: its shapes are fixed; leave --shape out or compile again");
  std::optional<ImageOptions> given = flags.image_options(), own = image_options_of(model);
  if (!given) return;
  if (!own)
    throw Failure(path, "was compiled without image options; leave them out or compile again with them");
  bool same = given->order == own->order && given->resize == own->resize && given->crop == own->crop &&
              same_values(given->mean, own->mean) && same_values(given->std, own->std);
  if (!same)
    throw Failure(path, "was compiled with other image options; leave them out, the plan brings its own");
}

}  // namespace

void ModelFlags::add_to(CLI::App& command) {
  auto* group = command.add_option_group("Model");
  group
      ->add_option("--shape", shapes, "Shape of an input with free dimensions, NAME=1x3x224x224 (repeatable)")
      ->allow_extra_args(false);
  auto* order = group->add_option("--image", image,
                                  "The input is an image with channels in this order: rgb, bgr, gray");
  order->check(CLI::IsMember(std::vector<std::string>(std::begin(kOrders), std::end(kOrders))));
  group->add_option("--resize", resize, "Resize the short side to this many pixels")
      ->needs(order)
      ->check(CLI::Range(1, 1 << 14));
  group->add_option("--crop", crop, "Crop a centred square of this many pixels")
      ->needs(order)
      ->check(CLI::Range(1, 1 << 14));
  group->add_option("--mean", mean, "Subtracted from pixels (0..255), a,b,c in the order of the channels")
      ->needs(order)
      ->delimiter(',')
      ->allow_extra_args(false);
  group->add_option("--std", std, "Pixels are divided by this after that, a,b,c")
      ->needs(order)
      ->delimiter(',')
      ->allow_extra_args(false);
}

std::map<std::string, std::vector<int64_t>> ModelFlags::shape_map() const {
  std::map<std::string, std::vector<int64_t>> map;
  for (const std::string& flag : shapes) {
    size_t equals = flag.rfind('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError("--shape " + flag + ": write NAME=1x3x224x224");
    std::vector<int64_t> shape = parse_shape(flag, std::string_view(flag).substr(equals + 1));
    if (!map.emplace(flag.substr(0, equals), shape).second) {
      throw UsageError("--shape is given twice for " + flag.substr(0, equals));
    }
  }
  return map;
}

std::optional<ImageOptions> ModelFlags::image_options() const {
  if (image.empty()) return std::nullopt;
  ImageOptions options;
  while (image != kOrders[static_cast<int>(options.order)]) {
    options.order = static_cast<plan::ChannelOrder>(static_cast<int>(options.order) + 1);
  }
  options.resize = resize;
  options.crop = crop;
  options.mean = per_channel(mean, options.channels(), "--mean");
  options.std = per_channel(std, options.channels(), "--std");
  for (float value : options.std) {
    if (!(value > 0)) throw UsageError("--std must be greater than 0");
  }
  if (resize > 0 && crop > resize) {
    throw UsageError(
        format("--crop %d is larger than --resize %d, the short side it is cut from", crop, resize));
  }
  return options;
}

std::string ModelFlags::text() const {
  std::string text;
  for (const auto& [name, shape] : shape_map()) text += " --shape " + name + "=" + shape_text(shape);
  if (!image.empty()) text += " --image " + image;
  if (resize > 0) text += " --resize " + std::to_string(resize);
  if (crop > 0) text += " --crop " + std::to_string(crop);
  if (!mean.empty()) text += " --mean " + list_text(mean);
  if (!std.empty()) text += " --std " + list_text(std);
  return text;
}

bool ModelFlags::empty() const { return shapes.empty() && image.empty(); }

LoadedModel open_model(const std::string& path, const ModelFlags& flags) {
  if (is_plan(path)) {
    Model model = open_plan(path);
    check_against_plan(path, model, flags);
    return {nullptr, std::move(model)};
  }
#ifdef BANTAM_WITH_COMPILER
  return compile_in_memory(path, flags.shape_map(), flags.image_options());
#else
  throw Failure(path, "is no plan; this program was built without the compiler and takes .bantam files only");
#endif
}

}  // namespace bantam::tools
