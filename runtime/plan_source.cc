#include "bantam/runtime/plan_source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <limits>
#include <new>

#include "plan_format.h"

namespace bantam {
namespace {

constexpr std::align_val_t kAlignment{kTensorAlignment};

bool aligned(const void* data) { return reinterpret_cast<uintptr_t>(data) % kTensorAlignment == 0; }

}  // namespace

void PlanSource::close() {
  if (copy_ != nullptr) ::operator delete(copy_, kAlignment);
  if (mapping_ != nullptr) munmap(mapping_, mapping_bytes_);
  if (fd_ >= 0) ::close(fd_);
  data_ = copy_ = nullptr;
  mapping_ = nullptr;
  size_ = 0;
  fd_ = -1;
}

Status PlanSource::open_file(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Status(StatusCode::kIo, path, "the file cannot be opened");
  struct stat info = {};
  Status status;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    status = Status(StatusCode::kIo, path, "it is not a regular file");
  } else {
    status = map(fd, 0, static_cast<uint64_t>(info.st_size), path);
  }
  ::close(fd);
  return status;
}

Status PlanSource::open_fd(int fd, uint64_t offset, uint64_t length) {
  return map(fd, offset, length, "file descriptor");
}

Status PlanSource::open_memory(const void* data, size_t bytes) {
  if (!aligned(data)) return copy(data, bytes);
  data_ = static_cast<const std::byte*>(data);
  size_ = bytes;
  return ok_status();
}

Status PlanSource::map(int fd, uint64_t offset, uint64_t length, const char* where) {
  struct stat info = {};
  if (fstat(fd, &info) != 0) return Status(StatusCode::kIo, where, "the file cannot be read");
  const auto file_bytes = static_cast<uint64_t>(info.st_size);
  if (offset > file_bytes || length > file_bytes - offset) {
    return Status(StatusCode::kIo, where, "the range reaches past the end of the file");
  }
  if (length == 0) return Status(StatusCode::kInvalidPlan, where, "the file is empty");
  const uint64_t slack = offset % static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (length > std::numeric_limits<size_t>::max() / 2 - slack ||
      offset > static_cast<uint64_t>(std::numeric_limits<off_t>::max())) {
    return Status(StatusCode::kIo, where, "the file is too large for this machine");
  }
  const auto bytes = static_cast<size_t>(length + slack);
  void* mapping = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, static_cast<off_t>(offset - slack));
  if (mapping == MAP_FAILED) return Status(StatusCode::kIo, where, "the file cannot be mapped");
  const std::byte* data = static_cast<const std::byte*>(mapping) + slack;
  if (!aligned(data)) {
    Status status = copy(data, static_cast<size_t>(length));
    munmap(mapping, bytes);
    return status;
  }
  mapping_ = mapping;
  mapping_bytes_ = bytes;
  data_ = data;
  size_ = static_cast<size_t>(length);
  file_end_ = offset + length;
  fd_ = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return fd_ >= 0 ? ok_status() : Status(StatusCode::kIo, where, "no file descriptor is free");
}

Status PlanSource::copy(const void* data, size_t bytes) {
  copy_ = static_cast<std::byte*>(::operator new(bytes, kAlignment, std::nothrow));
  if (copy_ == nullptr) return Status(StatusCode::kOutOfMemory, "plan", "no memory for a copy of the plan");
  std::memcpy(copy_, data, bytes);
  data_ = copy_;
  size_ = bytes;
  return ok_status();
}

Status PlanSource::check_intact() const {
  if (fd_ < 0) return ok_status();
  struct stat info = {};
  if (fstat(fd_, &info) == 0 && static_cast<uint64_t>(info.st_size) >= file_end_) return ok_status();
  return Status(StatusCode::kIo, "plan", "the model file has shrunk");
}

void PlanSource::release_pages(size_t offset, size_t bytes) const {
  if (mapping_ == nullptr) return;
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  // The mapping begins on a page; only whole pages inside the range go.
  const size_t begin = static_cast<size_t>(data_ - static_cast<const std::byte*>(mapping_)) + offset;
  const size_t first = (begin + page - 1) / page * page;
  const size_t last = (begin + bytes) / page * page;
  if (first < last) madvise(static_cast<std::byte*>(mapping_) + first, last - first, MADV_DONTNEED);
}

}  // namespace bantam
