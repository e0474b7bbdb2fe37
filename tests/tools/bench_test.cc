// What `bantam bench` reads of a machine, and what it concludes from it. The machines are made up.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <numeric>

#include "bench/auto_threads.h"
#include "bench/cold.h"
#include "bench/conditions.h"
#include "bench/cores.h"
#include "bench/doubts.h"
#include "bench/runs.h"
#include "bench/sysfs.h"
#include "temporary_directory.h"

namespace bantam::tools {
namespace {

using Catch::Approx;

class FakeMachine {
 public:
  const std::string& root() const { return dir_.path(); }
  void set(const std::string& path, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(dir_.path() + path).parent_path());
    dir_.write(path.substr(1), content + "\n");
  }
  void set_cpu(int cpu, const std::string& name, const std::string& content) const {
    set("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/" + name, content);
  }
  void set_clock(int cpu, int now_mhz, int most_mhz, const std::string& governor) const {
    set_cpu(cpu, "cpufreq/scaling_cur_freq", std::to_string(now_mhz * 1000));
    set_cpu(cpu, "cpufreq/cpuinfo_max_freq", std::to_string(most_mhz * 1000));
    set_cpu(cpu, "cpufreq/scaling_max_freq", std::to_string(most_mhz * 1000));
    set_cpu(cpu, "cpufreq/scaling_governor", governor);
  }

