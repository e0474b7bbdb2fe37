#include <algorithm>
#include <numeric>

#include "prune/rank/ranking.h"
#include "prune/rank/reader_model.h"

namespace bantam::compiler {
namespace {

constexpr int64_t kRowsPerColumn = 8;
constexpr int64_t kFewestRows = 4096;
constexpr int64_t kMostRows = 8192;
constexpr size_t kRowBytes = size_t{512} << 20;  // rows in memory at a time
constexpr double kMeasuredShares[] = {0.125, 0.25, 0.5, 0.75};

struct Rows {
  explicit Rows(PixelChoice choice) : pixels(choice) {}
  PixelChoice pixels;
  RowMatrix rows;
};

class ErrorRanking {
 public:
  ErrorRanking(const Graph& graph, const Structure& structure, const CalibrationSamples& samples,
               const PassContext& context)
      : graph_(graph),
        structure_(structure),
        samples_(samples),
        context_(context),
        fitted_(samples.fitted()) {}

  std::vector<Ranking> run() {
    rankings_.resize(structure_.groups.size());
    size_t first = 0;
    while (first < structure_.groups.size()) {
      const size_t last = collect(first);
      for_each_index(static_cast<int>(last - first), context_.options, [&](int i) {
        const size_t group = first + static_cast<size_t>(i);
        rankings_[group] = rank(structure_.groups[group]);
      });
      if (context_.options.progress)
        context_.options.progress("rank channels",
                                  static_cast<double>(last) / static_cast<double>(rankings_.size()));
      first = last;
    }
    return std::move(rankings_);
  }

 private:
  int sample_count() const { return static_cast<int>(fitted_.size()); }
  const Node& node(int index) const { return graph_.nodes[static_cast<size_t>(index)]; }

  PixelChoice choice(const Node& reader) const {
    const int64_t rows = std::clamp(kRowsPerColumn * row_length(graph_, reader), kFewestRows, kMostRows);
    return {graph_, reader, sample_count(), rows};
  }

  int64_t columns(const Node& reader) const {
    return ReaderModel::is_joint(graph_, reader) ? row_length(graph_, reader)
                                                 : graph_.shape(reader.inputs[0]).back();
  }

  // Gathers the rows of as many groups from `first` on as memory allows; returns the one after them.
  size_t collect(size_t first) {
    rows_.clear();
    size_t bytes = 0;
    size_t last = first;
    for (; last < structure_.groups.size(); ++last) {
      for (int reader : structure_.groups[last].readers) {
        const auto [entry, fresh] = rows_.try_emplace(reader, choice(node(reader)));
        if (!fresh) continue;
        Rows& rows = entry->second;
        rows.rows.resize(rows.pixels.rows(sample_count()), columns(node(reader)));
        bytes += static_cast<size_t>(rows.rows.size()) * sizeof(float);
      }
      if (bytes > kRowBytes) {
        ++last;
        break;
      }
    }
    gather();
    return last;
  }

  void gather() {
    std::multimap<ValueId, int> readers;
    std::vector<ValueId> wanted;
    for (const auto& [reader, rows] : rows_) {
      readers.emplace(node(reader).inputs[0], reader);
      wanted.push_back(node(reader).inputs[0]);
    }
    samples_.run(
        graph_, wanted,
        [&](int sample, ValueId id, std::span<const float> data) {
          const auto [begin, end] = readers.equal_range(id);
          for (auto entry = begin; entry != end; ++entry)
            gather(rows_.at(entry->second), node(entry->second), sample, data);
        },
        fitted_);
  }

  void gather(Rows& rows, const Node& reader, int sample, std::span<const float> data) const {
    const int count = rows.pixels.per_sample();
    auto block = rows.rows.middleRows(sample * count, count);
    if (ReaderModel::is_joint(graph_, reader))
      return gather_inputs(graph_, reader, data, rows.pixels.pixels(sample), block);
    std::vector<int64_t> pixels = rows.pixels.pixels(sample);
    const int64_t all = static_cast<int64_t>(data.size()) / block.cols();
    for (int64_t& pixel : pixels) pixel %= all;  // of the input, which may have fewer than the output
    gather_pixels(data, pixels, block);
  }

  Ranking rank(const ChannelGroup& group) const {
    std::vector<ReaderModel> models;
    for (int reader : group.readers)
      models.emplace_back(graph_, node(reader), structure_, group, rows_.at(reader).rows);
    Ranking ranking;
    if (models.empty()) return ranking;  // nobody tells what the channels are worth, such as those of a query
    ranking.loss.push_back(0);
    std::vector<size_t> left(group.units.size());
    std::iota(left.begin(), left.end(), size_t{0});
    while (left.size() > 1) {
      size_t best = 0;
      double least = 0;
      for (size_t i = 0; i < left.size(); ++i) {
        double loss = 0;
        for (const ReaderModel& model : models) loss += model.loss(left[i]);
        if (i == 0 || loss < least) {
          best = i;
          least = loss;
        }
      }
      for (ReaderModel& model : models) model.remove(left[best]);
      ranking.order.push_back(static_cast<int>(left[best]));
      ranking.loss.push_back(ranking.loss.back() + std::max(least, 0.0));
      left.erase(left.begin() + static_cast<ptrdiff_t>(best));
      keep_measured(group, models, ranking);
    }
    return ranking;
  }

  static void keep_measured(const ChannelGroup& group, const std::vector<ReaderModel>& models,
                            Ranking& ranking) {
    const size_t removed = ranking.order.size();
    for (const double share : kMeasuredShares) {
      if (ranking.compensated.contains(removed)) continue;
      if (removed != static_cast<size_t>(share * static_cast<double>(group.units.size()))) continue;
      std::vector<Compensation>& state = ranking.compensated[removed];
      for (size_t i = 0; i < models.size(); ++i)
        state.push_back({group.readers[i], models[i].weights(), models[i].bias_change()});
    }
  }

  const Graph& graph_;
  const Structure& structure_;
  const CalibrationSamples& samples_;
  const PassContext& context_;
  const std::vector<int> fitted_;
  std::map<int, Rows> rows_;  // by reader
  std::vector<Ranking> rankings_;
};

}  // namespace

std::vector<Ranking> rank_by_error(const Graph& graph, const Structure& structure,
                                   const CalibrationSamples& samples, const PassContext& context) {
  return ErrorRanking(graph, structure, samples, context).run();
}

}  // namespace bantam::compiler
