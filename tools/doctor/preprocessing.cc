#include <algorithm>
#include <cmath>

#include "doctor/checks.h"
#include "doctor/variants.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

constexpr size_t kScreened = 16;     // samples that every variant is tried on first
constexpr int64_t kFewClasses = 5;   // with fewer, answers that are wrong but sure tell as much as right ones
constexpr double kGainShare = 1.25;  // information as advised over information as given: clear
constexpr double kGainBits = 0.3;
constexpr double kGainLoss = 0.1;     // nats
constexpr double kSigmas = 4;         // for one of several variants
constexpr double kOrderSigmas = 2.6;  // for the one other order
constexpr double kOrderGain = 0.05;   // nats
constexpr double kLeastProbability = 1e-4;

double entropy(const std::vector<double>& shares) {
  double sum = 0;
  for (double share : shares) sum -= share > 0 ? share * std::log2(share) : 0;
  return sum;
}

// Bits that the answers tell of the class: the entropy of their mean less their mean entropy (the mutual
// information of sample and class). An input that the network does not know gives vague answers, or sure ones
// that are all the same; both tell little, where confidence alone takes the second for good.
double information(const std::vector<Response>& responses) {
  std::vector<double> mean(responses[0].scores.size());
  double vagueness = 0;
  const double n = static_cast<double>(responses.size());
  for (const Response& response : responses) {
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += response.scores[i] / n;
    vagueness += entropy({response.scores.begin(), response.scores.end()}) / n;
  }
  return entropy(mean) - vagueness;
}

double confidence_of(const Response& response) {
  return *std::max_element(response.scores.begin(), response.scores.end());
}

double confidence(const std::vector<Response>& responses) {
  double sum = 0;
  for (const Response& response : responses) sum += confidence_of(response);
  return sum / static_cast<double>(responses.size());
}

std::vector<Response> every(const std::vector<Response>& responses, size_t step, size_t start) {
  std::vector<Response> kept;
  for (size_t i = start; i < responses.size(); i += step) kept.push_back(responses[i]);
  return kept;
}

// Per sample, in nats: its label's, or where there are no labels that of the class it is taken for.
std::vector<double> losses(const std::vector<Response>& responses, const std::vector<int64_t>& labels) {
  std::vector<double> losses;
  for (size_t i = 0; i < responses.size(); ++i) {
    const double probability =
        labels.empty() ? confidence_of(responses[i]) : responses[i].scores[static_cast<size_t>(labels[i])];
    losses.push_back(-std::log(std::max(probability, kLeastProbability)));
  }
  return losses;
}

struct Gain {
  double before = 0, after = 0;  // mean loss
  double sigmas = 0;             // of the paired difference
  double amount() const { return before - after; }
};

Gain gain_of(const std::vector<Response>& given, const std::vector<Response>& other,
             const std::vector<int64_t>& labels) {
  const std::vector<double> a = losses(given, labels), b = losses(other, labels);
  const double n = static_cast<double>(a.size());
  Gain gain;
  double squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    gain.before += a[i] / n;
    gain.after += b[i] / n;
    squares += (a[i] - b[i]) * (a[i] - b[i]) / n;
  }
  const double variance = std::max(1e-12, squares - gain.amount() * gain.amount());
  gain.sigmas = gain.amount() / std::sqrt(variance / n);
  return gain;
}

bool tells_more(const std::vector<Response>& given, const std::vector<Response>& other) {
  const double before = information(given), after = information(other);
  return after > kGainShare * before && after > before + kGainBits;
}

// The given samples and the network's responses to them.
struct Trial {
  const Network& network;
  const ResponsesTo& given;
  std::vector<int64_t> labels;  // of given.responses; empty: none

  std::vector<Response> respond(const Variant& variant, size_t step) const {
    std::vector<int> indices;
    for (size_t i = 0; i < given.indices.size(); i += step) indices.push_back(given.indices[i]);
    return network.run(*given.samples, indices, variant.rewrite);
  }
  std::vector<int64_t> labels_of_every(size_t step) const {
    std::vector<int64_t> kept;
    for (size_t i = 0; i < labels.size(); i += step) kept.push_back(labels[i]);
    return kept;
  }
  size_t screening_step() const { return std::max<size_t>(1, given.indices.size() / kScreened); }
};

// Without labels the gain must be there in both halves of the samples.
bool is_clear(const Trial& trial, const std::vector<Response>& other) {
  const std::vector<Response>& given = trial.given.responses;
  if (!trial.labels.empty()) {
    const Gain gain = gain_of(given, other, trial.labels);
    return gain.sigmas >= kSigmas && gain.amount() >= kGainLoss;
  }
  return tells_more(given, other) && tells_more(every(given, 2, 0), every(other, 2, 0)) &&
         tells_more(every(given, 2, 1), every(other, 2, 1));
}

