// Runs the benchmarks; BANTAM_TARGET=AVX2 (SSE4, SSE2, ...) restricts our own kernels to one instruction set.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "int8/dispatch.h"

int main(int argc, char** argv) {
  if (const char* wanted = std::getenv("BANTAM_TARGET")) {
    bool found = false;
    for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
      if (std::string(hwy::TargetName(target)) != wanted) continue;
      hwy::SetSupportedTargetsForTest(target);
      found = true;
    }
    if (!found) {
      std::fprintf(stderr, "BANTAM_TARGET=%s: not here\n", wanted);
      return 2;
    }
  }
  bantam::kernels::choose_target();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
