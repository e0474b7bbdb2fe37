// Any bytes as a plan: refused, or loaded, run and verified without touching memory that is not the plan's.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "plan_mutator.h"
#include "quick_plans.h"
#include "support/plan_builder.h"

namespace {

using namespace bantam;  // NOLINT: a program of its own

void run(const Model& model) {
  const bantam_model_info info = model.info();
  Expected<Session> session = model.create_session();
  if (!session) return;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < info.input_count; ++i) {
      const bantam_tensor input = session->input(i);
      std::memset(input.data, round == 0 ? 0 : 0x41, input.bytes);
    }
    if (!session->run()) return;
    for (int i = 0; i < info.output_count; ++i) {
      const bantam_tensor output = session->output(i);
      if (output.data == nullptr) std::abort();
    }
  }
  (void)session->verify();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const test::AlignedBytes bytes(data, size);
  const Expected<Model> model = Model::from_memory(bytes.data(), bytes.size());
  if (model && tests::quickly_done(*model)) run(*model);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return tests::mutate_plan(data, size, max_size, seed);
}
