// One case of the ONNX backend test suite: a folder with model.onnx and test_data_set_N/{input,output}_K.pb.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bantam::tests {

enum class Verdict { kPassed, kRefused, kWrong };

struct CaseResult {
  Verdict verdict = Verdict::kRefused;
  std::string reason;  // why refused or wrong
};

// All cases below the suite's folder as "group/name", sorted.
std::vector<std::string> backend_cases(const std::filesystem::path& suite);

// Compiles the model as fp32 and runs it on every data set. Refused: the compiler says that it has no such
// operator, attribute or type. Outputs must agree to 1e-3 relative, as ONNX's own runner asks.
CaseResult run_case(const std::filesystem::path& folder);

}  // namespace bantam::tests
