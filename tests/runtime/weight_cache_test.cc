// Packed weights kept in files: used when sound, silently left aside when not.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "hash64.h"
#include "loading.h"
#include "sample_plan.h"

namespace bantam::test {
namespace {

using Bytes = std::vector<char>;

class Directory {
 public:
  Directory() { REQUIRE(mkdtemp(path_) != nullptr); }
  ~Directory() {
    for (const std::string& name : names()) unlink((path() + "/" + name).c_str());
    rmdir(path_);
  }
  std::string path() const { return path_; }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    DIR* directory = opendir(path_);
    REQUIRE(directory != nullptr);
    while (const dirent* entry = readdir(directory)) {
      if (entry->d_name[0] != '.') found.emplace_back(entry->d_name);
    }
    closedir(directory);
    return found;
  }
  // The path of its only file.
  std::string only() const {
    const std::vector<std::string> found = names();
    REQUIRE(found.size() == 1);
    return path() + "/" + found[0];
  }

 private:
  char path_[32] = "/tmp/bantam_test_XXXXXX";
};

Bytes read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

void write_all(const std::string& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// What has been seen of a model with a cache, and of its first session.
struct Loading {
  Status model, session, run;
  size_t cached = 0;
  int32_t packed = 0;  // how often weights were packed
};

Loading load_cached(const AlignedBytes& file, const std::string& directory) {
  Loading loading;
  fake_behavior().packed = 0;
  Model* made = nullptr;
  loading.model = Model::from_memory(file.data(), file.size(), fake_kernels(), &made, directory.c_str());
  const ModelPtr model(made);
  if (!loading.model.ok()) return loading;
  loading.cached = model->cached_bytes();
  SessionPtr session;
  loading.session = open(model, &session);
  if (loading.session.ok()) loading.run = session->run();
  loading.packed = fake_behavior().packed;
  return loading;
}

// Without a session, so that nothing is written.
bool takes_cache(const AlignedBytes& file, const std::string& directory) {
  Model* made = nullptr;
  REQUIRE(Model::from_memory(file.data(), file.size(), fake_kernels(), &made, directory.c_str()).ok());
  return ModelPtr(made)->cached_bytes() > 0;
}

bool uses_cache(const Loading& loading) {
  return loading.run.ok() && loading.cached > 0 && loading.packed == 0;
}
bool falls_back(const Loading& loading) {
  return loading.run.ok() && loading.cached == 0 && loading.packed == 1;
}

void set_checksum(Bytes& bytes) {
  const uint64_t none = 0;
  std::memcpy(bytes.data() + offsetof(CacheHeader, checksum), &none, sizeof(none));
  const uint64_t checksum = hash64(bytes.data(), bytes.size());
  std::memcpy(bytes.data() + offsetof(CacheHeader, checksum), &checksum, sizeof(checksum));
}

TEST_CASE("the first session makes the file, and later loads take the weights from it") {
  fake_behavior() = FakeBehavior();
  const AlignedBytes plan = SamplePlan().file();
  const Directory directory;
  CHECK(falls_back(load_cached(plan, directory.path())));
  const Bytes first = read_all(directory.only());
  CHECK(uses_cache(load_cached(plan, directory.path())));
  CHECK(read_all(directory.only()) == first);
  // Also in a directory that is not there yet.
  const std::string below = directory.path() + "/below";
  CHECK(falls_back(load_cached(plan, below)));
  CHECK(uses_cache(load_cached(plan, below)));
  CHECK(std::system(("rm -r " + below).c_str()) == 0);
}

TEST_CASE("each plan, library and CPU has a file of its own") {
  fake_behavior() = FakeBehavior();
  SamplePlan builder;
  const AlignedBytes plan = builder.file();
  builder.plan.name = "another";
  const AlignedBytes another = builder.file();
  const Directory directory;
  CHECK(falls_back(load_cached(plan, directory.path())));
  const std::string mine = directory.only();
  CHECK(falls_back(load_cached(another, directory.path())));
  fake_behavior().packing_id = 2;
  CHECK(falls_back(load_cached(plan, directory.path())));
  CHECK(directory.names().size() == 3);
  CHECK(uses_cache(load_cached(plan, directory.path())));
  // Under the name of another it is not taken for that.
  const Bytes bytes = read_all(mine);
  for (const std::string& name : directory.names()) write_all(directory.path() + "/" + name, bytes);
  CHECK(falls_back(load_cached(plan, directory.path())));
  fake_behavior().packing_id = 1;
  CHECK(uses_cache(load_cached(plan, directory.path())));
  CHECK(falls_back(load_cached(another, directory.path())));
}

TEST_CASE("a damaged or truncated file is left aside, and replaced") {
  fake_behavior() = FakeBehavior();
  const AlignedBytes plan = SamplePlan().file();
  const Directory directory;
  REQUIRE(falls_back(load_cached(plan, directory.path())));
  const std::string path = directory.only();
  const Bytes sound = read_all(path);
  for (size_t i = 0; i < sound.size(); ++i) {
    Bytes damaged = sound;
    damaged[i] = static_cast<char>(damaged[i] ^ 1 << i % 8);
    write_all(path, damaged);
    INFO("byte " << i);
    REQUIRE_FALSE(takes_cache(plan, directory.path()));
  }
  CHECK(falls_back(load_cached(plan, directory.path())));
  CHECK(read_all(path) == sound);
  for (size_t size = 0; size < sound.size(); ++size) {
    write_all(path, Bytes(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(size)));
    INFO("size " << size);
    REQUIRE_FALSE(takes_cache(plan, directory.path()));
  }
  CHECK(falls_back(load_cached(plan, directory.path())));
  Bytes longer = sound;
  longer.push_back(0);
  write_all(path, longer);
  CHECK(falls_back(load_cached(plan, directory.path())));
  CHECK(uses_cache(load_cached(plan, directory.path())));
  CHECK(directory.names().size() == 1);
}

TEST_CASE("a file with a right checksum and wrong tables is left aside") {
  fake_behavior() = FakeBehavior();
  const AlignedBytes plan = SamplePlan().file();
  const Directory directory;
  REQUIRE(falls_back(load_cached(plan, directory.path())));
  const std::string path = directory.only();
  const Bytes sound = read_all(path);
  CacheHeader header;
  std::memcpy(&header, sound.data(), sizeof(header));
  REQUIRE(header.range_count == 1);
  REQUIRE(header.entry_count == 1);
  const size_t entry = sizeof(CacheHeader) + sizeof(CacheRange);
  const auto accepted = [&](size_t at, const auto& value) {
    Bytes changed = sound;
    std::memcpy(changed.data() + at, &value, sizeof(value));
    set_checksum(changed);
    write_all(path, changed);
    return takes_cache(plan, directory.path());
  };
  CHECK(accepted(entry + offsetof(CacheEntry, reserved), uint32_t{0}));  // what it is anyway
  for (const uint64_t wrong :
       {uint64_t{0}, uint64_t{32}, uint64_t{64}, uint64_t{sound.size()} / 64 * 64, ~uint64_t{0} / 64 * 64}) {
    CHECK_FALSE(accepted(entry + offsetof(CacheEntry, offset), wrong));
  }
  for (const uint64_t wrong : {uint64_t{sound.size()}, ~uint64_t{0}, ~uint64_t{0} - kReadPadding}) {
    CHECK_FALSE(accepted(entry + offsetof(CacheEntry, bytes), wrong));
    CHECK_FALSE(accepted(sizeof(CacheHeader) + offsetof(CacheRange, end), wrong));
    CHECK_FALSE(accepted(sizeof(CacheHeader) + offsetof(CacheRange, begin), wrong));
  }
  CHECK_FALSE(accepted(sizeof(CacheHeader) + offsetof(CacheRange, begin), uint64_t{0}));
  for (const uint32_t wrong : {0U, 1000U, ~0U}) {
    CHECK_FALSE(accepted(offsetof(CacheHeader, entry_count), wrong));
  }
  for (const uint32_t wrong : {2U, 1000U, ~0U}) {
    CHECK_FALSE(accepted(offsetof(CacheHeader, range_count), wrong));
  }
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    if (!accepted(random() % (sound.size() - 8), uint64_t{random()} << random() % 33)) continue;
    const Loading loading = load_cached(plan, directory.path());
    CHECK((loading.run.ok() || loading.session.code() == StatusCode::kOutOfMemory));
  }
}

TEST_CASE("a cache that cannot be written to changes nothing") {
  fake_behavior() = FakeBehavior();
  const AlignedBytes plan = SamplePlan().file();
  const Directory directory;
  write_all(directory.path() + "/file", {'x'});
  for (const std::string& wrong : {std::string("/no/such/directory"), directory.path() + "/file",
                                   std::string("/proc"), std::string(), std::string(5000, 'x')}) {
    INFO(wrong);
    CHECK(falls_back(load_cached(plan, wrong)));
    CHECK(falls_back(load_cached(plan, wrong)));
  }
  CHECK(read_all(directory.only()) == Bytes{'x'});
}

TEST_CASE("the plan is verified wherever the cache does not stand in for it") {
  fake_behavior() = FakeBehavior();
  SamplePlan builder;
  const AlignedBytes plan = builder.file();
  const Directory directory;
  REQUIRE(falls_back(load_cached(plan, directory.path())));
  PlanHeader header;
  std::memcpy(&header, plan.data(), sizeof(header));
  const size_t w = header.weights_offset + builder[builder.w].offset;
  const size_t k = header.weights_offset + builder[builder.k].offset;
  for (size_t i = sizeof(header); i < plan.size(); ++i) {
    AlignedBytes damaged(plan.data(), plan.size());
    damaged.data()[i] ^= std::byte{1};
    const Loading loading = load_cached(damaged, directory.path());
    INFO("byte " << i);
    if (i >= w && i < k - 4) {  // the weights and, behind padding, the bias of the convolution
      if (i < w + 54) REQUIRE(uses_cache(loading));
    } else if (i < header.weights_offset || i >= k) {
      REQUIRE(loading.model.code() == StatusCode::kInvalidPlan);
    }
  }
}

TEST_CASE("a cache file that vanishes is still used, and one that shrinks is noticed before the next run") {
  fake_behavior() = FakeBehavior();
  const AlignedBytes plan = SamplePlan().file();
  const Directory directory;
  REQUIRE(falls_back(load_cached(plan, directory.path())));
  const std::string path = directory.only();
  const Bytes sound = read_all(path);
  const auto load = [&] {
    Model* made = nullptr;
    REQUIRE(
        Model::from_memory(plan.data(), plan.size(), fake_kernels(), &made, directory.path().c_str()).ok());
    REQUIRE(made->cached_bytes() > 0);
    return ModelPtr(made);
  };
  {
    const ModelPtr model = load();
    unlink(path.c_str());
    SessionPtr session;
    CHECK(open(model, &session).ok());
    CHECK(session->run().ok());
  }
  write_all(path, sound);
  const ModelPtr model = load();
  SessionPtr session, another;
  REQUIRE(open(model, &session).ok());
  REQUIRE(truncate(path.c_str(), 10) == 0);
  CHECK(session->run().code() == StatusCode::kIo);
  CHECK(std::string(session->run().where()) == "packed weights");
  CHECK(open(model, &another).code() == StatusCode::kIo);
}

}  // namespace
}  // namespace bantam::test