 private:
  TemporaryDirectory dir_;
};

// A second without anything that disturbs.
Measurement calm() {
  Measurement measured;
  measured.runs_ms = std::vector<double>(100, 10.0);
  measured.seconds = 1;
  measured.threads = 1;
  measured.cpus = 4;
  Conditions before;
  before.times = CpuTimes{100, 1000, 5};
  before.waited_seconds = 1;
  before.own_seconds = 3;
  Conditions after = before;
  after.times = CpuTimes{101, 1003, 5};
  after.own_seconds = 4;
  measured.moments = {before, after, after};
  return measured;
}

std::vector<std::string> causes(const Measurement& measured) {
  std::vector<std::string> found;
  for (const Doubt& doubt : doubts_about(measured)) {
    CHECK(!doubt.text.empty());
    CHECK(doubt.text.find('\n') == std::string::npos);
    found.emplace_back(doubt.cause);
  }
  return found;
}
using Causes = std::vector<std::string>;

TEST_CASE("sysfs: words, numbers, sizes and lists") {
  FakeMachine machine;
  machine.set("/a", "42 43");
  machine.set("/b", "0x1f");
  machine.set("/c", "many");
  machine.set("/d", "512K");
  machine.set("/e", "4M");
  std::string root = machine.root();
  CHECK(read_word(root + "/a") == "42");
  CHECK(read_number(root + "/a") == 42);
  CHECK(read_number(root + "/b") == 31);
  CHECK(!read_number(root + "/c"));
  CHECK(!read_number(root + "/absent"));
  CHECK(!read_text_file(root));
  CHECK(read_bytes(root + "/d") == 512 * 1024);
  CHECK(read_bytes(root + "/e") == 4 * 1024 * 1024);
  CHECK(read_bytes(root + "/c") == 0);
  CHECK(cpu_list_text(std::vector<int>{0, 1, 2, 5, 7, 8}) == "0-2,5,7-8");
  CHECK(cpu_list_text(std::vector<int>{3}) == "3");
  for (int cpu : {10, 2, 0}) machine.set_cpu(cpu, "online", "1");
  machine.set("/sys/devices/system/cpu/cpufreq/policy0", "");
  std::vector<std::string> cpus = numbered_entries(root + "/sys/devices/system/cpu", "cpu");
  REQUIRE(cpus.size() == 3);
  CHECK(cpus[2].ends_with("/cpu10"));
  CHECK(numbered_entries(root + "/absent", "cpu").empty());
}

TEST_CASE("conditions: a machine that tells everything") {
  FakeMachine machine;
  machine.set("/proc/stat", "cpu  100 10 50 700 40 3 2 95 0 0\ncpu0 1 2 3\nctxt 5");
  machine.set("/proc/self/task/7/schedstat", "1000 2000000000 5");
  machine.set("/proc/self/task/8/schedstat", "1000 500000000 5");
  machine.set_clock(2, 600, 1800, "powersave");
  machine.set_cpu(0, "thermal_throttle/core_throttle_count", "3");
  machine.set_cpu(2, "thermal_throttle/package_throttle_count", "4");
  machine.set("/sys/class/thermal/thermal_zone0/type", "cpu-thermal");
  machine.set("/sys/class/thermal/thermal_zone0/temp", "81500");
  machine.set("/sys/class/thermal/thermal_zone0/trip_point_0_type", "critical");
  machine.set("/sys/class/thermal/thermal_zone0/trip_point_0_temp", "70000");
  machine.set("/sys/class/thermal/thermal_zone0/trip_point_1_type", "passive");
  machine.set("/sys/class/thermal/thermal_zone0/trip_point_1_temp", "80000");
  machine.set("/sys/class/thermal/thermal_zone1/type", "gpu-thermal");
  machine.set("/sys/class/thermal/thermal_zone1/temp", "90000");
  machine.set("/sys/class/thermal/cooling_device0/type", "thermal-cpufreq-0");
  machine.set("/sys/class/thermal/cooling_device0/cur_state", "2");
  machine.set("/sys/class/thermal/cooling_device1/type", "pwm-fan");
  machine.set("/sys/class/thermal/cooling_device1/cur_state", "4");
  machine.set("/sys/devices/platform/soc/soc:firmware/get_throttled", "50005");
  Conditions now = read_conditions(machine.root(), 2);
  double tick = 1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  REQUIRE(now.times);
  CHECK(now.times->busy == Approx(165 * tick));
  CHECK(now.times->idle == Approx(740 * tick));
  CHECK(now.times->stolen == Approx(95 * tick));
  REQUIRE(now.waited_seconds);
  CHECK(*now.waited_seconds == Approx(2.5));
  CHECK(now.khz == 600000);
  CHECK(now.max_khz == 1800000);
  CHECK(now.governor == "powersave");
  CHECK(now.throttle_events == 7);
  REQUIRE(now.hot.size() == 1);
  CHECK(now.hot[0].name == "cpu-thermal");
  CHECK(now.hot[0].limit == 80);
  CHECK(now.cooling == std::vector<std::string>{"thermal-cpufreq-0"});
  CHECK(now.firmware == std::vector<std::string>{"under-voltage", "throttling"});
  CHECK(now.own_seconds > 0);
}

TEST_CASE("conditions: a machine that tells nothing, and one that talks nonsense") {
  FakeMachine machine;
  for (int round = 0; round < 2; ++round) {
    Conditions now = read_conditions(machine.root(), 0);
    CHECK(!now.times);
    CHECK(!now.waited_seconds);
    CHECK(!now.khz);
    CHECK(now.hot.empty());
    CHECK(now.firmware.empty());
    Measurement measured = calm();
    measured.moments = {now, now};
    CHECK(causes(measured).empty());
    machine.set("/proc/stat", "cpu none");
    machine.set("/proc/self/task/1/schedstat", "?");
    machine.set_cpu(0, "cpufreq/scaling_cur_freq", "<unknown>");
    machine.set("/sys/class/thermal/thermal_zone0/temp", "hot");
    machine.set("/sys/devices/platform/soc/soc:firmware/get_throttled", "");
  }
}

TEST_CASE("doubts: none about a calm machine") {
  CHECK(causes(calm()).empty());
  Disturbance found = disturbance_of(calm());
  CHECK(found.other_cores == Approx(0).margin(1e-9));
  CHECK(found.drift == 0);
}

TEST_CASE("doubts: other load, steal and waiting") {
  Measurement busy = calm();
  busy.moments.back().times->busy += 0.5;
  busy.moments.back().times->idle -= 0.5;
  CHECK(causes(busy) == Causes{"busy"});
  CHECK(disturbance_of(busy).other_cores == Approx(0.5));
  busy.seconds = 0.05;  // too short for the kernel's ticks
  busy.moments.back().times->busy = 101.03;
  CHECK(causes(busy).empty());

  Measurement stolen = calm();
  stolen.moments.back().times->stolen += 0.2;
  CHECK(causes(stolen) == Causes{"steal"});

  Measurement waiting = calm();
  waiting.moments.back().waited_seconds = 1.1;
  CHECK(causes(waiting) == Causes{"preempted"});
  waiting.threads = 8;  // of whose time it is little
  waiting.cpus = 8;
  CHECK(causes(waiting).empty());

  Measurement interrupted = calm();
  interrupted.moments.back().involuntary_switches = 100;
  CHECK(causes(interrupted).empty());  // it is known that the threads did not wait
  interrupted.moments.back().waited_seconds.reset();
  CHECK(causes(interrupted) == Causes{"preempted"});
}

TEST_CASE("doubts: frequency") {
  FakeMachine machine;
  machine.set_clock(0, 600, 1800, "powersave");
  Conditions slow = read_conditions(machine.root(), 0);
  machine.set_clock(0, 1750, 1800, "schedutil");
  Conditions fast = read_conditions(machine.root(), 0);
  auto with = [](const Conditions& before, const Conditions& middle, const Conditions& after) {
    Measurement measured = calm();
    measured.moments = {before, middle, after};
    return measured;
  };
  CHECK(causes(with(fast, fast, fast)).empty());
  CHECK(causes(with(slow, fast, fast)).empty());  // it had slept before
  CHECK(causes(with(fast, slow, fast)) == Causes{"frequency"});
  CHECK(doubts_about(with(fast, slow, fast))[0].text.find("600 of 1800 MHz (governor powersave") !=
        std::string::npos);

  machine.set_cpu(0, "cpufreq/scaling_max_freq", "1200000");
  machine.set_clock(1, 1200, 1800, "performance");
  machine.set_cpu(1, "cpufreq/scaling_max_freq", "1200000");
  Conditions capped = read_conditions(machine.root(), 1);
  CHECK(causes(with(capped, capped, capped)) == Causes{"frequency", "capped"});

  Conditions unknown;
  unknown.governor = "powersave";
  CHECK(causes(with(unknown, unknown, unknown)) == Causes{"frequency"});
}

TEST_CASE("doubts: heat and power") {
  Measurement measured = calm();
  measured.moments.front().throttle_events = 5;
  for (size_t i : {1, 2}) measured.moments[i].throttle_events = 5;
  CHECK(causes(measured).empty());  // an old story
  measured.moments.back().throttle_events = 6;
  measured.moments.back().hot = {{"cpu-thermal", 82, 80}};
  measured.moments.back().cooling = {"Processor"};
  measured.moments.back().firmware = {"under-voltage"};
  CHECK(causes(measured) == Causes{"throttled", "hot", "throttled", "firmware"});
}

TEST_CASE("doubts: runs that drift or spread, and threads without a CPU") {
  Measurement measured = calm();
  for (size_t i = 50; i < 100; ++i) measured.runs_ms[i] = 11;
  CHECK(causes(measured) == Causes{"drift"});
  CHECK(disturbance_of(measured).drift == Approx(0.1));
  std::reverse(measured.runs_ms.begin(), measured.runs_ms.end());
  CHECK(doubts_about(measured)[0].text.find("faster") != std::string::npos);

  measured = calm();
  for (size_t i = 0; i < 100; i += 5) measured.runs_ms[i] = 20;
  CHECK(causes(measured) == Causes{"spread"});
  measured.runs_ms.resize(3);
  CHECK(causes(measured).empty());

  measured = calm();
  measured.threads = 5;
  CHECK(causes(measured) == Causes{"threads"});
}

std::vector<int> numbers(int count) {
  std::vector<int> cpus(static_cast<size_t>(count));
  std::iota(cpus.begin(), cpus.end(), 0);
  return cpus;
}

// "threads on cpus", one for each choice.
std::vector<std::string> texts(const std::vector<CoreChoice>& choices) {
  std::vector<std::string> all;
  for (const CoreChoice& choice : choices)
    all.push_back(std::to_string(choice.threads) + " on " + cpu_list_text(choice.cpus));
  return all;
}
using Texts = std::vector<std::string>;

TEST_CASE("cores: equal ones, and a machine that does not tell") {
  FakeMachine machine;
  std::vector<CoreGroup> groups = core_groups(machine.root(), numbers(2));
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].cpus == std::vector<int>{0, 1});
  CHECK(texts(core_choices(groups)) == Texts{"1 on 0-1", "2 on 0-1"});
  CHECK(texts(core_choices(core_groups(machine.root(), {5}))) == Texts{"1 on 5"});
  std::vector<int> threads;
  for (const CoreChoice& choice : core_choices(core_groups(machine.root(), numbers(20))))
    threads.push_back(choice.threads);
  CHECK(threads == std::vector<int>{1, 2, 3, 4, 6, 8, 12, 16, 20});
  // Favoured cores are of the same kind.
  for (int cpu = 0; cpu < 4; ++cpu) machine.set_clock(cpu, 5000, cpu == 3 ? 5200 : 5000, "powersave");
  CHECK(core_groups(machine.root(), numbers(4)).size() == 1);
}

