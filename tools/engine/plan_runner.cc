#include "engine/plan_runner.h"

#include <cstring>
#include <exception>
#include <mutex>

#include "engine/plan.h"
#include "io/text.h"
#include "plan_format.h"

namespace bantam::tools {
namespace {

using compiler::InternalError;
using compiler::OpObserver;
using compiler::TensorData;

void check(const Outcome& outcome, const char* action) {
  if (outcome.ok()) return;
  throw InternalError(std::string(action) + " a plan: " + outcome.error().where + ": " +
                      outcome.error().what);
}

class RuntimeRunner final : public compiler::PlanRunner {
 public:
  explicit RuntimeRunner(std::shared_ptr<const LoadedModel> model)
      : model_(std::move(model)), session_(prepare(model_->model)) {}

  std::vector<TensorData> run(std::span<const TensorData> inputs, const OpObserver& observer) override {
    bantam_model_info info = model_->model.info();
    if (inputs.size() != static_cast<size_t>(info.input_count)) {
      throw InternalError(format("running a plan: %zu inputs for %d", inputs.size(), info.input_count));
    }
    for (int i = 0; i < info.input_count; ++i) write(i, inputs[static_cast<size_t>(i)]);
    if (observer) {
      run_observed(observer);
    } else {
      check(session_.run(), "running");
    }
    std::vector<TensorData> outputs;
    for (int i = 0; i < info.output_count; ++i) outputs.push_back(to_compiler(read_output(session_, i)));
    return outputs;
  }

  compiler::GoldenHashes golden() override {
    bantam_model_info info = model_->model.info();
    compiler::GoldenHashes hashes;
    hashes.ops.resize(static_cast<size_t>(info.op_count));
    hashes.outputs.resize(static_cast<size_t>(info.output_count));
    bantam_error error;
    bantam_status status = bantam_session_golden(session_.get(), hashes.ops.data(), hashes.ops.size(),
                                                 hashes.outputs.data(), hashes.outputs.size(), &error);
    check({status, error}, "hashing the results of");
    return hashes;
  }

 private:
  static Session prepare(const Model& model) {
    Expected<Session> session = model.create_session();
    check(session.outcome(), "preparing");
    return std::move(*session);
  }
  // An exception of the observer must not cross the runtime, which knows none.
  void run_observed(const OpObserver& observer) {
    std::exception_ptr thrown;
    auto hook = [&](const bantam_op_event& event) {
      try {
        std::span<const std::byte> bytes = dense_bytes(*event.outputs[0], scratch_);
        if (!thrown) observer(event.op, bytes.data(), bytes.size());
      } catch (...) {
        thrown = std::current_exception();
        session_.cancel();
      }
    };
    check(session_.set_hook(&hook), "observing");
    Outcome ran = session_.run();
    check(session_.set_hook(static_cast<decltype(hook)*>(nullptr)), "observing");
    if (thrown) std::rethrow_exception(thrown);
    check(ran, "running");
  }
  void write(int index, const TensorData& data) {
    bantam_tensor input = session_.input(index);
    if (data.bytes.size() != input.bytes || data.dtype != dtype_of(input)) {
      throw InternalError("running a plan: input " + std::string(input.name) + " takes " + type_text(input) +
                          ", not " + type_text(data.dtype, data.shape));
    }
    if (!data.bytes.empty()) std::memcpy(input.data, data.bytes.data(), data.bytes.size());
  }

  std::shared_ptr<const LoadedModel> model_;
  Session session_;
  std::vector<std::byte> scratch_;
};

// Runners of the same plan share its model, and with it the packed weights, as long as one of them lives.
class ModelCache {
 public:
  std::shared_ptr<const LoadedModel> get(std::span<const std::byte> plan) {
    std::lock_guard lock(mutex_);
    std::shared_ptr<const LoadedModel> model = model_.lock();
    bool same =
        model != nullptr && plan.size() >= sizeof(header_) &&
        std::memcmp(header_, plan.data(), sizeof(header_)) == 0;  // holds the size and a checksum of the rest
    if (same) return model;
    Expected<LoadedModel> loaded = load_plan(plan);
    check(loaded.outcome(), "loading");
    model = std::make_shared<const LoadedModel>(std::move(*loaded));
    std::memcpy(header_, plan.data(), sizeof(header_));
    model_ = model;
    return model;
  }

 private:
  std::mutex mutex_;
  std::weak_ptr<const LoadedModel> model_;
  std::byte header_[sizeof(PlanHeader)] = {};
};

}  // namespace

compiler::PlanRunnerFactory plan_runner_factory() {
  auto cache = std::make_shared<ModelCache>();
  return
      [cache](std::span<const std::byte> plan) { return std::make_unique<RuntimeRunner>(cache->get(plan)); };
}

TensorData to_compiler(Tensor tensor) {
  return {tensor.dtype, std::move(tensor.shape), std::move(tensor.bytes)};
}

}  // namespace bantam::tools
