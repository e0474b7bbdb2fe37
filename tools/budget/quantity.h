// Amounts with a unit, as flags give them. What is not one is a UsageError that names the flag.
#pragma once

#include <cstdint>
#include <string>

namespace bantam::tools {

double parse_milliseconds(const std::string& flag, const std::string& text);  // "100ms", "1.5s", "800us"
uint64_t parse_bytes(const std::string& flag, const std::string& text);       // "4MB", "512KB", "2MiB"
double parse_share(const std::string& flag, const std::string& text);         // "0.5%" is 0.005

}  // namespace bantam::tools
