// The offline compiler: ONNX model in, plan out. It never links the runtime: whatever has to be executed
// (constant folding, calibration, golden hashes) goes through a PlanRunner that the caller provides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bantam/compiler/budgets.h"
#include "bantam/compiler/error.h"
#include "plan_generated.h"

namespace bantam::compiler {

// How the ranges of activations are chosen from what calibration saw. kMeasured: by that of the others whose
// int8 network comes closest to the fp32 network on the calibration data.
enum class RangeMethod { kMinMax, kPercentile, kSquaredError, kMeasured };

// What is done to lose less in quantizing to int8, beside rounding: each can be left out, to see what it
// buys.
struct QuantizePasses {
  bool equalize = true;  // scale channels so that they suit a common scale
  bool round = true;     // round weights by the error of their layer's output, not each to the nearest
  bool bias = true;      // make up for what rounding does to the mean output
  bool ranges = true;    // RangeMethod::kMeasured measures; else it is kSquaredError
};

// What a pruning ratio is a share of.
enum class PruneUnit { kMacs, kParams, kChannels };

// Which channels go first: those whose loss leaves the least error after their readers have been solved again
// (second order), or those with the least norm of weights, scale of batch normalization or mean square of
// values.
enum class PruneCriterion { kError, kL1, kL2, kBatchNorm, kActivation };

struct PruneOptions {
  double ratio = 0;  // 0..1, of `unit`
  PruneUnit unit = PruneUnit::kMacs;
  PruneCriterion criterion = PruneCriterion::kError;
  bool per_layer = false;   // the same share of every layer; else wherever it costs least
  bool reconstruct = true;  // solve layers again by least squares on the calibration data
  int tile = 0;             // channels left are a multiple of it; 0: by the layer's size
  bool for_time = false;    // where it costs least: for the work that kernels save; else for `unit`
};

// Which weights become zero: the smallest, or those whose loss costs the outputs of their layer least, the
// others being solved again to make up for it (second order; needs calibration data).
enum class SparsityCriterion { kMagnitude, kSecondOrder };

struct SparsityOptions {
  double share = 0;  // 0..1, of the weights of convolutions (of one group) and fully connected layers
  std::optional<SparsityCriterion> criterion;  // empty: second order where there is calibration data
};

// Dense, row-major.
struct TensorData {
  plan::DType dtype = plan::DType::kFloat32;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;
};

// How an image file becomes the model's first input; see plan::Preprocessing.
struct ImageOptions {
  plan::ChannelOrder order = plan::ChannelOrder::kRgb;
  int resize = 0;           // short side in pixels; 0: none
  int crop = 0;             // centred square in pixels; 0: none
  std::vector<float> mean;  // 0..255 pixels, in the order in which the model gets its channels; empty: 0
  std::vector<float> std;   // likewise; empty: 1
};

// Calibration samples. `load(i)` gives one tensor per graph input of the model, batch 1: with ImageOptions
// the first one is the uint8 NHWC image, otherwise all are the model's own. Called from several threads.
// `resized`: the same samples for an input of another size, which image options with that size prepare or,
// without, a resampling of the model's own tensors; may be empty.
struct SampleSource {
  int count = 0;
  std::function<std::vector<TensorData>(int index)> load;
  std::string description;  // for the plan's provenance
  std::function<SampleSource(const InputSize& size, const std::optional<ImageOptions>& image)> resized = {};
};

// Samples that are not for calibration, with which plans are judged.
struct TestSet {
  SampleSource samples;
  std::vector<int64_t> labels;  // the class of every sample, or empty
};

// Sees the first output of every op just after the op ran.
using OpObserver = std::function<void(int op, const void* data, size_t bytes)>;

// Hashes of what a machine computes on the golden input (golden_input.h): of the first output of every op,
// and of every output of the plan.
struct GoldenHashes {
  std::vector<uint64_t> ops;
  std::vector<uint64_t> outputs;
};

// A plan loaded into the runtime; used by one thread at a time.
class PlanRunner {
 public:
  virtual ~PlanRunner() = default;
  virtual std::vector<TensorData> run(std::span<const TensorData> inputs, const OpObserver& observer) = 0;
  virtual GoldenHashes golden() = 0;
};
// Copies what it needs of `plan`. Throws InternalError with the runtime's message.
using PlanRunnerFactory = std::function<std::unique_ptr<PlanRunner>(std::span<const std::byte> plan)>;

// How long a plan takes on the machine that it is for.
struct PlanTimes {
  std::vector<double> op_ms;  // by op of the plan
  double total_ms = 0;        // of a run as a whole
  int estimated = 0;          // ops whose time is only told from that of others
};
// The times of plans that are to be compared: measured here, in turns, or looked up.
using OpTimer = std::function<std::vector<PlanTimes>(std::span<const std::vector<std::byte>> plans)>;

// The millijoules of a run of this plan, as a counter of the machine tells.
using EnergyMeter = std::function<double(std::span<const std::byte> plan)>;

struct CompileOptions {
  Precision precision = Precision::kAsModel;
  // Of the fully connected layers that compute in float: bits of a weight, 8 or 4; 0: those of a float.
  int weight_bits = 0;
  bool quantize_rows = false;  // and their data are rounded to int8 as they come; weights of 8 bits unless 4
  RangeMethod ranges = RangeMethod::kMeasured;
  QuantizePasses quantize_passes;
  std::map<std::string, std::vector<int64_t>> shapes;  // of graph inputs with free dimensions
  // Not the model's own: its only input [N,C,H,W] gets this height and width, if all outputs keep their
  // shapes; image options and samples are those for this size.
  InputSize input_size;
  std::optional<ImageOptions> image;
  std::optional<SampleSource> calibration;  // needed for kInt8 and pruning
  std::optional<TestSet> test;
  std::optional<PruneOptions> prune;
  std::optional<SparsityOptions> sparsity;
  OpTimer op_timer;                // for kInt8; empty: speed is not looked at
  bool choose_by_time = false;     // ops whose int8 form is slower stay float
  bool allow_slower = false;       // a plan slower than its fp32 plan is no error
  std::optional<double> max_drop;  // 0..1, of the accuracy, that int8 may cost: ops that cost more stay float
  std::optional<Budgets> budgets;  // the network is searched for; needs calibration and op_timer
  bool allow_smaller_input = false;            // the search may choose a smaller input_size
  EnergyMeter energy_meter;                    // for budgets; empty: energy is estimated
  std::vector<Point> known_points;             // that an earlier search of the same model has measured
  std::function<void(const Point&)> on_point;  // told of every point as it is measured; may be empty
  std::string dump_ir_directory;               // empty: none; else one text file per pass
  std::string stop_after;                      // name of the last pass to run; empty: all
  std::string options_text;                    // for the plan's provenance
  int threads = 0;                             // 0: all cores
  std::function<void(std::string_view stage, double fraction)> progress;  // may be empty
};

struct CompileResult {
  std::vector<std::byte> plan;         // empty where budgets contradict each other
  std::optional<SearchReport> search;  // where there were budgets
  std::vector<std::string> warnings;
  std::string summary;
};

// Throws CompileError (the model, the data or the options are at fault) or InternalError.
CompileResult compile(const std::string& onnx_path, const CompileOptions& options,
                      const PlanRunnerFactory& runner);

// The options with which that network of a search by `given` is made without one.
CompileOptions options_of(const CompileOptions& given, const Point& chosen);

struct PrunedModel {
  std::string onnx;  // the file's bytes
  std::vector<std::string> warnings;
  std::string summary;
};

// The model without the channels that are zero and those that CompileOptions::prune takes, as ONNX again.
// Throws as compile does.
PrunedModel prune_onnx(const std::string& onnx_path, const CompileOptions& options,
                       const PlanRunnerFactory& runner);

}  // namespace bantam::compiler
