#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <numeric>

#include "bench/measure.h"
#include "bench/sysfs.h"
#include "commands/command.h"
#include "io/failure.h"
#include "io/json_writer.h"
#include "io/text.h"
#include "timing/time_plans.h"

namespace bantam::tools {
namespace {

struct BenchFlags {
  BenchOptions options;
  std::vector<std::string> plans;
  std::string profile_device;
  std::string threads = "1";
  bool json = false;
};

double gmacs(const OpTime& op) { return op.ms > 0 ? static_cast<double>(op.macs) / op.ms * 1e-6 : 0; }

double total_ms(const std::vector<OpTime>& ops) {
  return std::accumulate(ops.begin(), ops.end(), 0.0,
                         [](double sum, const OpTime& op) { return sum + op.ms; });
}

void add_latency(JsonWriter& json, const char* key, const Latency& latency) {
  json.key(key).begin_object();
  json.field("min", latency.min).field("p50", latency.p50).field("p90", latency.p90);
  json.field("p99", latency.p99).field("mean", latency.mean).end_object();
}

void add_profile(JsonWriter& json, const std::vector<OpTime>& ops) {
  json.key("ops").begin_array();
  double total = total_ms(ops);
  for (const OpTime& op : ops) {
    json.begin_object().field("name", op.name).field("op", op.code).field("kind", op.kind);
    json.field("dtype", op.dtype).field("ms", op.ms).field("share", total > 0 ? op.ms / total : 0.0);
    json.field("macs", op.macs).field("gmacs_per_s", gmacs(op)).end_object();
  }
  json.end_array();
}

// What was cold, what was tried, and what speaks against the figures.
void add_circumstances(JsonWriter& json, const BenchResult& result) {
  json.key("cold").begin_object().field("evicted", result.evicted);
  json.field("load_ms", result.cold_load.total_ms).field("first_run_ms", result.cold_load.first_run_ms);
  add_latency(json, "latency_ms", result.cold);
  json.field("runs", result.cold.runs).end_object();
  json.field("cpus", cpu_list_text(result.choice.cpus));
  if (!result.tried.empty()) {
    json.key("tried").begin_array();
    for (const TriedChoice& tried : result.tried) {
      json.begin_object().field("threads", tried.choice.threads);
      json.field("cpus", cpu_list_text(tried.choice.cpus)).field("p50", tried.p50_ms).end_object();
    }
    json.end_array();
  }
  const Disturbance& found = result.disturbance;
  json.key("disturbance").begin_object().field("other_cpus", found.other_cores).field("stolen", found.stolen);
  json.field("waited", found.waited).field("involuntary_switches", found.switches);
  json.field("drift", found.drift).end_object();
  json.key("doubts").begin_array();
  for (const Doubt& doubt : result.doubts) {
    json.begin_object().field("cause", doubt.cause).field("text", doubt.text).end_object();
  }
  json.end_array();
}

void print_json(const BenchFlags& flags, const BenchResult& result) {
  JsonWriter json;
  json.begin_object();
  add_latency(json, "latency_ms", result.warm);
  json.field("threads", result.choice.threads).field("load_ms", result.load.total_ms);
  json.field("peak_rss_bytes", result.peak_rss_bytes).field("arena_bytes", result.memory.arena_bytes);
  json.field("first_run_ms", result.load.first_run_ms).field("runs", result.warm.runs);
  json.field("ready_ms", result.load.ready_ms).field("anonymous_bytes", result.anonymous_bytes);
  json.field("cached_bytes", result.memory.cached_bytes)
      .field("workspace_bytes", result.memory.workspace_bytes);
  json.field("state_bytes", result.memory.state_bytes).field("packed_bytes", result.memory.packed_bytes);
  add_circumstances(json, result);
  if (flags.options.profile) add_profile(json, result.ops);
  json.end_object();
  std::printf("%s\n", json.text().c_str());
}

void print_profile(const std::vector<OpTime>& ops) {
  double total = total_ms(ops);
  std::printf("\n%-44s %-16s %-8s %9s %7s %9s\n", "node", "op", "dtype", "ms", "share", "GMAC/s");
  for (const OpTime& op : ops) {
    const std::string& code = op.kind.empty() ? op.code : op.kind;
    std::string rate = op.macs > 0 ? format("%.1f", gmacs(op)) : "";
    std::printf("%-44.44s %-16s %-8s %9.4f %5.1f %% %9s\n", op.name.c_str(), code.c_str(), op.dtype, op.ms,
                total > 0 ? 100 * op.ms / total : 0.0, rate.c_str());
  }
  std::printf("%-44s %-16s %-8s %9.4f\n", "all ops", "", "", total);
}

std::string threads_text(int threads) { return format("%d thread%s", threads, threads == 1 ? "" : "s"); }

void print_latency(const char* name, const Latency& latency, const std::string& how) {
  std::printf("%-9s min %.3f  p50 %.3f  p90 %.3f  p99 %.3f  mean %.3f ms (%zu runs, %s)\n", name, latency.min,
              latency.p50, latency.p90, latency.p99, latency.mean, latency.runs, how.c_str());
}

void print_load(const char* name, const LoadTime& load, const char* from) {
  std::printf(
      "%-9s %.2f ms until ready, %.2f ms until the first result, of that %.3f ms the first run; the plan was "
      "%s\n",
      name, load.ready_ms, load.total_ms, load.first_run_ms, from);
}

void print_text(const BenchFlags& flags, const BenchResult& result) {
  print_latency("latency", result.warm, threads_text(result.choice.threads));
  print_latency("cold", result.cold, "caches full of other things");
  print_load("load", result.load, "in memory");
  print_load("cold load", result.cold_load,
             result.evicted ? "on storage" : "in memory too, from where it cannot be removed");
  const bantam_memory& memory = result.memory;
  std::printf("memory    peak %s, not of files %s; arena %s, workspace %s, packed weights %s%s, kernels %s\n",
              human_bytes(result.peak_rss_bytes).c_str(), human_bytes(result.anonymous_bytes).c_str(),
              human_bytes(memory.arena_bytes).c_str(), human_bytes(memory.workspace_bytes).c_str(),
              human_bytes(memory.packed_bytes + memory.cached_bytes).c_str(),
              memory.cached_bytes > 0 ? " (cached)" : "", human_bytes(memory.state_bytes).c_str());
  for (const TriedChoice& tried : result.tried) {
    std::printf("tried     %s on CPUs %s: p50 %.3f ms\n", threads_text(tried.choice.threads).c_str(),
                cpu_list_text(tried.choice.cpus).c_str(), tried.p50_ms);
  }
  if (!result.tried.empty()) {
    std::printf("best      %s on CPUs %s, with which all else here was measured\n",
                threads_text(result.choice.threads).c_str(), cpu_list_text(result.choice.cpus).c_str());
  }
  for (const Doubt& doubt : result.doubts) std::printf("doubtful  %s\n", doubt.text.c_str());
  if (flags.options.profile) print_profile(result.ops);
}

int run_profile_device(const BenchFlags& flags) {
  if (flags.threads == "auto") throw UsageError("--profile-device takes a number of threads: --threads N");
  DeviceProfile profile =
      record_profile(flags.profile_device, flags.plans, std::stoi(flags.threads), flags.options.min_time);
  if (flags.json) {
    JsonWriter json;
    json.begin_object().field("cpu", profile.machine().cpu).field("cpus", profile.machine().cpus);
    json.field("threads", profile.threads()).field("ops", profile.size()).end_object();
    std::printf("%s\n", json.text().c_str());
  } else {
    std::printf("%s: %zu ops, on %s with %s\n", flags.profile_device.c_str(), profile.size(),
                machine_text(profile.machine()).c_str(), threads_text(profile.threads()).c_str());
  }
  return 0;
}

int run_bench(BenchFlags flags) {
  if (!flags.profile_device.empty()) return run_profile_device(flags);
  if (flags.plans.size() > 1) throw UsageError("several plans go with --profile-device only");
  flags.options.plan = flags.plans.front();
  flags.options.threads = flags.threads == "auto" ? 0 : std::stoi(flags.threads);
  BenchResult result = measure(flags.options);
  flags.json ? print_json(flags, result) : print_text(flags, result);
  return 0;
}

}  // namespace

void add_bench(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<BenchFlags>();
  CLI::App* command = app.add_subcommand("bench", "Measure a plan's latency and memory on this machine");
  command->add_option("plan", flags->plans, "M.bantam; several with --profile-device")->required();
  command
      ->add_option("--threads", flags->threads,
                   "Threads of one run (default 1), or auto: the number and the CPUs that are fastest")
      ->check(CLI::Range(1, 1024) | CLI::IsMember({"auto"}));
  command->add_option("--min-time", flags->options.min_time, "Seconds to measure for (default 1)")
      ->check(CLI::Range(0.0, 86400.0));
  command->add_flag("--profile", flags->options.profile, "Measure every op too");
  command->add_option("--profile-device", flags->profile_device,
                      "Add the times of the plans' ops to this file, for `bantam compile --device-profile`");
  command->add_option("--cache", flags->options.cache, kCacheHelp);
  command->add_flag("--json", flags->json, "Print one JSON object");
  command->callback([flags, &chosen] { chosen = [flags] { return run_bench(*flags); }; });
}

}  // namespace bantam::tools
