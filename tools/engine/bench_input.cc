#include "engine/bench_input.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace bantam::tools {
namespace {

struct Random {
  uint32_t state = 12345;
  uint32_t next() {
    state = state * 1664525u + 1013904223u;
    return state >> 8;
  }
};

void fill(const bantam_tensor& input, unsigned char* bytes, Random& random) {
  if (input.dtype == BANTAM_FLOAT32) {
    for (size_t i = 0; i < input.bytes / sizeof(float); ++i) {
      float value = static_cast<float>(random.next()) * 0x1p-23f - 1.0f;
      std::memcpy(bytes + i * sizeof(float), &value, sizeof(value));
    }
  } else if (input.dtype == BANTAM_UINT8 || input.dtype == BANTAM_INT8) {
    for (size_t i = 0; i < input.bytes; ++i) bytes[i] = static_cast<unsigned char>(random.next());
  }
}

// A line of /proc/self/status, where memory is counted in KiB; 0 when there is none.
uint64_t status_bytes(const char* format) {
  FILE* status = std::fopen("/proc/self/status", "re");
  if (status == nullptr) return 0;
  char line[256];
  unsigned long long kilobytes = 0;
  while (std::fgets(line, sizeof(line), status) != nullptr) {
    if (std::sscanf(line, format, &kilobytes) == 1) break;
  }
  std::fclose(status);
  return kilobytes * 1024;
}

}  // namespace

BenchInputs::BenchInputs(const Model& model, Session& session, const std::string& where) {
  Random random;
  for (int i = 0; i < model.info().input_count; ++i) {
    bantam_tensor input = model.input(i);
    size_t capacity = input.bytes + BANTAM_READ_PADDING;
    buffers_.push_back(allocate_aligned(capacity));
    auto* bytes = static_cast<unsigned char*>(buffers_.back().get());
    fill(input, bytes, random);
    require(session.bind_input(i, bytes, capacity), where);
  }
}

// Not getrusage: its figure survives exec, so a large parent would count.
uint64_t peak_memory_bytes() {
  if (uint64_t bytes = status_bytes("VmHWM: %llu"); bytes > 0) return bytes;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

uint64_t anonymous_memory_bytes() { return status_bytes("RssAnon: %llu"); }

double quantile(const std::vector<double>& sorted, double share) {
  double rank = std::ceil(share * static_cast<double>(sorted.size()));
  size_t index = static_cast<size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

}  // namespace bantam::tools
