#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "prune/rank/ranking.h"

namespace bantam::compiler {
namespace {

class ScoreRanking {
 public:
  ScoreRanking(const Graph& graph, const Structure& structure, PruneCriterion criterion,
               const std::map<std::string, std::vector<float>>& norm_scales)
      : graph_(graph), structure_(structure), criterion_(criterion), norm_scales_(norm_scales) {}

  std::vector<Ranking> run(const CalibrationSamples* samples) {
    scores_.assign(static_cast<size_t>(structure_.units), 0.0);
    known_.assign(static_cast<size_t>(structure_.units), false);
    if (criterion_ == PruneCriterion::kActivation) {
      add_energies(*samples);
    } else {
      add_weights();
    }
    std::vector<Ranking> rankings;
    for (const ChannelGroup& group : structure_.groups) rankings.push_back(rank(group));
    return rankings;
  }

 private:
  void add(int unit, double score) {
    if (unit < 0) return;
    scores_[static_cast<size_t>(unit)] += score;
    known_[static_cast<size_t>(unit)] = true;
  }

  void add_weights() {
    for (const Node& node : graph_.nodes) {
      if (!has_weights(node.code)) continue;
      const std::vector<int>& units = structure_.along(node.inputs[1], 0);
      const std::vector<double> scores = scores_of(node, units.size());
      for (size_t o = 0; o < scores.size(); ++o) add(units[o], scores[o]);
    }
  }

  // One per output channel; empty where the criterion says nothing about the layer.
  std::vector<double> scores_of(const Node& node, size_t outputs) const {
    std::vector<double> scores;
    if (criterion_ == PruneCriterion::kBatchNorm) {
      const auto scales = norm_scales_.find(node.name);
      if (scales == norm_scales_.end() || scales->second.size() != outputs) return {};
      for (float scale : scales->second) scores.push_back(std::fabs(static_cast<double>(scale)));
      return scores;
    }
    const std::span<const float> data = graph_.constant(node.inputs[1]).as<float>();
    const size_t row = data.size() / outputs;
    for (size_t o = 0; o < outputs; ++o) {
      double sum = 0;
      for (const float w : data.subspan(o * row, row))
        sum += criterion_ == PruneCriterion::kL1 ? std::fabs(static_cast<double>(w))
                                                 : static_cast<double>(w) * w;
      scores.push_back(criterion_ == PruneCriterion::kL1 ? sum : std::sqrt(sum));
    }
    return scores;
  }

  // The mean square of what the readers get.
  void add_energies(const CalibrationSamples& samples) {
    std::vector<ValueId> wanted;
    for (const Node& node : graph_.nodes) {
      if (has_weights(node.code) && !graph_.is_constant(node.inputs[0])) wanted.push_back(node.inputs[0]);
    }
    std::mutex mutex;
    // By value and sample, so that the sum does not depend on the order in which samples come.
    std::map<std::pair<ValueId, int>, std::vector<double>> sums;
    samples.run(graph_, wanted, [&](int sample, ValueId id, std::span<const float> data) {
      const size_t channels = static_cast<size_t>(graph_.shape(id).back());
      std::vector<double> sum(channels, 0.0);
      for (size_t i = 0; i < data.size(); ++i) sum[i % channels] += static_cast<double>(data[i]) * data[i];
      for (double& x : sum) x /= static_cast<double>(data.size() / channels);
      const std::lock_guard lock(mutex);
      sums[{id, sample}] = std::move(sum);
    });
    for (const auto& [key, sum] : sums) {
      const ValueId id = key.first;
      const std::vector<int>& units = structure_.along(id, graph_.shape(id).size() - 1);
      for (size_t c = 0; c < sum.size(); ++c) add(units[c], sum[c]);
    }
    for (double& score : scores_) score = std::sqrt(score);
  }

  Ranking rank(const ChannelGroup& group) const {
    Ranking ranking;
    double total = 0;
    for (int unit : group.units) {
      if (!known_[static_cast<size_t>(unit)]) return ranking;
      total += scores_[static_cast<size_t>(unit)] * scores_[static_cast<size_t>(unit)];
    }
    ranking.order.resize(group.units.size());
    std::iota(ranking.order.begin(), ranking.order.end(), 0);
    const auto score = [&](int i) {
      return scores_[static_cast<size_t>(group.units[static_cast<size_t>(i)])];
    };
    std::stable_sort(ranking.order.begin(), ranking.order.end(),
                     [&](int a, int b) { return score(a) < score(b); });
    ranking.order.pop_back();
    ranking.loss.push_back(0);
    for (int i : ranking.order)
      ranking.loss.push_back(ranking.loss.back() + (total > 0 ? score(i) * score(i) / total : 0));
    return ranking;
  }

  const Graph& graph_;
  const Structure& structure_;
  PruneCriterion criterion_;
  const std::map<std::string, std::vector<float>>& norm_scales_;
  std::vector<double> scores_;  // by unit
  std::vector<bool> known_;
};

}  // namespace

std::vector<Ranking> rank_by_score(const Graph& graph, const Structure& structure, PruneCriterion criterion,
                                   const std::map<std::string, std::vector<float>>& norm_scales,
                                   const CalibrationSamples* samples) {
  return ScoreRanking(graph, structure, criterion, norm_scales).run(samples);
}

}  // namespace bantam::compiler
