#include "report/network.h"

#include <cstring>

#include "io/failure.h"

namespace bantam::tools {

void Network::load(const InputSet& inputs, int64_t sample) {
  sample_.clear();
  inputs.write(session_, sample);
  for (int i = 0; i < inputs.inputs(); ++i) {
    const bantam_tensor input = session_.input(i);
    const auto* data = static_cast<const std::byte*>(input.data);
    sample_.emplace_back(data, data + input.bytes);
  }
}

Values Network::run(const std::vector<uint8_t>& switches) {
  for (size_t i = 0; i < sample_.size(); ++i) {
    if (!sample_[i].empty())
      std::memcpy(session_.input(static_cast<int>(i)).data, sample_[i].data(), sample_[i].size());
  }
  if (!switches.empty()) {
    const bantam_tensor input = session_.input(static_cast<int>(sample_.size()));
    if (input.bytes != switches.size()) throw Failure(where_, "internal error: has other switches");
    std::memcpy(input.data, switches.data(), switches.size());
  }
  require(session_.run(), where_);
  Values outputs;
  for (int i = 0; session_.output(i).data != nullptr; ++i)
    read_real(session_.output(i), outputs.emplace_back());
  return outputs;
}

Values Network::observe(const std::vector<uint8_t>& switches,
                        const std::function<void(int op, const std::vector<float>& values)>& see) {
  std::vector<float> values;
  auto hook = [&](const bantam_op_event& event) {
    read_real(*event.outputs[0], values);
    see(event.op, values);
  };
  require(session_.set_hook(&hook), where_);
  Values outputs = run(switches);
  require(session_.set_hook(static_cast<decltype(hook)*>(nullptr)), where_);
  return outputs;
}

void NoiseSum::add(const Values& reference, const Values& values) {
  outputs_.resize(reference.size());
  for (size_t i = 0; i < reference.size(); ++i) outputs_[i].add(reference[i], values[i]);
}

void NoiseSum::add(const NoiseSum& other) {
  outputs_.resize(std::max(outputs_.size(), other.outputs_.size()));
  for (size_t i = 0; i < other.outputs_.size(); ++i) outputs_[i].add(other.outputs_[i]);
}

double NoiseSum::ratio() const {
  double sum = 0;
  for (const Distance& output : outputs_) sum += output.ratio();
  return outputs_.empty() ? 0 : sum / static_cast<double>(outputs_.size());
}

}  // namespace bantam::tools
