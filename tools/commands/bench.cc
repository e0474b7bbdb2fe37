#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <numeric>

#include "commands/command.h"
#include "engine/bench_input.h"
#include "engine/plan.h"
#include "io/json_writer.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

using Clock = std::chrono::steady_clock;

struct BenchFlags {
  std::string plan;
  int threads = 1;
  double min_time = 1.0;  // seconds
  bool profile = false;
  bool json = false;
  std::string cache;
};

constexpr int kMinRuns = 10;
constexpr size_t kMaxProfiledRuns = 1000;

struct OpTime {
  bantam_op_info info;
  double ms = 0;  // median
};

struct Result {
  double ready_ms = 0;          // to open the plan and make a session
  double load_ms = 0;           // from opening the plan to the first result
  double first_run_ms = 0;      // of that, the first run
  std::vector<double> runs_ms;  // sorted
  std::vector<OpTime> ops;      // in execution order; empty without --profile
  bantam_memory memory = {};
  uint64_t peak_rss_bytes = 0;
  uint64_t anonymous_bytes = 0;  // after the first run
  double mean_ms() const {
    return std::accumulate(runs_ms.begin(), runs_ms.end(), 0.0) / static_cast<double>(runs_ms.size());
  }
};

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Milliseconds of each run, for `seconds` and at least kMinRuns times.
std::vector<double> measure(Session& session, double seconds, const std::string& where) {
  std::vector<double> times;
  Clock::time_point start = Clock::now();
  while (times.size() < kMinRuns || ms_since(start) < seconds * 1000) {
    Clock::time_point begin = Clock::now();
    Outcome outcome = session.run();
    times.push_back(ms_since(begin));
    require(outcome, where);
  }
  return times;
}

std::vector<OpTime> profile(const Model& model, Session& session, double seconds, const std::string& where) {
  size_t count = static_cast<size_t>(model.info().op_count);
  std::vector<std::vector<double>> times(count);
  auto hook = [&](const bantam_op_event& event) {
    std::vector<double>& ms = times[static_cast<size_t>(event.op)];
    if (ms.size() < kMaxProfiledRuns) ms.push_back(static_cast<double>(event.elapsed_ns) * 1e-6);
  };
  require(session.set_hook(&hook), where);
  measure(session, seconds, where);
  require(session.set_hook(static_cast<decltype(hook)*>(nullptr)), where);
  std::vector<OpTime> ops;
  for (size_t i = 0; i < count; ++i) {
    std::sort(times[i].begin(), times[i].end());
    double median = times[i].empty() ? 0 : quantile(times[i], 0.5);
    ops.push_back({model.op(static_cast<int32_t>(i)), median});
  }
  return ops;
}

double gmacs(const OpTime& op) { return op.ms > 0 ? static_cast<double>(op.info.macs) / op.ms * 1e-6 : 0; }

double total_ms(const std::vector<OpTime>& ops) {
  return std::accumulate(ops.begin(), ops.end(), 0.0,
                         [](double sum, const OpTime& op) { return sum + op.ms; });
}

void print_json(const BenchFlags& flags, const Result& result) {
  JsonWriter json;
  json.begin_object().key("latency_ms").begin_object();
  json.field("min", result.runs_ms.front()).field("p50", quantile(result.runs_ms, 0.5));
  json.field("p90", quantile(result.runs_ms, 0.9)).field("p99", quantile(result.runs_ms, 0.99));
  json.field("mean", result.mean_ms()).end_object();
  json.field("threads", flags.threads)
      .field("load_ms", result.load_ms)
      .field("peak_rss_bytes", result.peak_rss_bytes);
  json.field("arena_bytes", result.memory.arena_bytes).field("first_run_ms", result.first_run_ms);
  json.field("ready_ms", result.ready_ms).field("anonymous_bytes", result.anonymous_bytes);
  json.field("cached_bytes", result.memory.cached_bytes);
  json.field("runs", result.runs_ms.size()).field("workspace_bytes", result.memory.workspace_bytes);
  json.field("state_bytes", result.memory.state_bytes).field("packed_bytes", result.memory.packed_bytes);
  if (flags.profile) {
    json.key("ops").begin_array();
    double total = total_ms(result.ops);
    for (const OpTime& op : result.ops) {
      json.begin_object().field("name", op.info.name).field("op", op.info.code).field("kind", op.info.kind);
      json.field("dtype", bantam_dtype_name(op.info.dtype))
          .field("ms", op.ms)
          .field("share", total > 0 ? op.ms / total : 0.0);
      json.field("macs", op.info.macs).field("gmacs_per_s", gmacs(op)).end_object();
    }
    json.end_array();
  }
  json.end_object();
  std::printf("%s\n", json.text().c_str());
}

