// C API: models and texts. The only file that names runtime and kernels together.
#include "bantam/kernels/kernel_table.h"
#include "c_api_support.h"

namespace bantam::c_api {
namespace {

template <size_t kSize>
void copy_text(const char* from, char (&to)[kSize]) {
  const size_t length = strnlen(from, kSize - 1);
  std::memcpy(to, from, length);
  to[length] = '\0';
}

}  // namespace

bantam_status report(const Status& status, bantam_error* error) {
  if (error != nullptr) {
    copy_text(status.where(), error->where);
    copy_text(status.what(), error->what);
  }
  return static_cast<bantam_status>(status.code());
}

namespace {

// Makes a model by `open(kernels, &model)`.
template <typename Open>
bantam_status make_model(bantam_model** model, bantam_error* error, Open open) {
  if (model == nullptr) return report(null_argument("model"), error);
  *model = nullptr;
  Model* made = nullptr;
  const Status status = open(kernels::kernel_table(), &made);
  if (status.ok()) *model = wrap(made);
  return report(status, error);
}

}  // namespace
}  // namespace bantam::c_api

using namespace bantam;         // NOLINT: this file is the C face of that namespace
using namespace bantam::c_api;  // NOLINT

const char* bantam_version(void) { return BANTAM_VERSION; }

const char* bantam_status_name(bantam_status status) {
  switch (status) {
    case BANTAM_OK:
      return "ok";
    case BANTAM_INVALID_ARGUMENT:
      return "invalid argument";
    case BANTAM_INVALID_PLAN:
      return "invalid plan";
    case BANTAM_UNSUPPORTED:
      return "unsupported";
    case BANTAM_OUT_OF_MEMORY:
      return "out of memory";
    case BANTAM_IO:
      return "input/output error";
    case BANTAM_BUSY:
      return "busy";
    case BANTAM_CANCELLED:
      return "cancelled";
    case BANTAM_INTERNAL:
      return "internal error";
  }
  return "unknown";
}

const char* bantam_dtype_name(bantam_dtype dtype) {
  switch (dtype) {
    case BANTAM_FLOAT32:
      return "float32";
    case BANTAM_FLOAT16:
      return "float16";
    case BANTAM_INT8:
      return "int8";
    case BANTAM_UINT8:
      return "uint8";
    case BANTAM_INT32:
      return "int32";
    case BANTAM_INT64:
      return "int64";
    case BANTAM_BOOL:
      return "bool";
  }
  return "unknown";
}

size_t bantam_dtype_size(bantam_dtype dtype) {
  return dtype >= BANTAM_FLOAT32 && dtype <= BANTAM_BOOL ? element_size(static_cast<plan::DType>(dtype)) : 0;
}

bantam_status bantam_model_from_file(const char* path, bantam_model** model, bantam_error* error) {
  return make_model(model, error, [&](const KernelTable& kernels, Model** made) {
    return path == nullptr ? null_argument("path") : Model::from_file(path, kernels, made);
  });
}

bantam_status bantam_model_from_memory(const void* data, size_t bytes, bantam_model** model,
                                       bantam_error* error) {
  return make_model(model, error, [&](const KernelTable& kernels, Model** made) {
    return data == nullptr ? null_argument("data") : Model::from_memory(data, bytes, kernels, made);
  });
}

bantam_status bantam_model_from_fd(int fd, uint64_t offset, uint64_t length, bantam_model** model,
                                   bantam_error* error) {
  return make_model(model, error, [&](const KernelTable& kernels, Model** made) {
    return Model::from_fd(fd, offset, length, kernels, made);
  });
}

bantam_status bantam_model_open(const bantam_source* source, bantam_model** model, bantam_error* error) {
  return make_model(model, error, [&](const KernelTable& kernels, Model** made) {
    BANTAM_RETURN_IF_ERROR(check_struct(source, "source"));
    const bool has_fd = source->length != 0;
    if ((source->path != nullptr) + (source->data != nullptr) + has_fd != 1) {
      return invalid("source", "give path, data, or fd with length");
    }
    if (source->path != nullptr) return Model::from_file(source->path, kernels, made, source->cache);
    if (has_fd)
      return Model::from_fd(source->fd, source->offset, source->length, kernels, made, source->cache);
    return Model::from_memory(source->data, source->bytes, kernels, made, source->cache);
  });
}

void bantam_model_destroy(bantam_model* model) {
  if (model != nullptr) unwrap(model)->release();
}
