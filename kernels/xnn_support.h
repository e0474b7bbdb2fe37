// XNNPACK operators as kernels.
#pragma once

#include <xnnpack.h>

#include "kernel_support.h"
#include "packed_weights.h"
#include "threads.h"

namespace bantam::kernels {

// Initializes XNNPACK when it is called first; cheap and thread-safe after that.
Status init_xnn(const OpContext& context);

// Whether XNNPACK has float16 kernels for this CPU; once it is initialized.
bool xnn_has_float16();

// Ok for xnn_status_success.
Status xnn_result(const OpContext& context, xnn_status status);

// Owns an operator that the derived class's init() has created and then reshaped with `pool_`.
class XnnKernel : public Kernel {
 public:
  XnnKernel() = default;
  XnnKernel(const XnnKernel&) = delete;
  XnnKernel& operator=(const XnnKernel&) = delete;
  ~XnnKernel() override { xnn_delete_operator(operator_); }

  Status run(const RunContext& context) override;
  size_t workspace_bytes() const final { return workspace_bytes_; }
  bool reads_constants() const final { return weights_.reads_constants(); }

 protected:
  // Call first in init().
  Status begin(const OpContext& context);
  // Call last in init(), after reshape. XNNPACK wants its workspace aligned to no more than kTensorAlignment.
  Status finish(const OpContext& context, xnn_status reshaped);
  // kInternal unless the operator ran.
  Status run_operator(xnn_status setup);
  // Hands the pointers to the operator; must not allocate.
  virtual xnn_status setup(const RunContext& context) = 0;

  XnnPackedWeights weights_;  // outlives operator_
  xnn_operator_t operator_ = nullptr;
  pthreadpool_t pool_ = nullptr;  // the operator's workspace is sized for its threads
  size_t workspace_bytes_ = 0;
  size_t workspace_alignment_ = 1;
};

}  // namespace bantam::kernels
