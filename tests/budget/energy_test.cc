// Energy: the model's sums, and counters of a made-up machine.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <filesystem>

#include "budget/energy.h"
#include "temporary_directory.h"
#include "timing/energy_meter.h"

namespace bantam {
namespace {

using tools::EnergyCounter;
using tools::TemporaryDirectory;

TEST_CASE("energy: operations and bytes of one layer") {
  compiler::Graph graph;
  const auto value = [&](const char* name, plan::DType dtype, compiler::Shape shape) {
    return graph.add_value(name, {dtype, std::move(shape)});
  };
  const auto energy = [&](plan::DType dtype, bool half) {
    graph = {};
    graph.layout = compiler::Layout::kNhwc;
    const compiler::ValueId x = value("x", dtype, {1, 100}), y = value("y", dtype, {1, 50});
    const compiler::ValueId w =
        graph.add_constant("w", compiler::Tensor(compiler::TensorType{dtype, {50, 100}}));
    graph.nodes.push_back({plan::OpCode::kFullyConnected, "fc", {x, w}, {y}, plan::FullyConnectedT()});
    return compiler::energy_of_run(graph, half);
  };
  // 5000 multiply-accumulates, 5000 weights from DRAM, 150 activations through the cache.
  CHECK(std::fabs(energy(plan::DType::kInt8, false) - 1e-9 * (5000 * 0.3 + 5000 * 160 + 150 * 2.5)) < 1e-12);
  const double in_float = energy(plan::DType::kFloat32, false);
  CHECK(std::fabs(in_float - 1e-9 * (5000 * 4.6 + 4 * (5000 * 160 + 150 * 2.5))) < 1e-12);
  CHECK(energy(plan::DType::kFloat32, true) < 0.51 * in_float);
}

TEST_CASE("energy: RAPL's packages are added up, and a counter may start again") {
  TemporaryDirectory machine;
  const std::string folder = machine.path() + "/sys/class/powercap/intel-rapl:";
  for (const char* domain : {"0", "1", "0:0"}) std::filesystem::create_directories(folder + domain);
  const auto set = [&](const std::string& domain, const std::string& file, const std::string& text) {
    machine.write("sys/class/powercap/intel-rapl:" + domain + "/" + file, text);
  };
  set("0", "energy_uj", "900\n");
  set("0", "max_energy_range_uj", "1000\n");
  set("1", "energy_uj", "50\n");
  set("0:0", "energy_uj", "7\n");  // a part of package 0
  std::optional<EnergyCounter> counter = EnergyCounter::find(machine.path());
  REQUIRE(counter);
  CHECK(counter->name() == "RAPL");
  set("0", "energy_uj", "950\n");
  set("0:0", "energy_uj", "5000\n");
  CHECK(counter->advance() == 50);
  set("0", "energy_uj", "20\n");
  set("1", "energy_uj", "55\n");
  CHECK(counter->advance() == 70 + 5);
}

TEST_CASE("energy: a board's counter serves where there is no RAPL, and nothing where there is none") {
  TemporaryDirectory machine;
  CHECK(!EnergyCounter::find(machine.path()));
  std::filesystem::create_directories(machine.path() + "/sys/class/hwmon/hwmon0");
  std::filesystem::create_directories(machine.path() + "/sys/class/hwmon/hwmon1");
  CHECK(!EnergyCounter::find(machine.path()));
  machine.write("sys/class/hwmon/hwmon1/energy1_input", "1000000\n");
  std::optional<EnergyCounter> counter = EnergyCounter::find(machine.path());
  REQUIRE(counter);
  CHECK(counter->name() == "hwmon");
  machine.write("sys/class/hwmon/hwmon1/energy1_input", "1000500\n");
  CHECK(counter->advance() == 500);
}

}  // namespace
}  // namespace bantam
