// Stands in for libFuzzer where it is not at hand: runs a target on each seed, on truncated seeds, and on
// mutations.
//   fuzz_NAME SEEDS COUNT    a folder, and how many mutations in all
// The mutations are the same in every run.
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed)
    __attribute__((weak));

namespace {

using Bytes = std::vector<uint8_t>;

std::vector<Bytes> read_seeds(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Bytes> seeds;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return seeds;
}

void run(const Bytes& bytes) { LLVMFuzzerTestOneInput(bytes.data(), bytes.size()); }

// A byte changed, a word set to a value that sizes and counts break on, a piece cut out or doubled.
void mutate(Bytes* bytes, std::mt19937* random) {
  if (bytes->empty()) return bytes->push_back(static_cast<uint8_t>((*random)()));
  const size_t place = (*random)() % bytes->size();
  const size_t length = std::min<size_t>((*random)() % 16 + 1, bytes->size() - place);
  const auto begin = bytes->begin() + static_cast<std::ptrdiff_t>(place),
             end = begin + static_cast<std::ptrdiff_t>(length);
  switch ((*random)() % 5) {
    case 0:
      *begin ^= static_cast<uint8_t>(1u << (*random)() % 8);
      return;
    case 1:
      *begin = static_cast<uint8_t>((*random)());
      return;
    case 2:
      std::fill(begin, end, (*random)() % 2 == 0 ? 0xff : 0);
      return;
    case 3:
      bytes->erase(begin, end);
      return;
    default:
      const Bytes piece(begin, end);
      bytes->insert(begin, piece.begin(), piece.end());
  }
}

Bytes mutated(const Bytes& seed, unsigned number) {
  constexpr size_t kRoom = 4096;
  std::mt19937 random(number);
  Bytes bytes = seed;
  if (LLVMFuzzerCustomMutator != nullptr && number % 8 != 0) {
    for (unsigned rounds = random() % 3 + 1; rounds > 0; --rounds) {
      const size_t size = bytes.size();
      bytes.resize(size + kRoom);
      bytes.resize(
          LLVMFuzzerCustomMutator(bytes.data(), size, bytes.size(), static_cast<unsigned>(random())));
    }
    return bytes;
  }
  for (unsigned rounds = random() % 4 + 1; rounds > 0; --rounds) mutate(&bytes, &random);
  return bytes;
}

// What is asked for beyond this is out of memory. The sanitizers' shadow memory does not fit under such a
// limit.
void limit_memory() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const rlimit limit = {2ull << 30, 2ull << 30};
  ::setrlimit(RLIMIT_AS, &limit);
#endif
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size) {
  static std::mt19937 random(1);
  Bytes bytes(data, data + size);
  mutate(&bytes, &random);
  bytes.resize(std::min(bytes.size(), max_size));
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  limit_memory();
  const std::vector<Bytes> seeds = read_seeds(argv[1]);
  const unsigned count = static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10));
  if (seeds.empty()) {
    std::fprintf(stderr, "%s: no seeds\n", argv[1]);
    return 1;
  }
  for (const Bytes& seed : seeds) {
    run(seed);
    const size_t step = std::max<size_t>(seed.size() / 64, 1);
    for (size_t size = 0; size < seed.size(); size += step)
      run(Bytes(seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  for (unsigned i = 0; i < count; ++i) run(mutated(seeds[i % seeds.size()], i));
  std::printf("%zu seeds, %u mutations\n", seeds.size(), count);
  return 0;
}
