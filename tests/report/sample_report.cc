#include "sample_report.h"

#include "io/text.h"

namespace bantam::tests {

tools::Report sample_report(int ops) {
  tools::Report report;
  report.model = "net.onnx";
  report.plan = "net & <co>.bantam";
  report.precision = "int8";
  report.options = "--precision int8";
  report.samples = 4;
  report.own_samples = 4;
  report.total_ms = ops;
  report.plan_bytes = 2000;
  report.weights_count = 1000 * static_cast<uint64_t>(ops);
  report.weights_zeros = 500;
  report.left_out_bytes = 1500;
  for (int i = 0; i < ops; ++i) {
    tools::OpReport op;
    op.name = "<script>\"first\" & last</script>";
    if (i > 0)
      op.name = tools::format("/features/features.%d/conv/conv.1/a_rather_long_name_of_a_layer/Conv", i);
    op.op = "Conv2d";
    op.dtype = "int8";
    op.kernel = "Conv2d.int8";
    op.tensor = op.name + "_output";
    op.ms = 1;
    op.weights_count = 1000;
    op.weights_zeros = i == 0 ? 500 : 0;
    op.switched = true;
    op.own = {1e-4 * i, 0, 2e-4};
    op.distance = {1.0, 1e-4 * (i + 1), 0.1, 1.0, 10};
    if (i == 0) op.notes = {"stays float32: it has no int8 kernel"};
    report.ops.push_back(op);
    tools::TensorHistogram histogram;
    histogram.tensor = op.tensor;
    histogram.max = 2;
    histogram.high = 1.5;
    histogram.counts[3] = 7;
    histogram.counts.back() = 1;
    histogram.clipped = 0.125;
    report.histograms.push_back(histogram);
  }
  report.steps = {{"folding", 0, 0},
                  {"weight rounding", 3e-3, 3e-3},
                  {"clipping", -1e-3, 2e-3},
                  {"activation rounding", 2e-3, 4e-3},
                  {"tables and integer arithmetic", 1e-3, 5e-3}};
  report.noise = 5e-3;
  report.outputs = {{"logits", {1.0, 5e-3, 0.1, 1.0, 10}}};
  report.agreement = tools::Agreement{3, 4};
  report.suggestions = {{"keep \"it\" in float32", 1.5, false}};
  report.notes = {"gone: pruned"};
  return report;
}

int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace bantam::tests
