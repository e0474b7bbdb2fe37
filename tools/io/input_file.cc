#include "io/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/failure.h"
#include "io/text.h"

namespace bantam::tools {

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) throw Failure(path_, std::string("cannot be opened: ") + std::strerror(errno));
  struct stat info {};
  bool known = ::fstat(fd_, &info) == 0;
  if (!known || !S_ISREG(info.st_mode)) {
    ::close(fd_);
    throw Failure(path_,
                  S_ISDIR(info.st_mode) ? "is a folder; a file is needed here" : "is not a regular file");
  }
  size_ = static_cast<uint64_t>(info.st_size);
}

InputFile::~InputFile() { ::close(fd_); }

void InputFile::read(uint64_t offset, std::span<std::byte> out) const {
  size_t done = 0;
  while (done < out.size()) {
    ssize_t got = ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Failure(path_, std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0)
      throw Failure(path_, format("ends at byte %llu", static_cast<unsigned long long>(offset + done)));
    done += static_cast<size_t>(got);
  }
}

std::vector<std::byte> read_file(const std::string& path, uint64_t limit) {
  InputFile file(path);
  if (file.size() > limit) {
    throw Failure(path,
                  "is " + human_bytes(file.size()) + " long; at most " + human_bytes(limit) + " is read");
  }
  std::vector<std::byte> bytes(file.size());
  file.read(0, bytes);
  return bytes;
}

std::string read_text_file(const std::string& path, uint64_t limit) {
  std::vector<std::byte> bytes = read_file(path, limit);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_directory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace bantam::tools
