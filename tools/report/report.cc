#include "report/report.h"

#include <algorithm>

namespace bantam::tools {

void Distance::add(const std::vector<float>& reference, const std::vector<float>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    const double x = reference[i], error = std::fabs(x - values[i]);
    signal += x * x;
    noise += error * error;
    max_error = std::max(max_error, error);
    max_value = std::max(max_value, std::fabs(x));
  }
  elements += static_cast<int64_t>(values.size());
}

void Distance::add(const Distance& other) {
  signal += other.signal;
  noise += other.noise;
  max_error = std::max(max_error, other.max_error);
  max_value = std::max(max_value, other.max_value);
  elements += other.elements;
}

double Distance::sqnr() const { return decibels(ratio()); }

double decibels(double noise_to_signal) {
  if (!(noise_to_signal > 0)) return std::numeric_limits<double>::infinity();
  return -10 * std::log10(noise_to_signal);
}

}  // namespace bantam::tools
