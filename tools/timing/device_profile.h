// How long ops take on one machine, as a JSON file: measured there by `bantam bench --profile-device`, looked
// up by `bantam compile --device-profile` on another.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "timing/op_signature.h"

namespace bantam::tools {

struct Machine {
  std::string cpu;  // as the system names it; the architecture where it does not
  std::string architecture;
  int cpus = 1;
  bool operator==(const Machine&) const = default;
};
Machine this_machine(const std::string& root = "");
std::string machine_text(const Machine& machine);

struct TimedOp {
  std::string family;
  uint64_t macs = 0;
  uint64_t bytes = 0;
  uint64_t outputs = 0;
  double ms = 0;
};

class DeviceProfile {
 public:
  static constexpr int kVersion = 2;

  DeviceProfile(Machine machine, int threads) : machine_(std::move(machine)), threads_(threads) {}
  // A Failure that names `where` for what is no profile, or one of another version.
  static DeviceProfile from_json(const std::string& text, const std::string& where);
  std::string to_json() const;

  const Machine& machine() const { return machine_; }
  int threads() const { return threads_; }
  size_t size() const { return ops_.size(); }

  void set(const OpSignature& op, double ms);  // a newer time replaces an older one
  std::optional<double> find(const OpSignature& op) const;
  // From the ops of its family, else from all of its data type, else from all; 0 for a profile without ops.
  double estimate(const OpSignature& op) const;

 private:
  Machine machine_;
  int threads_ = 1;
  std::map<std::string, TimedOp> ops_;  // by signature
};

// A Failure when the file cannot be read or is no profile.
DeviceProfile read_profile(const std::string& path);

}  // namespace bantam::tools
