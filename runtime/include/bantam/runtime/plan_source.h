// The bytes of a plan file: mapped, borrowed from the caller, or copied. Aligned to kTensorAlignment.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bantam/runtime/status.h"

namespace bantam {

class PlanSource {
 public:
  PlanSource() = default;
  PlanSource(const PlanSource&) = delete;
  PlanSource& operator=(const PlanSource&) = delete;
  ~PlanSource() { close(); }

  // Not twice without close() in between. `open_memory` borrows `data` when it is aligned, otherwise it
  // copies; so does `open_fd` with what it maps.
  Status open_file(const char* path);
  Status open_fd(int fd, uint64_t offset, uint64_t length);
  Status open_memory(const void* data, size_t bytes);

  void close();

  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }

  // kIo when the mapped file has become too short to be read safely. A file that shrinks later is not
  // detected.
  Status check_intact() const;

  // Lets the system take back the resident pages of [offset, offset + bytes); they are read again when
  // touched.
  void release_pages(size_t offset, size_t bytes) const;

 private:
  Status map(int fd, uint64_t offset, uint64_t length, const char* where);
  Status copy(const void* data, size_t bytes);

  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  std::byte* copy_ = nullptr;
  void* mapping_ = nullptr;
  size_t mapping_bytes_ = 0;
  int fd_ = -1;            // of the mapping
  uint64_t file_end_ = 0;  // bytes that the file must have
};

}  // namespace bantam