TEST_CASE("cores: little and big ones") {
  FakeMachine machine;
  for (int cpu = 0; cpu < 6; ++cpu) machine.set_cpu(cpu, "cpu_capacity", cpu < 4 ? "400" : "1024");
  std::vector<CoreGroup> groups = core_groups(machine.root(), numbers(6));
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].speed == 1024);
  CHECK(groups[0].cpus == std::vector<int>{4, 5});
  CHECK(texts(core_choices(groups)) == Texts{"1 on 4-5", "2 on 4-5", "3 on 0-5", "4 on 0-5", "6 on 0-5",
                                             "1 on 0-3", "2 on 0-3", "3 on 0-3", "4 on 0-3"});
  // Only what the process may use counts.
  CHECK(texts(core_choices(core_groups(machine.root(), {3, 5}))) == Texts{"1 on 5", "2 on 3,5", "1 on 3"});
  FakeMachine clocks;
  for (int cpu = 0; cpu < 4; ++cpu) clocks.set_clock(cpu, 500, cpu < 2 ? 1800 : 2400, "schedutil");
  CHECK(core_groups(clocks.root(), numbers(4)).size() == 2);
}

TEST_CASE("cores: pinning keeps to what was asked, and says when it cannot") {
  std::vector<int> all = allowed_cpus();
  REQUIRE(!all.empty());
  pin_to({all.back()});
  CHECK(allowed_cpus() == std::vector<int>{all.back()});
  pin_to(all);
  CHECK(allowed_cpus() == all);
  CHECK_THROWS(pin_to({1023}));
}

