// Files that a signal which ends the program (SIGINT, SIGTERM, SIGHUP) must not leave behind.
#pragma once

#include <string>

namespace bantam::tools {

// While it lives, such a signal removes the file before it ends the program. A signal that the program was
// started to ignore stays ignored. Thread-safe; of more than 64 files at a time the others are left behind.
class UnfinishedFile {
 public:
  explicit UnfinishedFile(const std::string& path);
  ~UnfinishedFile();
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

 private:
  std::string path_;
  int slot_ = -1;
};

}  // namespace bantam::tools
