// Any bytes as an ONNX model: compiled, or refused with a CompileError.
#include <cstdint>
#include <cstdlib>
#include <new>

#include "bantam/compiler/compiler.h"
#include "engine/plan_runner.h"
#include "scratch_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bantam;  // NOLINT: a program of its own
  static const tests::ScratchFile file("model.onnx");
  compiler::CompileOptions options;
  options.threads = 1;
  try {
    (void)compiler::compile(file.write(data, size), options, tools::plan_runner_factory());
  } catch (const compiler::CompileError&) {
  } catch (const std::bad_alloc&) {
  }
  return 0;
}
