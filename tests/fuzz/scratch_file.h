// One file that a fuzz target writes again and again, for code that takes a path.
#pragma once

#include <stdlib.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

namespace bantam::tests {

class ScratchFile {
 public:
  explicit ScratchFile(const std::string& name) {
    std::string pattern = (std::filesystem::temp_directory_path() / "bantam_fuzz.XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/" + name;
  }
  ~ScratchFile() { std::filesystem::remove_all(directory_); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  const std::string& write(const uint8_t* data, size_t size) const {
    std::FILE* file = std::fopen(path_.c_str(), "wb");
    if (file == nullptr || (size != 0 && std::fwrite(data, 1, size, file) != size)) ::abort();
    std::fclose(file);
    return path_;
  }

 private:
  std::string directory_;
  std::string path_;
};

}  // namespace bantam::tests
