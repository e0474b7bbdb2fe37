// What a plan says about the tensors and weights of a network, by name.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace bantam::compiler {

class PlanReader {
 public:
  // Keeps a reference to `plan`. Throws CompileError when it is none.
  explicit PlanReader(std::span<const std::byte> plan);

  // How the plan represents a tensor that it computes in int8; null where it does not.
  const Quantization* quantization(const std::string& tensor) const;

  struct Weights {
    OpCode code = OpCode::kNone;
    Tensor weights;              // float32: what the stored numbers mean
    std::optional<Tensor> bias;  // likewise
    int32_t pad_left = 0;        // of a convolution
  };
  // The constants of the op that makes `tensor`, when they are approximations: integers or float16. Empty
  // where there are none.
  std::optional<Weights> weights(const std::string& tensor) const;
  int ops_with_weights() const { return approximated_; }
  // The norm of each output's weights of the op that makes `tensor`, exact or not. Empty where there are
  // none.
  std::vector<double> weight_norms(const std::string& tensor) const;

 private:
  void read_op(const plan::Op& op);
  Tensor real_constant(const plan::Tensor& tensor) const;
  std::vector<std::byte> bytes_of(const plan::Tensor& tensor) const;

  std::span<const std::byte> bytes_;
  uint64_t weights_offset_ = 0;
  const plan::Plan* plan_ = nullptr;
  std::map<std::string, Quantization> quantizations_;
  std::map<std::string, const plan::Op*> layers_;  // with constant weights, by the name of the output
  int approximated_ = 0;                           // of these
};

}  // namespace bantam::compiler
