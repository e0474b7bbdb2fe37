#pragma once

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>

namespace bantam::tests {

// A file or folder of the shared models and data sets, which are not part of the project: the test case is
// skipped when it is missing.
inline std::string shared(const std::string& path) {
  std::string full = std::string(BANTAM_SHARED) + "/" + path;
  if (!std::filesystem::exists(full))
    SKIP(full << " is missing: this test needs the shared models and data sets");
  return full;
}

}  // namespace bantam::tests
