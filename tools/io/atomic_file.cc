#include "io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "io/failure.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

std::string resolve_links(const std::string& path) {
  std::error_code error;
  std::filesystem::path resolved = std::filesystem::canonical(path, error);
  return error ? path : resolved.string();
}

std::string parent_of(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// So that the new name survives a power cut; some file systems refuse, which costs only that.
void sync_directory(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : shown_(path), path_(resolve_links(path)) {
  struct stat info {};
  bool exists = ::stat(path_.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) throw Failure(shown_, "is a folder; give the name of a file to write");
  if (exists && !S_ISREG(info.st_mode)) {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd_ < 0) fail("cannot be written", errno);
    return;
  }
  if (exists && ::access(path_.c_str(), W_OK) != 0) fail("cannot be written", errno);
  temporary_ = path_ + format(".%ld.tmp", static_cast<long>(::getpid()));
  ::unlink(temporary_.c_str());
  unfinished_.emplace(temporary_);
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) {
    int error = errno;
    temporary_.clear();
    fail("cannot be written", error);
  }
  if (exists) (void)::fchmod(fd_, info.st_mode & 0777);
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* action, int error) {
  std::string kept =
      std::filesystem::exists(path_) && !temporary_.empty() ? "; the old file is unchanged" : "";
  throw Failure(shown_, std::string(action) + ": " + std::strerror(error) + kept);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t wrote = ::write(fd_, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) fail("cannot be written", wrote == 0 ? ENOSPC : errno);
    done += static_cast<size_t>(wrote);
  }
}

void AtomicFile::write(const std::string& text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  bool synced = temporary_.empty() || ::fsync(fd_) == 0;
  int error = errno;
  bool closed = ::close(fd_) == 0;
  if (synced && !closed) error = errno;
  fd_ = -1;
  if (!synced || !closed) fail("cannot be written", error);
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be put in place", errno);
  temporary_.clear();
  unfinished_.reset();
  sync_directory(parent_of(path_));
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && !std::filesystem::is_directory(path, error))
    error = std::make_error_code(std::errc::not_a_directory);
  if (error) throw Failure(path, "the folder cannot be made: " + error.message());
}

}  // namespace bantam::tools
