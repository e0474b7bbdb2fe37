#include "timing/op_timer.h"

#include <memory>
#include <numeric>

#include "timing/time_plans.h"

namespace bantam::tools {
namespace {

constexpr double kSeconds = 0.3;  // of measuring, at most as long again for loading

}  // namespace

compiler::OpTimer measuring_timer() {
  return [](std::span<const std::vector<std::byte>> plans) {
    const std::vector<PlanBytes> views(plans.begin(), plans.end());
    std::vector<compiler::PlanTimes> times;
    for (PlanTimes& measured : time_plans(views, 1, kSeconds, "measuring"))
      times.push_back({std::move(measured.op_ms), measured.total_ms, 0});
    return times;
  };
}

compiler::OpTimer profile_timer(const std::string& path) {
  auto profile = std::make_shared<const DeviceProfile>(read_profile(path));
  return [profile](std::span<const std::vector<std::byte>> plans) {
    std::vector<compiler::PlanTimes> times;
    for (const std::vector<std::byte>& plan : plans) {
      compiler::PlanTimes found;
      for (const OpSignature& op : op_signatures(plan)) {
        const std::optional<double> known = profile->find(op);
        found.op_ms.push_back(known ? *known : profile->estimate(op));
        found.estimated += known ? 0 : 1;
      }
      found.total_ms = std::accumulate(found.op_ms.begin(), found.op_ms.end(), 0.0);
      times.push_back(std::move(found));
    }
    return times;
  };
}

}  // namespace bantam::tools
