#include "doctor/network.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "data/samples.h"
#include "engine/evaluate.h"
#include "engine/plan_runner.h"
#include "io/failure.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

constexpr uint64_t kMacsBudget = uint64_t{30} * 1000 * 1000 * 1000;  // of one set of samples

// Without image options, and quietly: what the import has to say is said when the model is compiled.
LoadedModel load_float32(const DoctorOptions& options) {
  compiler::CompileOptions plain;
  plain.precision = compiler::Precision::kFp32;
  plain.shapes = options.shapes;
  plain.threads = options.threads;
  Expected<LoadedModel> model =
      load_plan(compiler::compile(options.model, plain, plan_runner_factory()).plan);
  require(model.outcome(), options.model);
  return std::move(*model);
}

std::vector<float> floats_of(const compiler::TensorData& data) {
  std::vector<float> values(data.bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), data.bytes.data(), values.size() * sizeof(float));
  return values;
}

// Softmax, unless they are probabilities already.
void to_probabilities(std::vector<float>& scores) {
  double sum = 0;
  bool negative = false;
  for (float score : scores) {
    sum += score;
    negative = negative || score < 0;
  }
  if (!negative && std::fabs(sum - 1) < 1e-3) return;
  const float largest = *std::max_element(scores.begin(), scores.end());
  double total = 0;
  for (float& score : scores) total += score = std::exp(score - largest);
  for (float& score : scores) score = static_cast<float>(score / total);
}

// Mean, deviation and mean step between neighbours over deviation, of one channel.
void add_features(std::span<const float> values, std::vector<float>& features) {
  double sum = 0, squares = 0, steps = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    sum += values[i];
    squares += double{values[i]} * values[i];
    if (i > 0) steps += std::fabs(double{values[i]} - values[i - 1]);
  }
  const double n = static_cast<double>(std::max<size_t>(1, values.size())), mean = sum / n;
  const double deviation = std::sqrt(std::max(0.0, squares / n - mean * mean));
  features.push_back(static_cast<float>(mean));
  features.push_back(static_cast<float>(deviation));
  features.push_back(static_cast<float>(steps / n / std::max(deviation, 1e-9)));
}

// Never narrower than 0. In lanes, as a single minimum would wait for the one before.
FloatRange range_of(std::span<const float> values) {
  constexpr size_t kLanes = 16;
  float low[kLanes] = {}, high[kLanes] = {};
  for (size_t i = 0; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float value = values[i + lane];
      low[lane] = value < low[lane] ? value : low[lane];
      high[lane] = value > high[lane] ? value : high[lane];
    }
  }
  for (float value : values.subspan(values.size() - values.size() % kLanes)) {
    low[0] = std::min(low[0], value);
    high[0] = std::max(high[0], value);
  }
  return {*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes)};
}

int64_t classes_of(const Model& model) {
  if (model.info().output_count < 1) return 0;
  const bantam_tensor output = model.output(0);
  const std::vector<int64_t> shape = shape_of(output);
  const int64_t wide = std::count_if(shape.begin(), shape.end(), [](int64_t dim) { return dim != 1; });
  return wide == 1 ? element_count(shape) : 0;
}

}  // namespace

std::vector<int> spread(int total, int count) {
  const int kept = std::min(total, count);
  std::vector<int> indices;
  for (int i = 0; i < kept; ++i) indices.push_back(static_cast<int>(int64_t{i} * total / kept));
  return indices;
}

Network::Network(const DoctorOptions& options)
    : name_(options.model),
      image_(options.image),
      threads_(options.threads),
      loaded_(load_float32(options)),
      classes_(classes_of(loaded_.model)) {}

int Network::image_channels() const {
  const bantam_tensor input = loaded_.model.input(0);
  const std::vector<int64_t> shape = shape_of(input);
  const bool fits = dtype_of(input) == plan::DType::kFloat32 && shape.size() == 4 &&
                    (shape[1] == 1 || shape[1] == 3) && shape[2] > 3 && shape[3] > 3;
  return fits ? static_cast<int>(shape[1]) : 0;
}

