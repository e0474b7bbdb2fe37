#include "bantam/kernels/kernel_table.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "float16/halves.h"
#include "int8/int8_kernels.h"
#include "kernel_list.h"
#include "kernel_support.h"
#include "packed_weights.h"
#include "packing_id.h"
#include "threads.h"

namespace bantam::kernels {

namespace {

using plan::DType;
using plan::OpCode;

struct Entry {
  OpCode code;
  int type;  // of the op's first input
  Create create;
  // For float16 tensors; null: `create` takes them.
  Status (*halves)(const OpContext& context, Create create, Kernel** out);
};

// Entry::type of a factory for any type.
constexpr int kAny = -1;

constexpr int type(DType dtype) { return static_cast<int>(dtype); }
constexpr int kFloat32 = type(DType::kFloat32), kInt8 = type(DType::kInt8), kUInt8 = type(DType::kUInt8),
              kInt32 = type(DType::kInt32), kInt64 = type(DType::kInt64), kBool = type(DType::kBool);

constexpr const char* kOtherTypes = "no kernel for this op and type in this build";

// Entry::halves where no plan that this build is for needs one.
[[maybe_unused]] Status left_out(const OpContext& context, Create, Kernel**) {
  return unsupported(context, kOtherTypes);
}

#define BANTAM_KERNEL(code, type, create, halves) {OpCode::code, type, create, halves},
constexpr Entry kKernels[] = {
#include "built_kernels.inc"  // of kernel_list.inc
    {OpCode::kNone, kAny, nullptr, nullptr}};
#undef BANTAM_KERNEL

constexpr bool kAnyKernel = std::size(kKernels) > 1;

constexpr bool packs(const Entry& entry) {
  return entry.code == OpCode::kConv2d || entry.code == OpCode::kConvTranspose2d ||
         entry.code == OpCode::kFullyConnected || entry.code == OpCode::kNarrowFullyConnected ||
         entry.code == OpCode::kMatMul;
}
constexpr bool kPacks = std::any_of(std::begin(kKernels), std::end(kKernels), packs);

// By their names: with a sanitizer GCC does not compare addresses of functions while it compiles.
constexpr bool takes_halves(std::string_view halves) { return halves != "nullptr" && halves != "left_out"; }
#define BANTAM_KERNEL(code, type, create, halves) #halves,
constexpr std::string_view kHalves[] = {
#include "built_kernels.inc"
    "nullptr"};
#undef BANTAM_KERNEL
constexpr bool kTakesHalves = std::any_of(std::begin(kHalves), std::end(kHalves), takes_halves);

Status create(const OpContext& context, Kernel** out) {
  const OpCode code = context.op->code();
  int first = context.has_input(0) ? type(context.input(0).dtype) : kAny;
  if (first == type(DType::kFloat16)) first = kFloat32;
  bool other_types = false;
  for (const Entry& entry : kKernels) {
    if (entry.code != code || entry.create == nullptr) continue;
    other_types = true;
    if (entry.type != first && entry.type != kAny) continue;
    const bool halves = entry.halves != nullptr && has_halves(context);
    return halves ? entry.halves(context, entry.create, out) : entry.create(context, out);
  }
  return unsupported(context, other_types ? kOtherTypes : "no kernel for this op in this build");
}

// What stands in the table where nothing is there to run on threads, or to be packed.
Status make_nothing(int32_t, ThreadPool** out) {
  *out = nullptr;
  return ok_status();
}
void destroy_nothing(ThreadPool*) {}
uint64_t nothing_packed() { return 0; }

constexpr KernelTable table(bool (*computes_float16)(const OpContext& context)) {
  return {create,
          kAnyKernel ? create_threads : make_nothing,
          kAnyKernel ? destroy_threads : destroy_nothing,
          create_packed,
          destroy_packed,
          packed_bytes,
          kPacks ? packing_id : nothing_packed,
          lend_packed,
          list_packed,
          kTakesHalves ? computes_float16 : nullptr};
}

constexpr KernelTable kTable = table(float16_pays);
constexpr KernelTable kFloat32Table = table(nullptr);
constexpr KernelTable kFloat16Table = table(has_float16_kernel);

}  // namespace

const KernelTable& kernel_table() { return kTable; }
const KernelTable& float32_kernel_table() { return kFloat32Table; }
const KernelTable& float16_kernel_table() { return kFloat16Table; }

}  // namespace bantam::kernels
