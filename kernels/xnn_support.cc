#include "xnn_support.h"

#include "plan_format.h"

namespace bantam::kernels {

Status init_xnn(const OpContext& context) { return xnn_result(context, xnn_initialize(nullptr)); }

bool xnn_has_float16() {
  xnn_operator_t probe = nullptr;
  const bool has = xnn_create_batch_matrix_multiply_nc_f16(0, &probe) == xnn_status_success;
  xnn_delete_operator(probe);
  return has;
}

Status xnn_result(const OpContext& context, xnn_status status) {
  switch (status) {
    case xnn_status_success:
      return ok_status();
    case xnn_status_out_of_memory:
      return out_of_memory(context);
    case xnn_status_unsupported_hardware:
      return unsupported(context, "XNNPACK does not support this CPU");
    case xnn_status_unsupported_parameter:
    case xnn_status_invalid_parameter:
      return unsupported(context, "XNNPACK does not take these parameters");
    default:
      return op_error(context, StatusCode::kInternal, "XNNPACK failed");
  }
}

Status XnnKernel::begin(const OpContext& context) {
  pool_ = pool_of(context.threads);
  return init_xnn(context);
}

Status XnnKernel::finish(const OpContext& context, xnn_status reshaped) {
  BANTAM_RETURN_IF_ERROR(xnn_result(context, reshaped));
  if (workspace_alignment_ > kTensorAlignment)
    return unsupported(context, "XNNPACK wants a larger alignment");
  return ok_status();
}

Status XnnKernel::run(const RunContext& context) { return run_operator(setup(context)); }

Status XnnKernel::run_operator(xnn_status setup) {
  if (setup != xnn_status_success || xnn_run_operator(operator_, pool_) != xnn_status_success) {
    return Status(StatusCode::kInternal, "XNNPACK", "the operator did not run");
  }
  return ok_status();
}

}  // namespace bantam::kernels
