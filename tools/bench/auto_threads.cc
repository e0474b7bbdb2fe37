#include "bench/auto_threads.h"

#include <algorithm>

#include "bench/runs.h"

namespace bantam::tools {
namespace {

constexpr double kNearlyAsFast = 1.03;
constexpr int kRounds = 2;  // the second one backwards, so that a drift of the machine favours nobody

std::vector<double> try_choice(const Model& model, const CoreChoice& choice, double seconds,
                               const std::string& where) {
  pin_to(choice.cpus);  // before the session starts its threads, which inherit it
  Session session = open_session(model, choice.threads, where);
  BenchInputs inputs(model, session, where);
  warm_up(session, seconds / 4, where);
  return time_runs(session, seconds, kFewestRuns / kRounds, where);
}

}  // namespace

const TriedChoice& best_choice(const std::vector<TriedChoice>& tried) {
  auto faster = [](const TriedChoice& a, const TriedChoice& b) { return a.p50_ms < b.p50_ms; };
  const TriedChoice* best = &*std::min_element(tried.begin(), tried.end(), faster);
  double limit = best->p50_ms * kNearlyAsFast;
  for (const TriedChoice& other : tried) {
    if (other.p50_ms <= limit && other.choice.threads < best->choice.threads) best = &other;
  }
  return *best;
}

std::vector<TriedChoice> try_choices(const std::string& plan, const std::vector<CoreChoice>& choices,
                                     double seconds) {
  Model model = open_plan(plan);
  std::vector<std::vector<double>> runs(choices.size());
  double each = seconds / static_cast<double>(choices.size() * kRounds) / 1.25;
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < choices.size(); ++i) {
      size_t at = round % 2 == 0 ? i : choices.size() - 1 - i;
      std::vector<double> times = try_choice(model, choices[at], each, plan);
      runs[at].insert(runs[at].end(), times.begin(), times.end());
    }
  }
  std::vector<TriedChoice> tried;
  for (size_t i = 0; i < choices.size(); ++i) tried.push_back({choices[i], latency_of(runs[i]).p50});
  return tried;
}

}  // namespace bantam::tools
