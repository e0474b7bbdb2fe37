// Any bytes as a plan: refused, or loaded, run and verified without touching memory that is not the plan's.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "bantam/bantam.hpp"
#include "plan_mutator.h"
#include "support/plan_builder.h"

namespace {

using namespace bantam;  // NOLINT: a program of its own

// A plan may ask for honest but endless work: only those that are done at once are run. Pooling windows and
// the like read their input per element of the output, so this bounds every op's work from above.
constexpr uint64_t kMaxArena = 1 << 20;
constexpr double kMaxWork = 1 << 26;

double elements(const bantam_tensor& tensor) {
  double count = 1;
  for (int i = 0; i < tensor.rank; ++i) count *= tensor.dims[i];
  return count;
}

bool quickly_done(const Model& model) {
  const bantam_model_info info = model.info();
  if (info.arena_bytes > kMaxArena) return false;
  double work = 0;
  for (int op = 0; op < info.op_count; ++op) {
    const bantam_op_info about = model.op(op);
    double read = 1;
    for (int i = 0; i < about.input_count; ++i) read += elements(model.op_input(op, i));
    work += read * elements(model.op_output(op, 0));
  }
  return work <= kMaxWork;
}

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
  if (model && quickly_done(*model)) run(*model);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return tests::mutate_plan(data, size, max_size, seed);
}
