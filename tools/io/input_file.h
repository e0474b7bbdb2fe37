#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bantam::tools {

// A regular file opened for reading; reads are thread-safe.
class InputFile {
 public:
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  // Fills `out` from `offset`; a Failure when the file is shorter than that.
  void read(uint64_t offset, std::span<std::byte> out) const;

 private:
  std::string path_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

// The whole file; a Failure when it is longer than `limit` bytes.
std::vector<std::byte> read_file(const std::string& path, uint64_t limit);
std::string read_text_file(const std::string& path, uint64_t limit);

bool is_directory(const std::string& path);

}  // namespace bantam::tools