Finding finding_of(const Trial& trial, FindingKind kind, const Variant& variant,
                   const std::vector<Response>& other) {
  const std::vector<Response>& given = trial.given.responses;
  Finding finding{kind, "", variant.advice};
  std::string values;
  if (trial.labels.empty()) {
    finding.before = information(given), finding.after = information(other);
    values = format("the class is told by %.2f bits instead of %.2f (confidence %.2f, as given %.2f)",
                    finding.after, finding.before, confidence(other), confidence(given));
  } else {
    const Gain gain = gain_of(given, other, trial.labels);
    finding.before = gain.before, finding.after = gain.after;
    values = format("the loss on the labels is %.3f instead of %.3f", gain.after, gain.before);
  }
  const char* looks =
      kind == FindingKind::kChannelOrder ? "red and blue look swapped" : "the input looks wrongly normalized";
  finding.saw =
      std::string(looks) + ": on " + format("%zu samples with ", given.size()) + variant.name + " " + values;
  return finding;
}

// Larger is better.
double value_of(const std::vector<Response>& responses, const std::vector<int64_t>& labels) {
  return labels.empty() ? information(responses) : -gain_of(responses, responses, labels).before;
}

// The variants that do better than what is given on a few samples: the best of them, and the next best, as a
// few samples do not tell those two apart.
std::vector<const Variant*> screen(const Trial& trial, const std::vector<Variant>& variants) {
  const size_t step = trial.screening_step();
  const std::vector<int64_t> labels = trial.labels_of_every(step);
  const double given = value_of(every(trial.given.responses, step, 0), labels);
  std::vector<std::pair<double, const Variant*>> better;
  for (const Variant& variant : variants) {
    const double reached = value_of(trial.respond(variant, step), labels);
    if (reached > given) better.emplace_back(-reached, &variant);
  }
  std::stable_sort(better.begin(), better.end(), [](auto& a, auto& b) { return a.first < b.first; });
  std::vector<const Variant*> chosen;
  for (size_t i = 0; i < std::min<size_t>(2, better.size()); ++i) chosen.push_back(better[i].second);
  return chosen;
}

bool check_normalization(const Trial& trial, const std::vector<Variant>& variants,
                         std::vector<Finding>& findings) {
  const Variant* best = nullptr;
  std::vector<Response> best_responses;
  for (const Variant* variant : screen(trial, variants)) {
    std::vector<Response> responses = trial.respond(*variant, 1);
    if (!is_clear(trial, responses)) continue;
    const bool first = best == nullptr;
    if (!first && value_of(responses, trial.labels) <= value_of(best_responses, trial.labels)) continue;
    best = variant;
    best_responses = std::move(responses);
  }
  if (best == nullptr) return false;
  findings.push_back(finding_of(trial, FindingKind::kNormalization, *best, best_responses));
  return true;
}

void check_order(const Trial& trial, const Variant& swapped, std::vector<Finding>& findings) {
  const size_t step = trial.screening_step();
  const Gain first = gain_of(every(trial.given.responses, step, 0), trial.respond(swapped, step),
                             trial.labels_of_every(step));
  if (first.sigmas < -1) return;
  const std::vector<Response> other = trial.respond(swapped, 1);
  const Gain gain = gain_of(trial.given.responses, other, trial.labels);
  const bool informed = !trial.labels.empty() || information(other) > information(trial.given.responses);
  if (gain.sigmas < kOrderSigmas || gain.amount() < kOrderGain || !informed) return;
  findings.push_back(finding_of(trial, FindingKind::kChannelOrder, swapped, other));
}

}  // namespace

void check_preprocessing(const Network& network, const std::optional<compiler::ImageOptions>& image,
                         const ResponsesTo& given, const std::vector<int64_t>& labels,
                         std::vector<Finding>& findings) {
  const int channels = network.image_channels();
  if (channels == 0 || given.responses.size() < 8) return;
  Trial trial{network, given, {}};
  for (int index : given.indices) {
    if (labels.empty()) break;
    const int64_t label = labels[static_cast<size_t>(index)];
    if (label < 0 || label >= network.classes()) return;
    trial.labels.push_back(label);
  }
  if (labels.empty() ? network.classes() < kFewClasses : !network.scores_classes()) return;
  const bool found = check_normalization(trial, normalizations(image, channels), findings);
  if (!found && channels == 3) check_order(trial, swapped_channels(image), findings);
}

}  // namespace bantam::tools
