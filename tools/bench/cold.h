// What a program meets that has just been started, or that runs a model only now and then.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bantam::tools {

// Takes a file's content out of memory, so that it is read from storage again. False when (part of) it stays
// there: another program maps it, or its file system lives in memory.
bool evict(const std::string& path);

size_t last_cache_bytes(
    const std::string& root);  // of the largest cache; a guess where the machine does not tell

// Fills the caches with other things, on `threads` threads at once, as caches of single cores are their own.
class CacheFlusher {
 public:
  CacheFlusher(const std::string& root, int threads);
  void flush();

 private:
  size_t share_;  // bytes of a thread
  std::vector<std::vector<char>> memory_;
};

}  // namespace bantam::tools
