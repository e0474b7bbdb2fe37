// RAII over bantam.h; header-only, C++17, works without exceptions and RTTI.
//
//   auto model = bantam::Model::from_file("digits.bantam");
//   if (!model) return report(model.error().where, model.error().what);
//   auto session = model->create_session();
//   if (!session) ...
//   std::memcpy(session->input(0).data, pixels, session->input(0).bytes);
//   if (bantam::Outcome run = session->run(); !run) ...
//   const float* scores = static_cast<const float*>(session->output(0).data);
#ifndef BANTAM_BANTAM_HPP_
#define BANTAM_BANTAM_HPP_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "bantam/bantam.h"

namespace bantam {
inline namespace v1 {

// Success, or a status with its explanation.
class [[nodiscard]] Outcome {
 public:
  Outcome() = default;
  Outcome(bantam_status status, const bantam_error& error) : status_(status), error_(error) {}

  bool ok() const { return status_ == BANTAM_OK; }
  explicit operator bool() const { return ok(); }
  bantam_status status() const { return status_; }
  const bantam_error& error() const { return error_; }

 private:
  bantam_status status_ = BANTAM_OK;
  bantam_error error_ = {};
};

// A value, or an Outcome that is not ok.
template <typename T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : value_(std::move(value)) {}
  Expected(Outcome outcome) : outcome_(outcome) {}

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  bantam_status status() const { return outcome_.status(); }
  const bantam_error& error() const { return outcome_.error(); }
  const Outcome& outcome() const { return outcome_; }

  // Only when ok.
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Outcome outcome_;
};

namespace detail {

template <typename Struct>
Struct sized() {
  Struct value = {};
  value.struct_size = sizeof(Struct);
  return value;
}

// Fills a struct by `get(&value)`; zeros, apart from struct_size, when that fails.
template <typename Struct, typename Get>
Struct filled(Get get) {
  Struct value = sized<Struct>();
  return get(&value) == BANTAM_OK ? value : sized<Struct>();
}

}  // namespace detail

inline bantam_source source() { return detail::sized<bantam_source>(); }
inline bantam_session_options session_options() { return detail::sized<bantam_session_options>(); }

class Session {
 public:
  explicit Session(bantam_session* session) : session_(session) {}

  // Indices out of range give a tensor without data.
  bantam_tensor input(int32_t index) const {
    return detail::filled<bantam_tensor>(
        [&](bantam_tensor* t) { return bantam_session_get_input(get(), index, t, nullptr); });
  }
  bantam_tensor output(int32_t index) const {
    return detail::filled<bantam_tensor>(
        [&](bantam_tensor* t) { return bantam_session_get_output(get(), index, t, nullptr); });
  }

  Outcome bind_input(int32_t index, const void* data, size_t capacity) {
    bantam_error error;
    return {bantam_session_bind_input(get(), index, data, capacity, &error), error};
  }
  Outcome bind_output(int32_t index, void* data, size_t capacity) {
    bantam_error error;
    return {bantam_session_bind_output(get(), index, data, capacity, &error), error};
  }

  Outcome run() {
    bantam_error error;
    return {bantam_session_run(get(), &error), error};
  }
  void cancel() { bantam_session_cancel(get()); }

  // `hook(const bantam_op_event&)` is called after every op; it must outlive the session or the next
  // set_hook.
  template <typename Hook>
  Outcome set_hook(Hook* hook) {
    bantam_error error;
    auto call = [](void* data, const bantam_op_event* event) { (*static_cast<Hook*>(data))(*event); };
    void* user = const_cast<void*>(static_cast<const void*>(hook));
    return {bantam_session_set_hook(get(), hook == nullptr ? nullptr : +call, user, &error), error};
  }

  Expected<bantam_verification> verify() {
    auto verification = detail::sized<bantam_verification>();
    bantam_error error;
    const bantam_status status = bantam_session_verify(get(), &verification, &error);
    if (status != BANTAM_OK) return Outcome(status, error);
    return verification;
  }

