#include "support/table_runner.h"

#include <cstring>
#include <stdexcept>
#include <string>

#include "bantam/runtime/session.h"
#include "support/plan_builder.h"

namespace bantam::test {
namespace {

void require(const Status& status) {
  if (!status.ok()) throw std::runtime_error(std::string(status.where()) + ": " + status.what());
}

}  // namespace

struct TableRunner::Loaded {
  AlignedBytes file;
  Model* model = nullptr;
  std::unique_ptr<Session> session;

  ~Loaded() {
    session.reset();
    if (model != nullptr) model->release();
  }
};

TableRunner::TableRunner(const KernelTable& kernels, std::span<const std::byte> plan)
    : loaded_(std::make_unique<Loaded>()) {
  loaded_->file = AlignedBytes(plan.data(), plan.size());
  require(Model::from_memory(loaded_->file.data(), plan.size(), kernels, &loaded_->model));
  Session* session = nullptr;
  require(Session::create(loaded_->model, {}, &session));
  loaded_->session.reset(session);
}

TableRunner::~TableRunner() = default;

std::vector<compiler::TensorData> TableRunner::run(std::span<const compiler::TensorData> inputs) {
  const LoadedPlan& plan = loaded_->model->loaded();
  const auto info = [&](int32_t tensor) -> const TensorInfo& {
    return plan.tensors[static_cast<size_t>(tensor)];
  };
  if (inputs.size() != plan.inputs().size()) throw std::runtime_error("another number of inputs");
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].bytes.size() != info(plan.inputs()[i]).bytes)
      throw std::runtime_error("an input of another size");
    std::memcpy(loaded_->session->input_data(static_cast<int32_t>(i)), inputs[i].bytes.data(),
                inputs[i].bytes.size());
  }
  require(loaded_->session->run());
  std::vector<compiler::TensorData> outputs;
  for (size_t i = 0; i < plan.outputs().size(); ++i) {
    const TensorInfo& output = info(plan.outputs()[i]);
    const auto* data = static_cast<const std::byte*>(loaded_->session->output_data(static_cast<int32_t>(i)));
    outputs.push_back({output.dtype, {output.dims, output.dims + output.rank}, {data, data + output.bytes}});
  }
  return outputs;
}

int TableRunner::float16_ops() const {
  int count = 0;
  for (const OpContext& op : loaded_->model->loaded().ops) count += op.float16 ? 1 : 0;
  return count;
}

}  // namespace bantam::test
