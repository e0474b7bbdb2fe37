#include "budget/quantity.h"

#include <charconv>
#include <cmath>
#include <span>
#include <utility>

#include "io/failure.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

using Unit = std::pair<const char*, double>;
constexpr Unit kTimes[] = {{"us", 1e-3}, {"ms", 1}, {"s", 1e3}};
constexpr Unit kSizes[] = {{"B", 1},    {"KB", 1e3},   {"kB", 1e3},      {"MB", 1e6},
                           {"GB", 1e9}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
constexpr Unit kShares[] = {{"%", 0.01}};

double parse(const std::string& flag, const std::string& text, std::span<const Unit> units,
             const char* example) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && std::isfinite(number)) {
    const std::string unit(end, text.data() + text.size());
    for (const auto& [name, factor] : units) {
      if (unit != name) continue;
      if (number > 0) return number * factor;
      throw UsageError(format("%s %s: must be more than 0", flag.c_str(), text.c_str()));
    }
    if (unit.empty()) {
      throw UsageError(format("%s %s: has no unit; say for example %s", flag.c_str(), text.c_str(), example));
    }
  }
  std::string known;
  for (const auto& [name, factor] : units) known += std::string(known.empty() ? "" : ", ") + name;
  throw UsageError(format("%s %s: is no number with a unit (%s)", flag.c_str(), text.c_str(), known.c_str()));
}

}  // namespace

double parse_milliseconds(const std::string& flag, const std::string& text) {
  return parse(flag, text, kTimes, "100ms");
}

uint64_t parse_bytes(const std::string& flag, const std::string& text) {
  const double bytes = parse(flag, text, kSizes, "4MB");
  if (bytes >= 0x1p63) throw UsageError(format("%s %s: is too much", flag.c_str(), text.c_str()));
  if (bytes < 1) throw UsageError(format("%s %s: is less than a byte", flag.c_str(), text.c_str()));
  return static_cast<uint64_t>(bytes);
}

double parse_share(const std::string& flag, const std::string& text) {
  const double share = parse(flag, text, kShares, "1%");
  if (share > 1) throw UsageError(format("%s %s: is more than 100%%", flag.c_str(), text.c_str()));
  return share;
}

}  // namespace bantam::tools