  bantam_memory memory() const {
    return detail::filled<bantam_memory>(
        [&](bantam_memory* m) { return bantam_session_get_memory(get(), m, nullptr); });
  }

  bantam_session* get() const { return session_.get(); }

 private:
  struct Destroy {
    void operator()(bantam_session* session) const { bantam_session_destroy(session); }
  };
  std::unique_ptr<bantam_session, Destroy> session_;
};

class Model {
 public:
  explicit Model(bantam_model* model) : model_(model) {}

  static Expected<Model> from_file(const char* path) {
    return made([&](bantam_model** m, bantam_error* e) { return bantam_model_from_file(path, m, e); });
  }
  static Expected<Model> from_memory(const void* data, size_t bytes) {
    return made(
        [&](bantam_model** m, bantam_error* e) { return bantam_model_from_memory(data, bytes, m, e); });
  }
  static Expected<Model> from_fd(int fd, uint64_t offset, uint64_t length) {
    return made(
        [&](bantam_model** m, bantam_error* e) { return bantam_model_from_fd(fd, offset, length, m, e); });
  }

  static Expected<Model> open(const bantam_source& source) {
    return made([&](bantam_model** m, bantam_error* e) { return bantam_model_open(&source, m, e); });
  }

  Expected<Session> create_session(const bantam_session_options& options = session_options()) const {
    bantam_session* session = nullptr;
    bantam_error error;
    const bantam_status status = bantam_session_create(get(), &options, &session, &error);
    if (status != BANTAM_OK) return Outcome(status, error);
    return Session(session);
  }

  bantam_model_info info() const {
    return detail::filled<bantam_model_info>(
        [&](bantam_model_info* info) { return bantam_model_get_info(get(), info, nullptr); });
  }
  // Indices out of range give a struct whose name is null.
  bantam_tensor input(int32_t index) const {
    return detail::filled<bantam_tensor>(
        [&](bantam_tensor* t) { return bantam_model_get_input(get(), index, t, nullptr); });
  }
  bantam_tensor output(int32_t index) const {
    return detail::filled<bantam_tensor>(
        [&](bantam_tensor* t) { return bantam_model_get_output(get(), index, t, nullptr); });
  }
  bantam_op_info op(int32_t index) const {
    return detail::filled<bantam_op_info>(
        [&](bantam_op_info* op) { return bantam_model_get_op(get(), index, op, nullptr); });
  }
  bantam_tensor op_input(int32_t op, int32_t index) const {
    return detail::filled<bantam_tensor>(
        [&](bantam_tensor* t) { return bantam_model_get_op_input(get(), op, index, t, nullptr); });
  }
  bantam_tensor op_output(int32_t op, int32_t index) const {
    return detail::filled<bantam_tensor>(
        [&](bantam_tensor* t) { return bantam_model_get_op_output(get(), op, index, t, nullptr); });
  }
  bantam_note note(int32_t index) const {
    return detail::filled<bantam_note>(
        [&](bantam_note* note) { return bantam_model_get_note(get(), index, note, nullptr); });
  }
  bantam_provenance provenance() const {
    return detail::filled<bantam_provenance>(
        [&](bantam_provenance* p) { return bantam_model_get_provenance(get(), p, nullptr); });
  }
  std::optional<bantam_preprocessing> preprocessing() const {
    auto preprocessing = detail::sized<bantam_preprocessing>();
    if (bantam_model_get_preprocessing(get(), &preprocessing, nullptr) != BANTAM_OK) return std::nullopt;
    return preprocessing;
  }

  bantam_model* get() const { return model_.get(); }

 private:
  struct Destroy {
    void operator()(bantam_model* model) const { bantam_model_destroy(model); }
  };

  template <typename Make>
  static Expected<Model> made(Make make) {
    bantam_model* model = nullptr;
    bantam_error error;
    const bantam_status status = make(&model, &error);
    if (status != BANTAM_OK) return Outcome(status, error);
    return Model(model);
  }

  std::unique_ptr<bantam_model, Destroy> model_;
};

}  // namespace v1
}  // namespace bantam

#endif  // BANTAM_BANTAM_HPP_
