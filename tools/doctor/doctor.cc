#include "doctor/doctor.h"

#include <algorithm>
#include <chrono>

#include "doctor/checks.h"

namespace bantam::tools {
namespace {

constexpr int kSamples = 64;

ResponsesTo respond(const Network& network, const compiler::SampleSource& samples) {
  ResponsesTo to{&samples, spread(samples.count, network.affordable(kSamples)), {}};
  to.responses = network.run(samples, to.indices, {});
  return to;
}

}  // namespace

bool Diagnosis::found(FindingKind kind) const {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.kind == kind; });
}

Diagnosis examine(const DoctorOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  Diagnosis diagnosis;
  const Network network(options);
  const ResponsesTo calibration = respond(network, options.calibration);  // says first what shapes do not fit
  check_content(options.calibration, diagnosis.findings);
  diagnosis.samples_run = static_cast<int>(calibration.responses.size());
  check_number(options.calibration.count, calibration.responses, diagnosis.findings);
  check_balance(calibration.responses, diagnosis.findings);
  if (!options.test) {
    check_preprocessing(network, options.image, calibration, {}, diagnosis.findings);
  } else {
    const ResponsesTo test = respond(network, *options.test);
    check_likeness(calibration.responses, test.responses, std::max(1, network.image_channels()),
                   diagnosis.findings);
    check_preprocessing(network, options.image, options.test_labels.empty() ? calibration : test,
                        options.test_labels, diagnosis.findings);
  }
  diagnosis.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return diagnosis;
}

}  // namespace bantam::tools