void print_profile(const std::vector<OpTime>& ops) {
  double total = total_ms(ops);
  std::printf("\n%-44s %-16s %-8s %9s %7s %9s\n", "node", "op", "dtype", "ms", "share", "GMAC/s");
  for (const OpTime& op : ops) {
    std::string code = *op.info.kind != '\0' ? op.info.kind : op.info.code;
    std::string rate = op.info.macs > 0 ? format("%.1f", gmacs(op)) : "";
    std::printf("%-44.44s %-16s %-8s %9.4f %5.1f %% %9s\n", op.info.name, code.c_str(),
                bantam_dtype_name(op.info.dtype), op.ms, total > 0 ? 100 * op.ms / total : 0.0, rate.c_str());
  }
  std::printf("%-44s %-16s %-8s %9.4f\n", "all ops", "", "", total);
}

void print_text(const BenchFlags& flags, const Result& result) {
  std::printf("latency   min %.3f  p50 %.3f  p90 %.3f  p99 %.3f  mean %.3f ms (%zu runs, %d thread%s)\n",
              result.runs_ms.front(), quantile(result.runs_ms, 0.5), quantile(result.runs_ms, 0.9),
              quantile(result.runs_ms, 0.99), result.mean_ms(), result.runs_ms.size(), flags.threads,
              flags.threads == 1 ? "" : "s");
  std::printf(
      "load      %.2f ms until ready, %.2f ms until the first result, of that %.3f ms the first run\n",
      result.ready_ms, result.load_ms, result.first_run_ms);
  const bantam_memory& memory = result.memory;
  std::printf("memory    peak %s, not of files %s; arena %s, workspace %s, packed weights %s%s, kernels %s\n",
              human_bytes(result.peak_rss_bytes).c_str(), human_bytes(result.anonymous_bytes).c_str(),
              human_bytes(memory.arena_bytes).c_str(), human_bytes(memory.workspace_bytes).c_str(),
              human_bytes(memory.packed_bytes + memory.cached_bytes).c_str(),
              memory.cached_bytes > 0 ? " (cached)" : "", human_bytes(memory.state_bytes).c_str());
  if (flags.profile) print_profile(result.ops);
}

int run_bench(const BenchFlags& flags) {
  Result result;
  Clock::time_point start = Clock::now();
  Model model = open_plan(flags.plan, flags.cache);
  Session session = open_session(model, flags.threads, flags.plan);
  result.ready_ms = ms_since(start);
  BenchInputs inputs(model, session, flags.plan);
  Clock::time_point first = Clock::now();
  require(session.run(), flags.plan);
  result.first_run_ms = ms_since(first);
  result.load_ms = ms_since(start);
  result.anonymous_bytes = anonymous_memory_bytes();
  measure(session, std::min(0.2, flags.min_time / 5), flags.plan);  // warm-up
  result.runs_ms = measure(session, flags.min_time, flags.plan);
  std::sort(result.runs_ms.begin(), result.runs_ms.end());
  if (flags.profile) result.ops = profile(model, session, flags.min_time, flags.plan);
  result.memory = session.memory();
  result.peak_rss_bytes = peak_memory_bytes();
  flags.json ? print_json(flags, result) : print_text(flags, result);
  return 0;
}

}  // namespace

void add_bench(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<BenchFlags>();
  CLI::App* command = app.add_subcommand("bench", "Measure a plan's latency and memory on this machine");
  command->add_option("plan", flags->plan, "M.bantam")->required();
  command->add_option("--threads", flags->threads, "Threads of one run (default 1)")
      ->check(CLI::Range(1, 1024));
  command->add_option("--min-time", flags->min_time, "Seconds to measure for (default 1)")
      ->check(CLI::Range(0.0, 86400.0));
  command->add_flag("--profile", flags->profile, "Measure every op too");
  command->add_flag("--json", flags->json, "Print one JSON object");
  command->add_option("--cache", flags->cache, kCacheHelp);
  command->callback([flags, &chosen] { chosen = [flags] { return run_bench(*flags); }; });
}

}  // namespace bantam::tools
