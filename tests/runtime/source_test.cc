// Where plans come from: files, parts of files, memory.
#include <fcntl.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "loading.h"
#include "sample_plan.h"

namespace bantam::test {
namespace {

class TemporaryFile {
 public:
  explicit TemporaryFile(const AlignedBytes& content, size_t offset = 0) {
    fd_ = mkstemp(path_);
    REQUIRE(fd_ >= 0);
    REQUIRE(ftruncate(fd_, static_cast<off_t>(offset)) == 0);
    REQUIRE(pwrite(fd_, content.data(), content.size(), static_cast<off_t>(offset)) ==
            static_cast<ssize_t>(content.size()));
  }
  ~TemporaryFile() {
    close(fd_);
    unlink(path_);
  }
  const char* path() const { return path_; }
  int fd() const { return fd_; }

 private:
  char path_[32] = "/tmp/bantam_test_XXXXXX";
  int fd_ = -1;
};

Status load_file(const char* path, ModelPtr* model) {
  Model* made = nullptr;
  Status status = Model::from_file(path, fake_kernels(), &made);
  model->reset(made);
  return status;
}

Status load_fd(int fd, uint64_t offset, uint64_t length, ModelPtr* model) {
  Model* made = nullptr;
  Status status = Model::from_fd(fd, offset, length, fake_kernels(), &made);
  model->reset(made);
  return status;
}

bool runs(const ModelPtr& model) {
  SessionPtr session;
  return open(model, &session).ok() && session->run().ok();
}

TEST_CASE("a plan runs from its file, also when that is replaced meanwhile") {
  const AlignedBytes plan = SamplePlan().file();
  const TemporaryFile file(plan);
  ModelPtr model;
  REQUIRE(load_file(file.path(), &model).ok());
  CHECK(model->source().data() != plan.data());
  unlink(file.path());
  CHECK(runs(model));
}

TEST_CASE("what is no plan file is refused") {
  ModelPtr model;
  CHECK(load_file("/no/such/file", &model).code() == StatusCode::kIo);
  CHECK(load_file("/", &model).code() == StatusCode::kIo);
  CHECK(load_file("/dev/null", &model).code() == StatusCode::kIo);
  const TemporaryFile empty(AlignedBytes(0));
  CHECK(load_file(empty.path(), &model).code() == StatusCode::kInvalidPlan);
  const TemporaryFile zeros(AlignedBytes(1000));
  CHECK(load_file(zeros.path(), &model).code() == StatusCode::kInvalidPlan);
}

TEST_CASE("a plan runs from the middle of a file") {
  const AlignedBytes plan = SamplePlan().file();
  for (const size_t offset : {0, 64, 100, 4096, 5000}) {
    const TemporaryFile file(plan, offset);
    ModelPtr model;
    REQUIRE(load_fd(file.fd(), offset, plan.size(), &model).ok());
    CHECK(runs(model));
    CHECK(load_fd(file.fd(), offset, plan.size() + 1, &model).code() == StatusCode::kIo);
    CHECK(load_fd(file.fd(), offset + 1, plan.size(), &model).code() == StatusCode::kIo);
    CHECK(load_fd(file.fd(), ~uint64_t{0}, 2, &model).code() == StatusCode::kIo);
    CHECK(load_fd(file.fd(), offset, ~uint64_t{0}, &model).code() == StatusCode::kIo);
  }
  ModelPtr model;
  CHECK(load_fd(-1, 0, 1, &model).code() == StatusCode::kIo);
}

TEST_CASE("a file that shrinks is noticed before the next run") {
  const AlignedBytes plan = SamplePlan().file();
  const TemporaryFile file(plan);
  ModelPtr model;
  REQUIRE(load_file(file.path(), &model).ok());
  SessionPtr session;
  REQUIRE(open(model, &session).ok());
  CHECK(session->run().ok());
  REQUIRE(truncate(file.path(), 100) == 0);
  CHECK(session->run().code() == StatusCode::kIo);
  SessionPtr another;
  CHECK(open(model, &another).code() == StatusCode::kIo);
}

TEST_CASE("aligned memory is used in place, other memory is copied") {
  const AlignedBytes plan = SamplePlan().file();
  ModelPtr model;
  REQUIRE(load(plan, &model).ok());
  CHECK(model->source().data() == plan.data());
  AlignedBytes shifted(plan.size() + 1);
  std::memcpy(shifted.data() + 1, plan.data(), plan.size());
  Model* made = nullptr;
  REQUIRE(Model::from_memory(shifted.data() + 1, plan.size(), fake_kernels(), &made).ok());
  model.reset(made);
  CHECK(model->source().data() != shifted.data() + 1);
  CHECK(runs(model));
}

}  // namespace
}  // namespace bantam::test
