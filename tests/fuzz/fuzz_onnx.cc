// Any bytes as an ONNX model: compiled, or refused with a CompileError.
#include <cstdint>
#include <cstdlib>

#include "bantam/compiler/compiler.h"
#include "engine/plan_runner.h"
#include "quick_plans.h"
#include "scratch_file.h"

namespace {

using namespace bantam;  // NOLINT: a program of its own

// Refuses what would take long to run; that compiling has made it is enough.
std::unique_ptr<compiler::PlanRunner> make_runner(std::span<const std::byte> plan) {
  const Expected<Model> model = Model::from_memory(plan.data(), plan.size());
  if (!model) std::abort();  // the compiler has written a plan that the runtime refuses
  if (!tests::quickly_done(*model)) throw compiler::CompileError("too much work for a fuzz target");
  return tools::plan_runner_factory()(plan);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const tests::ScratchFile file("model.onnx");
  compiler::CompileOptions options;
  options.threads = 1;
  try {
    (void)compiler::compile(file.write(data, size), options, make_runner);
  } catch (const compiler::CompileError&) {
  }
  return 0;
}
