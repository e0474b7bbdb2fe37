// The ONNX backend suite against the manifest passing.txt. A listed case must pass; every other one must be
// refused by the compiler with a reason, and a case that passes without being listed fails too, so that the
// list stays true. BANTAM_BACKEND_REPORT=FILE writes every case's verdict and reason.
#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>

#include "backend_case.h"

namespace bantam::tests {
namespace {

const std::filesystem::path kSuite = "/usr/share/libonnx-testdata/data";
constexpr size_t kFewest = 420;

std::set<std::string> read_manifest() {
  std::ifstream file(BANTAM_BACKEND_MANIFEST);
  std::set<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') names.insert(line);
  }
  return names;
}

const char* verdict_name(Verdict verdict) {
  return verdict == Verdict::kPassed ? "passed" : (verdict == Verdict::kRefused ? "refused" : "WRONG");
}

TEST_CASE("ONNX backend cases pass or are refused, as the manifest says", "[backend]") {
  if (!std::filesystem::exists(kSuite)) SKIP("needs the package libonnx-testdata");
  const std::set<std::string> listed = read_manifest();
  CHECK(listed.size() >= kFewest);
  const char* report_path = std::getenv("BANTAM_BACKEND_REPORT");
  std::ofstream report(report_path != nullptr ? report_path : "/dev/null");
  size_t passed = 0;
  size_t wrong = 0;
  for (const std::string& name : backend_cases(kSuite)) {
    const CaseResult result = run_case(kSuite / name);
    report << verdict_name(result.verdict) << " " << name << " " << result.reason << std::endl;
    passed += result.verdict == Verdict::kPassed ? 1 : 0;
    wrong += result.verdict == Verdict::kWrong ? 1 : 0;
    INFO(name << ": " << verdict_name(result.verdict) << " " << result.reason);
    CHECK(result.verdict != Verdict::kWrong);
    CHECK((result.verdict == Verdict::kPassed) == listed.contains(name));
  }
  std::cout << "ONNX backend cases: " << passed << " pass, " << wrong << " wrong\n";
}

}  // namespace
}  // namespace bantam::tests
