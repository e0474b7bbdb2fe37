#include <CLI/CLI.hpp>
#include <charconv>

#include "commands/compile_flags.h"
#include "io/failure.h"

namespace bantam::tools {
namespace {

// "0.5" or "50%" as 0.5.
double parse_share(const std::string& text) {
  double share = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  const std::string unit(end, text.data() + text.size());
  if (error != std::errc() || (!unit.empty() && unit != "%"))
    throw UsageError("--sparsity " + text +
                     ": give the share of the weights that become zero, such as 0.5 or 50%");
  if (unit == "%") share /= 100;
  if (!(share > 0 && share < 1))
    throw UsageError("--sparsity " + text + ": the share must lie between 0 and 1 (or 0% and 100%)");
  return share;
}

}  // namespace

void SparsityFlags::add_to(CLI::App& command) {
  command.add_option(
      "--sparsity", share,
      "Make this share of the weights of convolutions and fully connected layers zero, such as "
      "0.5 or 50%; the plan does not store zeros. Smaller, hardly faster: only float32 1x1 convolutions "
      "with four fifths zeros or more are, with AVX-512");
  command
      .add_option("--sparsity-by", criterion,
                  "Which weights go: second-order (default with --calibrate: least error of the outputs, the "
                  "others are solved again) or magnitude (the smallest)")
      ->check(CLI::IsMember({"second-order", "magnitude"}));
}

void SparsityFlags::check(bool has_samples) const {
  if (share.empty() && !criterion.empty()) throw UsageError("--sparsity-by goes with --sparsity only");
  if (!share.empty()) parse_share(share);
  if (criterion == "second-order" && !has_samples) {
    throw UsageError(
        "--sparsity-by second-order needs --calibrate with samples (a folder of images or an .npy file)");
  }
}

compiler::SparsityOptions SparsityFlags::options() const {
  compiler::SparsityOptions options{parse_share(share), std::nullopt};
  if (criterion == "magnitude") options.criterion = compiler::SparsityCriterion::kMagnitude;
  if (criterion == "second-order") options.criterion = compiler::SparsityCriterion::kSecondOrder;
  return options;
}

std::string SparsityFlags::text() const {
  if (share.empty()) return "";
  return " --sparsity " + share + (criterion.empty() ? "" : " --sparsity-by " + criterion);
}

}  // namespace bantam::tools
