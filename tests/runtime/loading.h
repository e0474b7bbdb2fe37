// Loading plans with the fake kernels.
#pragma once

#include <memory>
#include <string>

#include "bantam/runtime/session.h"
#include "fake_kernels.h"
#include "support/plan_builder.h"

namespace bantam::test {

struct ReleaseModel {
  void operator()(Model* model) const { model->release(); }
};
using ModelPtr = std::unique_ptr<Model, ReleaseModel>;
using SessionPtr = std::unique_ptr<Session>;

inline Status load(const AlignedBytes& file, ModelPtr* model) {
  Model* made = nullptr;
  Status status = Model::from_memory(file.data(), file.size(), fake_kernels(), &made);
  model->reset(made);
  return status;
}

inline Status open(const ModelPtr& model, SessionPtr* session, const SessionOptions& options = {}) {
  Session* made = nullptr;
  Status status = Session::create(model.get(), options, &made);
  session->reset(made);
  return status;
}

// "" when the plan loads, otherwise "where: what".
inline std::string problem_of(const AlignedBytes& file) {
  ModelPtr model;
  const Status status = load(file, &model);
  return status.ok() ? "" : std::string(status.where()) + ": " + status.what();
}

}  // namespace bantam::test