TEST_CASE("threads: the fastest choice, or fewer threads that are nearly as fast") {
  auto tried = [](int threads, double ms) { return TriedChoice{{threads, {0, 1, 2, 3}}, ms}; };
  CHECK(best_choice({tried(1, 10), tried(2, 6), tried(4, 4)}).choice.threads == 4);
  CHECK(best_choice({tried(1, 10), tried(2, 4.1), tried(4, 4)}).choice.threads == 2);
  CHECK(best_choice({tried(1, 4), tried(2, 5)}).choice.threads == 1);
}

TEST_CASE("cold: caches and files") {
  FakeMachine machine;
  size_t unknown = last_cache_bytes(machine.root());
  CHECK(unknown > 0);
  machine.set_cpu(0, "cache/index0/size", "32K");
  machine.set_cpu(0, "cache/index3/size", "2M");
  CHECK(last_cache_bytes(machine.root()) == size_t{2} << 20);
  CacheFlusher(machine.root(), 2).flush();
  CHECK_FALSE(evict(machine.root() + "/absent"));
  CHECK_FALSE(evict(machine.root()));
  TemporaryDirectory dir;
  std::string path = dir.write("plan", std::string(100000, 'x'));
  evict(path);  // whether it can be done is the file system's affair
  CHECK(read_back(path) == std::string(100000, 'x'));
}

TEST_CASE("latency: quantiles of runs in any order") {
  Latency latency = latency_of({5, 1, 4, 2, 3, 10, 9, 8, 7, 6});
  CHECK(latency.min == 1);
  CHECK(latency.p50 == 5);
  CHECK(latency.p90 == 9);
  CHECK(latency.p99 == 10);
  CHECK(latency.mean == Approx(5.5));
  CHECK(latency.runs == 10);
}

}  // namespace
}  // namespace bantam::tools
