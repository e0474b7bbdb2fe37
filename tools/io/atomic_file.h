#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "io/unfinished_files.h"

namespace bantam::tools {

// Writes a file beside its place and puts it there at commit(): until then, and whenever something fails or a
// signal ends the program, a file of that name stays as it was and nothing is left behind. A link keeps
// pointing where it did. What is no regular file (a device, a pipe) is written directly.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(const std::string& text);
  void commit();

 private:
  [[noreturn]] void fail(const char* action, int error);

  std::string shown_;      // as the user gave it, for messages
  std::string path_;       // where the file goes, links resolved
  std::string temporary_;  // empty: written directly
  std::optional<UnfinishedFile> unfinished_;
  int fd_ = -1;
};

void write_file(const std::string& path, std::span<const std::byte> bytes);

// Makes the folder `path`, and those above it, if they are not there.
void make_directories(const std::string& path);

}  // namespace bantam::tools
