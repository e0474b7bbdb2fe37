#include "timing/time_plans.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>

#include "engine/bench_input.h"
#include "engine/plan.h"
#include "io/atomic_file.h"
#include "io/failure.h"
#include "io/input_file.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kFewestTurns = 7;
constexpr int kMostTurns = 20000;
constexpr uint64_t kMostPlanBytes = uint64_t{4} << 30;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class TimedPlan {
 public:
  TimedPlan(PlanBytes plan, int threads, const std::string& where) : where_(where) {
    Expected<LoadedModel> loaded = load_plan(plan);
    require(loaded.outcome(), where);
    loaded_ = std::make_unique<LoadedModel>(std::move(*loaded));
    session_ = std::make_unique<Session>(open_session(loaded_->model, threads, where));
    inputs_ = std::make_unique<BenchInputs>(loaded_->model, *session_, where);
    least_.assign(static_cast<size_t>(loaded_->model.info().op_count), 0);
    run();
    run();
  }

  void run() { require(session_->run(), where_); }

  // One run as a whole, as if it were one of many in a row, and one with a look at every op.
  void take_turn() {
    run();  // what the turn before and the other plans left in the caches is not this plan's
    const Clock::time_point start = Clock::now();
    run();
    runs_ms_.push_back(ms_since(start));
    auto hook = [this](const bantam_op_event& event) {
      double& least = least_[static_cast<size_t>(event.op)];
      const double ms = static_cast<double>(event.elapsed_ns) * 1e-6;
      least = runs_ms_.size() == 1 ? ms : std::min(least, ms);
    };
    require(session_->set_hook(&hook), where_);
    Outcome ran = session_->run();
    require(session_->set_hook(static_cast<decltype(hook)*>(nullptr)), where_);
    require(ran, where_);
  }

  PlanTimes times() {
    std::sort(runs_ms_.begin(), runs_ms_.end());
    return {least_, quantile(runs_ms_, 0.5)};
  }

 private:
  std::string where_;
  std::unique_ptr<LoadedModel> loaded_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<BenchInputs> inputs_;
  std::vector<double> least_;
  std::vector<double> runs_ms_;
};

}  // namespace

std::vector<PlanTimes> time_plans(const std::vector<PlanBytes>& plans, int threads, double seconds,
                                  const std::string& where) {
  std::vector<std::unique_ptr<TimedPlan>> timed;
  for (PlanBytes plan : plans) timed.push_back(std::make_unique<TimedPlan>(plan, threads, where));
  const Clock::time_point start = Clock::now();
  for (int turn = 0; turn < kMostTurns; ++turn) {
    if (turn >= kFewestTurns && ms_since(start) > seconds * 1000) break;
    for (auto& plan : timed) plan->take_turn();
  }
  std::vector<PlanTimes> times;
  for (auto& plan : timed) times.push_back(plan->times());
  return times;
}

DeviceProfile record_profile(const std::string& file, const std::vector<std::string>& plans, int threads,
                             double seconds) {
  DeviceProfile profile(this_machine(), threads);
  if (std::filesystem::exists(file)) {
    DeviceProfile old = read_profile(file);
    if (old.machine() != profile.machine() || old.threads() != threads) {
      throw Failure(file, "was recorded on " + machine_text(old.machine()) +
                              format(" with %d threads, this is ", old.threads()) +
                              machine_text(profile.machine()) +
                              format(" with %d; give another file", threads));
    }
    profile = std::move(old);
  }
  AtomicFile output(file);  // says at once when the place cannot be written
  for (const std::string& path : plans) {
    const std::vector<std::byte> plan = read_file(path, kMostPlanBytes);
    const PlanTimes times = time_plans({plan}, threads, seconds, path).front();
    const std::vector<OpSignature> ops = op_signatures(plan);
    for (size_t i = 0; i < ops.size(); ++i) profile.set(ops[i], times.op_ms[i]);
  }
  output.write(profile.to_json());
  output.commit();
  return profile;
}

}  // namespace bantam::tools
