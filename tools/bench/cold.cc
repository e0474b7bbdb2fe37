#include "bench/cold.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "bench/sysfs.h"

namespace bantam::tools {
namespace {

constexpr size_t kUnknownCache = size_t{8} << 20;
constexpr size_t kLeastShare = size_t{4} << 20;  // more than a core's own caches hold
constexpr size_t kMostMemory = size_t{256} << 20;
constexpr size_t kCacheLine = 32;  // the shortest that there is

// The share of the file's pages that memory holds.
double resident_share(int file, size_t bytes) {
  void* mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) return 1;
  auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((bytes + page - 1) / page);
  bool told = ::mincore(mapped, bytes, pages.data()) == 0;
  ::munmap(mapped, bytes);
  auto resident =
      std::count_if(pages.begin(), pages.end(), [](unsigned char state) { return (state & 1) != 0; });
  return told ? static_cast<double>(resident) / static_cast<double>(pages.size()) : 1;
}

}  // namespace

bool evict(const std::string& path) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  struct stat info {};
  bool evicted = false;
  if (::fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
    ::fdatasync(file);  // a page that is not written yet would stay
    evicted = ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0 &&
              resident_share(file, static_cast<size_t>(info.st_size)) < 0.05;
  }
  ::close(file);
  return evicted;
}

size_t last_cache_bytes(const std::string& root) {
  int64_t largest = 0;
  for (const std::string& cache : numbered_entries(root + "/sys/devices/system/cpu/cpu0/cache", "index")) {
    largest = std::max(largest, read_bytes(cache + "/size"));
  }
  return largest > 0 ? static_cast<size_t>(largest) : kUnknownCache;
}

CacheFlusher::CacheFlusher(const std::string& root, int threads) {
  size_t most = kMostMemory / static_cast<size_t>(threads);
  size_t wanted = std::max(2 * last_cache_bytes(root) / static_cast<size_t>(threads), kLeastShare);
  share_ = std::min(wanted, most);
  memory_.assign(static_cast<size_t>(threads), std::vector<char>(share_));
}

void CacheFlusher::flush() {
  std::vector<std::thread> threads;
  for (std::vector<char>& memory : memory_) {
    threads.emplace_back([&memory] {
      // Volatile, or nobody would see these writes and they could be left out.
      volatile char* bytes = memory.data();
      for (size_t i = 0; i < memory.size(); i += kCacheLine) bytes[i] = static_cast<char>(bytes[i] + 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace bantam::tools
