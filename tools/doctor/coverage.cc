#include <algorithm>
#include <cmath>
#include <map>

#include "doctor/checks.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

constexpr int kFew = 16;          // samples with which ranges are known to be rough
constexpr int kEnough = 64;       // from here on growth is no reason to warn
constexpr double kGrowth = 0.25;  // mean growth of the ranges that is much
constexpr double kOneClass = 0.9;
constexpr double kDistance = 0.45;  // between distributions, 0..1
constexpr double kChance = 1e-4;

std::vector<FloatRange> joined(const std::vector<Response>& responses, size_t count) {
  std::vector<FloatRange> ranges = responses[0].ranges;
  for (size_t i = 1; i < count; ++i) {
    for (size_t op = 0; op < ranges.size(); ++op) {
      ranges[op].first = std::min(ranges[op].first, responses[i].ranges[op].first);
      ranges[op].second = std::max(ranges[op].second, responses[i].ranges[op].second);
    }
  }
  return ranges;
}

double width(const FloatRange& range) { return double{range.second} - range.first; }

double growth(const std::vector<Response>& responses) {
  const std::vector<FloatRange> half = joined(responses, std::max<size_t>(1, responses.size() / 2));
  const std::vector<FloatRange> all = joined(responses, responses.size());
  double sum = 0;
  int ops = 0;
  for (size_t op = 0; op < all.size(); ++op) {
    if (!(width(half[op]) > 0)) continue;
    sum += width(all[op]) / width(half[op]) - 1;
    ++ops;
  }
  return ops > 0 ? sum / ops : 0;
}

// The largest distance between two empirical distribution functions (Kolmogorov-Smirnov).
double distance(std::vector<float> a, std::vector<float> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  double largest = 0;
  for (size_t i = 0, k = 0; i < a.size() && k < b.size();) {
    const float at = std::min(a[i], b[k]);
    while (i < a.size() && a[i] <= at) ++i;
    while (k < b.size() && b[k] <= at) ++k;
    largest = std::max(largest, std::fabs(static_cast<double>(i) / static_cast<double>(a.size()) -
                                          static_cast<double>(k) / static_cast<double>(b.size())));
  }
  return largest;
}

// The chance of such a distance between samples of one distribution (Smirnov's asymptotic bound).
double chance(double distance, size_t a, size_t b) {
  const double n = static_cast<double>(a) * static_cast<double>(b) / static_cast<double>(a + b);
  return std::min(1.0, 2 * std::exp(-2 * n * distance * distance));
}

double mean(const std::vector<float>& values) {
  double sum = 0;
  for (float value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

struct Difference {
  double distance = 0;
  std::string what;
  double calibration = 0, test = 0;  // means
};

template <typename Get>
void compare(const std::vector<Response>& calibration, const std::vector<Response>& test,
             const std::string& what, const Get& get, Difference& worst) {
  std::vector<float> a, b;
  for (const Response& response : calibration) a.push_back(get(response));
  for (const Response& response : test) b.push_back(get(response));
  const double found = distance(a, b);
  if (found > worst.distance) worst = {found, what, mean(a), mean(b)};
}

}  // namespace

void check_number(int samples, const std::vector<Response>& responses, std::vector<Finding>& findings) {
  if (samples >= kEnough) return;
  const double grown = responses.size() > 1 ? growth(responses) : 0;
  if (samples >= kFew && grown < kGrowth) return;
  findings.push_back(
      {FindingKind::kTooFew,
       format("%d samples; the activations' ranges still grow by %.0f %% on average from half of "
              "them to all",
              samples, 100 * grown),
       "give 100 or more, as different as those the network will see"});
}

void check_balance(const std::vector<Response>& responses, std::vector<Finding>& findings) {
  if (responses.size() < 2 * kFew || responses[0].scores.size() < 3) return;
  std::map<size_t, int> votes;
  for (const Response& response : responses) {
    const auto best = std::max_element(response.scores.begin(), response.scores.end());
    ++votes[static_cast<size_t>(best - response.scores.begin())];
  }
  const auto most =
      std::max_element(votes.begin(), votes.end(), [](auto& a, auto& b) { return a.second < b.second; });
  const double share = most->second / static_cast<double>(responses.size());
  if (share < kOneClass) return;
  findings.push_back({FindingKind::kUnbalanced,
                      format("the float32 network takes %.0f %% of %zu samples for class %zu", 100 * share,
                             responses.size(), most->first),
                      "give samples of all classes, or check their preprocessing"});
}

void check_likeness(const std::vector<Response>& calibration, const std::vector<Response>& test, int channels,
                    std::vector<Finding>& findings) {
  if (calibration.size() < kFew || test.size() < kFew) return;
  static constexpr const char* kFeatures[] = {"mean", "deviation", "roughness"};
  const size_t features = calibration[0].features.size(), ops = calibration[0].ranges.size();
  Difference worst;
  for (size_t i = 0; i < features; ++i) {
    const std::string where =
        channels > 1 ? format("channel %zu's %s", i / 3, kFeatures[i % 3]) : kFeatures[i % 3];
    compare(
        calibration, test, "the input: " + where, [i](const Response& r) { return r.features[i]; }, worst);
  }
  for (size_t op = 0; op < ops; ++op) {
    compare(
        calibration, test, format("the activations: the largest value of op %zu", op),
        [op](const Response& r) { return r.ranges[op].second; }, worst);
  }
  const double tests = static_cast<double>(features + ops);
  const double odds = tests * chance(worst.distance, calibration.size(), test.size());
  if (worst.distance < kDistance || odds > kChance) return;
  findings.push_back(
      {FindingKind::kUnlikeTestSet,
       format("the samples are unlike the test set, most so in %s, %.3g on average here and %.3g there "
              "(%.0f %% of the samples would have to change)",
              worst.what.c_str(), worst.calibration, worst.test, 100 * worst.distance),
       "take the samples from what the network will see, prepared in the same way"});
}

}  // namespace bantam::tools
