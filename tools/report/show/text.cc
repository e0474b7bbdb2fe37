#include <algorithm>

#include "io/text.h"
#include "report/show/render.h"

namespace bantam::tools {
namespace {

std::string shortened(const std::string& name, size_t width) {
  return name.size() <= width ? name : "..." + name.substr(name.size() - width + 3);
}

std::string steps_text(const Report& report) {
  std::string text = format("\n%-30s %9s %12s\n", "cause", "of error", "SQNR after");
  for (const Step& step : report.steps) {
    text += format("%-30s %9s %12s\n", step.cause.c_str(), share_of_noise(report, step.noise).c_str(),
                   sqnr_text(step.noise_after).c_str());
  }
  return text + format("%-30s %9s %12s\n", "together", share_of_noise(report, report.noise).c_str(),
                       sqnr_text(report.noise).c_str());
}

std::string own_text(const Report& report) {
  if (report.own_samples == 0) return "";
  std::string text =
      format("\n%-44s %9s %9s %9s\n", "op by itself, of the error", "weights", "clipping", "rounding");
  const auto line = [&](const std::string& name, const std::array<double, kOwnCauses>& noise) {
    text +=
        format("%-44s %9s %9s %9s\n", shortened(name, 44).c_str(), share_of_noise(report, noise[0]).c_str(),
               share_of_noise(report, noise[1]).c_str(), share_of_noise(report, noise[2]).c_str());
  };
  std::array<double, kOwnCauses> sums = report.together;
  for (const OpReport& op : report.ops) {
    if (!op.switched) continue;
    line(op.name, op.own);
    for (size_t c = 0; c < kOwnCauses; ++c) sums[c] += op.own[c];
  }
  line("acting together, and on other samples", report.together);
  line("sum: the causes above", sums);
  return text;
}

std::string layers_text(const Report& report) {
  std::string text =
      format("%-44s %-16s %-8s %10s %12s %12s\n", "node", "op", "dtype", "SQNR", "max error", "max value");
  int matched = 0;
  for (const OpReport& op : report.ops) {
    const Distance& d = op.distance;
    if (d.elements == 0) continue;
    ++matched;
    text += format("%-44s %-16s %-8s %10s %12.5g %12.5g\n", shortened(op.name, 44).c_str(), op.op.c_str(),
                   op.dtype.c_str(), sqnr_text(d.ratio()).c_str(), d.max_error, d.max_value);
  }
  return text + format("\n%d of %zu ops compared with float32 on %lld samples\n", matched, report.ops.size(),
                       static_cast<long long>(report.samples));
}

std::string outputs_text(const Report& report) {
  std::string text;
  for (const OutputReport& output : report.outputs) {
    text += format("output %s: %s, max error %.5g of %.5g\n", output.name.c_str(),
                   sqnr_text(output.distance.ratio()).c_str(), output.distance.max_error,
                   output.distance.max_value);
  }
  if (report.agreement) {
    text += format("best class as in float32: %lld of %lld samples\n",
                   static_cast<long long>(report.agreement->same),
                   static_cast<long long>(report.agreement->samples));
  }
  return text;
}

std::string suggestions_text(const Report& report) {
  std::string text = report.suggestions.empty() ? "" : "\n";
  for (const Suggestion& suggestion : report.suggestions) {
    text += format("suggestion: %s: predicted %s+%.1f dB\n", suggestion.text.c_str(),
                   suggestion.at_most ? "at most " : "", suggestion.gain_db);
  }
  if (report.unmatched > 0) {
    text += format(
        "%d ops with weights have no counterpart in the float32 model: their error counts as the last "
        "cause\n",
        report.unmatched);
  }
  return text;
}

std::string explained_ops(const Report& report) {
  std::string text = format("%-44s %-16s %-8s %-24s %7s %7s %7s\n", "node", "op", "dtype", "kernel",
                            report.total_ms >= 0 ? "time" : "", report.own_samples > 0 ? "error" : "",
                            report.weights_zeros > 0 ? "zeros" : "");
  for (const OpReport& op : report.ops) {
    const std::string zeros = op.weights_zeros > 0 ? percent_text(op.sparsity()) : "";
    text += format("%-44s %-16s %-8s %-24s %7s %7s %7s\n", shortened(op.name, 44).c_str(), op.op.c_str(),
                   op.dtype.c_str(), op.kernel.c_str(),
                   op.ms < 0 ? "" : percent_text(op.ms / std::max(report.total_ms, 1e-12)).c_str(),
                   op.switched ? share_of_noise(report, op.own_noise()).c_str() : "", zeros.c_str());
    for (const std::string& note : op.notes) text += "    " + note + "\n";
  }
  for (const std::string& note : report.notes) text += note + "\n";
  if (report.weights_zeros > 0) text += "\n" + sparsity_text(report) + "\n";
  if (report.total_ms >= 0) text += format("\n%.3f ms in all ops together, on one thread\n", report.total_ms);
  return text;
}

}  // namespace

std::string sqnr_text(double noise_to_signal) {
  return noise_to_signal == 0 ? "equal" : format("%.1f dB", decibels(noise_to_signal));
}

std::string percent_text(double share) { return format("%.1f%%", 100 * share); }

std::string sparsity_text(const Report& report) {
  return format(
      "%s of %s weights are zero and not stored: the plan takes %s instead of %s. They save time only in "
      "float32 1x1 convolutions that have four fifths of them or more, with AVX-512",
      percent_text(static_cast<double>(report.weights_zeros) /
                   static_cast<double>(std::max<uint64_t>(report.weights_count, 1)))
          .c_str(),
      human_count(report.weights_count).c_str(), human_bytes(report.plan_bytes).c_str(),
      human_bytes(report.plan_bytes + report.left_out_bytes).c_str());
}

std::string share_of_noise(const Report& report, double noise) {
  return report.noise > 0 ? percent_text(noise / report.noise) : "";
}

std::string to_text(const Report& report, View view) {
  std::string text = view == View::kDiff ? layers_text(report) : explained_ops(report);
  if (report.samples == 0) return text;
  if (view == View::kExplain) text += "\n";
  text += outputs_text(report) + steps_text(report);
  if (view == View::kDiff) text += own_text(report);
  return text + suggestions_text(report);
}

}  // namespace bantam::tools
