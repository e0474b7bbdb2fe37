#include <cmath>

#include "hash64.h"
#include "verify/verify.h"

namespace bantam {
namespace {

const char* text(const flatbuffers::String* string) { return string == nullptr ? "" : string->c_str(); }

// "word index" into `out`, which has room for it.
void numbered(const char* word, size_t index, char* out) {
  char digits[24];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + index % 10);
    index /= 10;
  } while (index != 0);
  while (*word != '\0') *out++ = *word++;
  *out++ = ' ';
  while (count != 0) *out++ = digits[--count];
  *out = '\0';
}

Status error_at(const char* name, const char* word, size_t index, const char* what) {
  char where[48];
  if (*name == '\0') {
    numbered(word, index, where);
    name = where;
  }
  return Status(StatusCode::kInvalidPlan, name, what);
}

}  // namespace

const char* LoadedPlan::tensor_name(int32_t index) const {
  return text(plan->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index))->name());
}

const char* LoadedPlan::op_name(int32_t index) const {
  return text(plan->ops()->Get(static_cast<flatbuffers::uoffset_t>(index))->name());
}

Status load_plan(const std::byte* data, size_t bytes, LoadedPlan* out, bool sound) {
  BANTAM_RETURN_IF_ERROR(verify::verify_file(data, bytes, sound, out));
  BANTAM_RETURN_IF_ERROR(verify::verify_tensors(data, out));
  BANTAM_RETURN_IF_ERROR(verify::verify_operands(out));
  BANTAM_RETURN_IF_ERROR(verify::verify_ops(*out));
  BANTAM_RETURN_IF_ERROR(verify::verify_metadata(*out));
  return verify::verify_memory(*out);
}

namespace verify {
namespace {

Status file_error(const char* what) { return Status(StatusCode::kInvalidPlan, "plan file", what); }

Status verify_header(const PlanHeader& header, size_t bytes) {
  if (header.magic != kPlanMagic) return file_error("it is not a bantam plan");
  if (header.major != kPlanMajor || header.minor > kPlanMinor) {
    return Status(StatusCode::kUnsupported, "plan file", "its format is of another version");
  }
  if (header.file_bytes != bytes) return file_error("its size differs from what its header says");
  if (header.reserved[0] != 0 || header.reserved[1] != 0) return file_error("the header is damaged");
  const uint64_t most = bytes - sizeof(PlanHeader);
  if (header.metadata_bytes > most || header.metadata_bytes >= FLATBUFFERS_MAX_BUFFER_SIZE ||
      header.weights_bytes > most) {
    return file_error("the header is damaged");
  }
  const uint64_t metadata_end = sizeof(PlanHeader) + header.metadata_bytes;
  const uint64_t weights = (metadata_end + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
  if (header.weights_offset != weights || weights + header.weights_bytes + kReadPadding != bytes) {
    return file_error("the header is damaged");
  }
  return ok_status();
}

}  // namespace

Status verify_file(const std::byte* data, size_t bytes, bool sound, LoadedPlan* out) {
  if (bytes < sizeof(PlanHeader)) return file_error("it is too short to be a bantam plan");
  PlanHeader& header = out->header;
  std::memcpy(&header, data, sizeof(header));
  BANTAM_RETURN_IF_ERROR(verify_header(header, bytes));
  if (!sound && hash64(data + sizeof(header), bytes - sizeof(header)) != header.checksum) {
    return file_error("its checksum is wrong: the file is damaged");
  }
  const auto* metadata = reinterpret_cast<const uint8_t*>(data + sizeof(header));
  flatbuffers::Verifier verifier(metadata, static_cast<size_t>(header.metadata_bytes));
  if (!plan::VerifyPlanBuffer(verifier)) return file_error("its metadata are damaged");
  const plan::Plan* plan = plan::GetPlan(metadata);
  if (plan->tensors() == nullptr) return file_error("it has no tensors");
  out->plan = plan;
  return ok_status();
}

Status tensor_error(const LoadedPlan& loaded, size_t index, const char* what) {
  return error_at(loaded.tensor_name(static_cast<int32_t>(index)), "tensor", index, what);
}

Status op_error(const LoadedPlan& loaded, size_t index, const char* what) {
  return error_at(loaded.op_name(static_cast<int32_t>(index)), "op", index, what);
}

}  // namespace verify
}  // namespace bantam
