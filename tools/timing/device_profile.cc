#include "timing/device_profile.h"

#include <sys/utsname.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "bench/cores.h"
#include "bench/sysfs.h"
#include "io/failure.h"
#include "io/input_file.h"
#include "io/json_writer.h"
#include "io/text.h"
#include "timing/time_model.h"

namespace bantam::tools {
namespace {

using Json = nlohmann::json;

constexpr const char* kFormat = "bantam device profile";
constexpr size_t kMostBytes = size_t{64} << 20;

// The value of the first line "key : value" of /proc/cpuinfo.
std::string cpu_name(const std::string& text, const std::string& key) {
  size_t at = text.find(key);
  if (at == std::string::npos) return "";
  at = text.find(':', at);
  const size_t end = text.find('\n', at);
  if (at == std::string::npos || at + 2 > text.size()) return "";
  return text.substr(at + 2, end == std::string::npos ? end : end - at - 2);
}

const Json& member(const Json& object, const char* key, const std::string& where) {
  if (object.is_object() && object.contains(key)) return object.at(key);
  throw Failure(where, format("is a damaged device profile: '%s' is missing; record it again", key));
}

template <typename T>
T value(const Json& object, const char* key, const std::string& where) {
  try {
    return member(object, key, where).get<T>();
  } catch (const Json::exception&) {
    throw Failure(where,
                  format("is a damaged device profile: '%s' is of the wrong type; record it again", key));
  }
}

TimedOp timed_op(const Json& op, const std::string& where) {
  TimedOp timed{value<std::string>(op, "family", where), value<uint64_t>(op, "macs", where),
                value<uint64_t>(op, "bytes", where), value<uint64_t>(op, "outputs", where),
                value<double>(op, "ms", where)};
  if (!(timed.ms >= 0) || !std::isfinite(timed.ms))
    throw Failure(where, "is a damaged device profile: a time is negative; record it again");
  return timed;
}

std::string dtype_of(const std::string& family) {
  const size_t space = family.find(' ');
  return space == std::string::npos ? "" : family.substr(space);
}

template <typename Op>  // OpSignature or TimedOp
WorkFeatures features_of(const Op& op) {
  return {static_cast<double>(op.macs), static_cast<double>(op.outputs), static_cast<double>(op.bytes), 1.0};
}

}  // namespace

Machine this_machine(const std::string& root) {
  Machine machine;
  utsname names = {};
  ::uname(&names);
  machine.architecture = names.machine;
  const std::string text = read_text_file(root + "/proc/cpuinfo").value_or("");
  machine.cpu = cpu_name(text, "model name");
  if (machine.cpu.empty()) machine.cpu = cpu_name(text, "Model");
  if (machine.cpu.empty()) machine.cpu = machine.architecture;
  machine.cpus = static_cast<int>(allowed_cpus().size());
  return machine;
}

std::string machine_text(const Machine& machine) {
  return machine.cpu + format(" (%s, %d CPUs)", machine.architecture.c_str(), machine.cpus);
}

DeviceProfile DeviceProfile::from_json(const std::string& text, const std::string& where) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("format") || json["format"] != kFormat)
    throw Failure(where, "is no device profile; make one with `bantam bench --profile-device FILE PLAN`");
  const int version = value<int>(json, "version", where);
  if (version != kVersion)
    throw Failure(where,
                  format("is a device profile of version %d, this program reads version %d; record it again",
                         version, kVersion));
  const Json& machine = member(json, "machine", where);
  DeviceProfile profile(
      {value<std::string>(machine, "cpu", where), value<std::string>(machine, "architecture", where),
       value<int>(machine, "cpus", where)},
      value<int>(json, "threads", where));
  const Json& ops = member(json, "ops", where);
  if (!ops.is_object() || ops.empty())
    throw Failure(where, "is a damaged device profile: it has no ops; record it again");
  for (const auto& [signature, op] : ops.items()) profile.ops_[signature] = timed_op(op, where);
  return profile;
}

std::string DeviceProfile::to_json() const {
  JsonWriter json;
  json.begin_object().field("format", kFormat).field("version", kVersion);
  json.key("machine").begin_object().field("cpu", machine_.cpu).field("architecture", machine_.architecture);
  json.field("cpus", machine_.cpus).end_object().field("threads", threads_);
  json.key("ops").begin_object();
  for (const auto& [signature, op] : ops_) {
    json.key(signature).begin_object().field("family", op.family).field("macs", op.macs);
    json.field("bytes", op.bytes).field("outputs", op.outputs).field("ms", op.ms).end_object();
  }
  json.end_object().end_object();
  return json.text() + "\n";
}

void DeviceProfile::set(const OpSignature& op, double ms) {
  ops_[op.text] = {op.family, op.macs, op.bytes, op.outputs, ms};
}

std::optional<double> DeviceProfile::find(const OpSignature& op) const {
  const auto found = ops_.find(op.text);
  return found == ops_.end() ? std::nullopt : std::optional<double>(found->second.ms);
}

double DeviceProfile::estimate(const OpSignature& op) const {
  const auto alike = [&](int level, const TimedOp& other) {
    if ((other.macs > 0) != (op.macs > 0)) return false;
    return level == 0   ? other.family == op.family
           : level == 1 ? dtype_of(other.family) == dtype_of(op.family)
                        : true;
  };
  for (int level = 0; level < 3; ++level) {
    std::vector<KnownTime> known;
    for (const auto& [signature, other] : ops_) {
      if (alike(level, other)) known.push_back({features_of(other), other.ms});
    }
    if (!known.empty()) return model_time(features_of(op), known);
  }
  return 0;
}

DeviceProfile read_profile(const std::string& path) {
  return DeviceProfile::from_json(read_text_file(path, kMostBytes), path);
}

}  // namespace bantam::tools
