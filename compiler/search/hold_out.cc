#include "search/hold_out.h"

#include <fmt/format.h>

#include "bantam/compiler/error.h"
#include "prune/data/samples.h"

namespace bantam::compiler {
namespace {

constexpr int kFewest = 64;  // samples, of which some can be spared

SampleSource part_of(const SampleSource& source, bool held_out) {
  std::vector<int> which;
  for (int i = 0; i < source.count; ++i) {
    if (is_held_out(i) == held_out) which.push_back(i);
  }
  SampleSource part = source;
  part.count = static_cast<int>(which.size());
  part.load = [load = source.load, which](int index) { return load(which[static_cast<size_t>(index)]); };
  if (source.resized) {
    part.resized = [resized = source.resized, held_out](const InputSize& size,
                                                        const std::optional<ImageOptions>& image) {
      return part_of(resized(size, image), held_out);
    };
  }
  return part;
}

}  // namespace

CompileOptions with_test_set(CompileOptions options, std::vector<std::string>& warnings) {
  if (!options.max_drop) return options;
  if (!(*options.max_drop > 0 && *options.max_drop < 1))
    throw CompileError(
        fmt::format("--max-drop {:g}%: must lie between 0 and 100 %", 100 * *options.max_drop));
  if (options.test || !options.calibration) return options;
  const SampleSource all = *options.calibration;
  if (all.count < kFewest) {
    options.test = TestSet{all, {}};
    warnings.push_back(fmt::format(
        "--max-drop is measured on the {} samples that also calibrate, too few to keep some apart; give "
        "{} or more, or a test set with --inputs",
        all.count, kFewest));
    return options;
  }
  options.calibration = part_of(all, false);
  options.test = TestSet{part_of(all, true), {}};
  return options;
}

}  // namespace bantam::compiler
