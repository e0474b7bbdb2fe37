#include "commands/budget_flags.h"

#include <CLI/CLI.hpp>

#include "budget/quantity.h"
#include "hash64.h"
#include "io/failure.h"
#include "io/input_file.h"
#include "io/text.h"
#include "timing/device_profile.h"
#include "timing/energy_meter.h"

namespace bantam::tools {
namespace {

using compiler::Goal;
using compiler::Point;

constexpr std::pair<const char*, Goal> kGoals[] = {
    {"latency", Goal::kLatency}, {"size", Goal::kSize}, {"memory", Goal::kMemory}, {"energy", Goal::kEnergy}};
constexpr uint64_t kLargestModel = uint64_t{16} << 30;

std::string hash_text(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, kLargestModel);
  return format("%016llx", static_cast<unsigned long long>(hash64(bytes.data(), bytes.size())));
}

// A meter of this machine, which is not asked about another.
compiler::EnergyMeter energy_meter() {
  std::optional<EnergyCounter> found = EnergyCounter::find();
  if (!found) return nullptr;
  return [counter = *found](std::span<const std::byte> plan) mutable {
    return energy_of_plan(plan, counter).value_or(0);
  };
}

// All that the points depend on; of the budgets only what pruning is for, so that a search with others of the
// kind uses the points too.
std::string subject_of(const compiler::CompileOptions& options, const std::string& model,
                       const std::string& device) {
  const bool here = device.empty() || device == "this";
  std::string text = hash_text(model) + " " + options.options_text + " on " +
                     (here ? machine_text(this_machine()) : hash_text(device)) + " calibrate " +
                     options.calibration->description + format(" %d", options.calibration->count);
  if (options.test)
    text += " test " + options.test->samples.description +
            format(" %d %zu", options.test->samples.count, options.test->labels.size());
  if (options.budgets->saves_time()) text += " pruned for time";
  return text;
}

}  // namespace

void BudgetFlags::add_to(CLI::App& command) {
  std::vector<std::string> names;
  for (const auto& row : kGoals) names.emplace_back(row.first);
  command.add_option(
      "--max-latency", latency,
      "Search for a network that takes at most this long, such as 100ms, on this machine or on "
      "that of --device-profile; --precision and --max-drop limit the search");
  command.add_option("--max-size", size, "Likewise for the plan's size, such as 4MB");
  command.add_option("--max-memory", memory,
                     "Likewise for memory while it runs (plan, arena and weights in the CPU's layout)");
  command
      .add_option("--minimize", goal,
                  "What the search makes as small as the budgets allow: latency, size, memory or energy; "
                  "default: the loss of accuracy")
      ->check(CLI::IsMember(names));
  command.add_flag(
      "--allow-smaller-input", allow_smaller_input,
      "The search may also choose a smaller height and width of the input, which the plan then "
      "takes: for networks whose outputs stay the same, such as classifiers that end in a global pool");
  command.add_option("--resume", resume,
                     "Keep what the search measures in this file, and go on from it if it is there");
}

void BudgetFlags::check(const std::string& drop, bool pruned) const {
  if (!given()) {
    if (allow_smaller_input)
      throw UsageError(
          "--allow-smaller-input goes with a search: give --max-latency, --max-size, --max-memory or "
          "--minimize");
    if (!resume.empty())
      throw UsageError(
          "--resume goes with a search: give --max-latency, --max-size, "
          "--max-memory or --minimize");
    return;
  }
  if (!latency.empty()) parse_milliseconds("--max-latency", latency);
  if (!size.empty()) parse_bytes("--max-size", size);
  if (!memory.empty()) parse_bytes("--max-memory", memory);
  if (!drop.empty()) parse_share("--max-drop", drop);
  if (pruned) throw UsageError("--prune does not go with budgets, which find out how much to prune");
}

void BudgetFlags::set(compiler::CompileOptions& options, const std::string& model, const std::string& device,
                      std::optional<SearchFile>& file) const {
  if (!given()) return;
  compiler::Budgets budgets;
  if (!latency.empty()) budgets.latency_ms = parse_milliseconds("--max-latency", latency);
  if (!size.empty()) budgets.size_bytes = parse_bytes("--max-size", size);
  if (!memory.empty()) budgets.memory_bytes = parse_bytes("--max-memory", memory);
  for (const auto& [name, value] : kGoals) {
    if (goal == name) budgets.goal = value;
  }
  std::swap(budgets.drop, options.max_drop);
  options.budgets = budgets;
  options.allow_smaller_input = allow_smaller_input;
  if (device.empty() || device == "this") options.energy_meter = energy_meter();
  if (!resume.empty()) {
    file.emplace(resume, subject_of(options, model, device));
    options.known_points = file->points();
    options.on_point = [&file](const Point& point) { file->add(point); };
  }
  options.options_text += (options.options_text.empty() ? text().substr(1) : text());
}

std::string BudgetFlags::text() const {
  const auto flag = [](const char* name, const std::string& value) {
    return value.empty() ? "" : std::string(" ") + name + " " + value;
  };
  return flag("--max-latency", latency) + flag("--max-size", size) + flag("--max-memory", memory) +
         flag("--minimize", goal) + (allow_smaller_input ? " --allow-smaller-input" : "");
}

}  // namespace bantam::tools