int Network::affordable(int wanted) const {
  const uint64_t macs = std::max<uint64_t>(1, loaded_.model.info().macs);
  return static_cast<int>(
      std::clamp<uint64_t>(kMacsBudget / macs, 8, static_cast<uint64_t>(std::max(8, wanted))));
}

// The uint8 image NHWC as the model's own NCHW, normalized as its image options say.
std::vector<float> Network::first_input(const compiler::TensorData& data) const {
  if (!image_) return floats_of(data);
  const auto channels = static_cast<size_t>(data.shape.back());
  const size_t pixels = data.bytes.size() / channels;
  std::vector<float> values(data.bytes.size());
  for (size_t c = 0; c < channels; ++c) {
    const float mean = image_->mean.empty() ? 0 : image_->mean[c];
    const float deviation = image_->std.empty() ? 1 : image_->std[c];
    for (size_t i = 0; i < pixels; ++i) {
      const float pixel = std::to_integer<uint8_t>(data.bytes[i * channels + c]);
      values[c * pixels + i] = (pixel - mean) / deviation;
    }
  }
  return values;
}

void Network::write(const Session& session, const compiler::SampleSource& samples, int index,
                    const Rewrite& rewrite, Response& response) const {
  std::vector<compiler::TensorData> tensors = samples.load(index);
  for (size_t i = 0; i < tensors.size(); ++i) {
    Tensor tensor{tensors[i].dtype, tensors[i].shape, std::move(tensors[i].bytes)};
    if (i == 0 && (image_ || tensor.dtype == plan::DType::kFloat32)) {
      tensors[0].bytes = std::move(tensor.bytes);
      std::vector<float> values = first_input(tensors[0]);
      if (rewrite) rewrite(values);
      const auto channels = static_cast<size_t>(std::max(1, image_channels()));
      const size_t pixels = values.size() / channels;
      for (size_t c = 0; c < channels; ++c)
        add_features(std::span(values).subspan(c * pixels, pixels), response.features);
      if (image_) {
        const std::vector<int64_t> nhwc = tensor.shape;
        tensor.shape = {nhwc[0], nhwc[3], nhwc[1], nhwc[2]};
      }
      tensor.dtype = plan::DType::kFloat32;
      const std::span<const std::byte> bytes = std::as_bytes(std::span<const float>(values));
      tensor.bytes.assign(bytes.begin(), bytes.end());
    }
    write_input(session, static_cast<int>(i), tensor, image_.has_value() && i == 0,
                samples.description + format(" sample %d", index));
  }
}

std::vector<Response> Network::run(const compiler::SampleSource& samples, const std::vector<int>& indices,
                                   const Rewrite& rewrite) const {
  const auto count = static_cast<int64_t>(indices.size());
  std::vector<Response> responses(indices.size());
  std::vector<std::optional<Session>> sessions(static_cast<size_t>(worker_count(count, threads_)));
  auto make_worker = [&](int worker) {
    sessions[static_cast<size_t>(worker)] = open_session(loaded_.model, 1, name_);
  };
  auto work = [&](int worker, int64_t at) {
    Session& session = *sessions[static_cast<size_t>(worker)];
    Response& response = responses[static_cast<size_t>(at)];
    write(session, samples, indices[static_cast<size_t>(at)], rewrite, response);
    std::vector<std::byte> scratch;
    auto hook = [&](const bantam_op_event& event) {
      if (event.output_count < 1 || dtype_of(*event.outputs[0]) != plan::DType::kFloat32) return;
      const std::span<const std::byte> bytes = dense_bytes(*event.outputs[0], scratch);
      response.ranges.push_back(
          range_of({reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)}));
    };
    if (!rewrite) require(session.set_hook(&hook), name_);
    const Outcome ran = session.run();
    if (!rewrite) require(session.set_hook(static_cast<decltype(hook)*>(nullptr)), name_);
    require(ran, name_);
    if (!scores_classes()) return;
    read_real(session.output(0), response.scores);
    to_probabilities(response.scores);
  };
  for_each_sample(count, threads_, "samples", make_worker, work);
  return responses;
}

}  // namespace bantam::tools
