// How much worse than its fp32 network a quantized one is, measured on samples.
#pragma once

#include <string>
#include <vector>

#include "passes/pass.h"
#include "search/interval.h"

namespace bantam::compiler {

struct Verdict {
  int samples = 0;
  bool classes = false;    // the first output is one score per class
  bool by_labels = false;  // the drop is that of top-1; else what top-1 disagrees in or, without classes, the
                           // noise of the outputs relative to their variance
  int agreeing = 0;        // samples with the same top-1 as fp32
  int hits = 0, fp32_hits = 0;  // top-1 by the labels
  double noise = 0;             // mean over the outputs of squared error over variance; before a last Softmax
  double drop = 0;              // 0..1; negative when better
  Interval interval;            // of the drop; empty without classes: low = high = drop
};

// "top-1 99.2 % of fp32's 99.4 %: 0.2 % lost (95 %: -0.1 to 0.5 %), agreement 99.6 %, SQNR 31.2 dB, on 500
// samples"
std::string verdict_text(const Verdict& verdict);
// What is still open, or "": "about 764 samples would settle it".
std::string open_question(const Verdict& verdict, double max_drop);

// The SQNR that so much noise, relative to the variance, leaves.
double decibels(double noise);

class Judge {
 public:
  // Runs the fp32 network `teacher` on the samples. Throws CompileError for samples that do not fit the
  // model, and for labels that are no classes of it.
  Judge(const Graph& teacher, const PassContext& context, const TestSet& set);
  // For graphs that take the same samples in another form: the teacher stays.
  Judge(const Judge& judge, SampleSource samples) : Judge(judge) { set_.samples = std::move(samples); }

  // `graph` takes the judge's samples and has the teacher's outputs.
  Verdict judge(const Graph& graph) const;
  // Verdict::noise alone, on at most `most` samples evenly spread. One thread.
  double noise(const Graph& graph, int most) const;

 private:
  using Outputs = std::vector<std::vector<float>>;  // by output
  Outputs run(PlanRunner& runner, const std::vector<TensorData>& sample) const;
  void check_labels() const;
  void measure_variance();
  double noise_of(const std::vector<double>& squares, int64_t samples) const;
  void add_squares(const Outputs& outputs, int sample, std::vector<double>& squares) const;

  const PassContext& context_;
  TestSet set_;
  std::vector<bool> float_output_;
  bool classes_ = false;
  std::vector<Outputs> expected_;    // by sample; large outputs thinned out
  std::vector<int> expected_class_;  // by sample
  std::vector<double> variance_;     // by output, of one sample's numbers
};

}  // namespace bantam::compiler
