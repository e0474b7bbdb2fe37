#include <sys/resource.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <csignal>

#include "io/atomic_file.h"
#include "io/failure.h"
#include "io/json_writer.h"
#include "io/text.h"
#include "temporary_directory.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;

size_t entries(const TemporaryDirectory& dir) {
  std::filesystem::directory_iterator first(dir.path()), last;
  return static_cast<size_t>(std::distance(first, last));
}

TEST_CASE("atomic file: the old file stays until commit") {
  TemporaryDirectory dir;
  std::string path = dir.write("a", "old");
  {
    AtomicFile file(path);
    file.write("new");
  }
  CHECK(read_back(path) == "old");
  CHECK(entries(dir) == 1);
  AtomicFile file(path);
  file.write("new");
  CHECK(read_back(path) == "old");
  file.commit();
  CHECK(read_back(path) == "new");
  CHECK(entries(dir) == 1);
}

TEST_CASE("atomic file: a full disk leaves the old file and nothing else") {
  TemporaryDirectory dir;
  std::string path = dir.write("a", "old");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small{1 << 16, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::vector<std::byte> large(1 << 20);
  std::string message;
  try {
    write_file(path, large);
  } catch (const Failure& failure) {
    message = failure.what();
  }
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK_THAT(message, ContainsSubstring("cannot be written") && ContainsSubstring("unchanged"));
  CHECK(read_back(path) == "old");
  CHECK(entries(dir) == 1);
}

TEST_CASE("atomic file: devices are written directly and report what they say") {
  CHECK_THROWS_WITH(write_file("/dev/full", std::vector<std::byte>(10)), ContainsSubstring("No space left"));
  CHECK_NOTHROW(write_file("/dev/null", std::vector<std::byte>(10)));
  CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("atomic file: a link stays a link") {
  TemporaryDirectory dir;
  std::string target = dir.write("target", "old");
  std::filesystem::create_symlink("target", dir.file("link"));
  write_file(dir.file("link"), std::as_bytes(std::span("new", 3)));
  CHECK(std::filesystem::is_symlink(dir.file("link")));
  CHECK(read_back(target) == "new");
}

TEST_CASE("atomic file: places that cannot be written are refused at once") {
  TemporaryDirectory dir;
  CHECK_THROWS_WITH(AtomicFile(dir.path()), ContainsSubstring("is a folder"));
  CHECK_THROWS_AS(AtomicFile(dir.file("absent/a")), Failure);
  dir.write("plain", "");
  CHECK_THROWS_AS(make_directories(dir.file("plain")), Failure);
  CHECK_THROWS_AS(make_directories(dir.file("plain/below")), Failure);
}

TEST_CASE("json: nesting, escapes and numbers that JSON lacks") {
  JsonWriter json;
  json.begin_object().field("a", 1).field("b", 0.25).field("c", "x\"\\\n").field("d", true);
  json.key("e").begin_array().value(1).value(NAN).begin_object().end_object().end_array();
  json.end_object();
  CHECK(json.text() == R"({"a":1,"b":0.25,"c":"x\"\\\u000a","d":true,"e":[1,null,{}]})");
}

TEST_CASE("text: numbers for people, names for files") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(999) == "999 B");
  CHECK(human_bytes(11'800'000) == "11.8 MB");
  CHECK(human_count(1'820'000'000) == "1.82 G");
  CHECK(as_file_name("a/b:c d") == "a_b_c_d");
  CHECK(as_file_name("..") == "_..");
  CHECK(as_file_name("") == "_");
}

}  // namespace
}  // namespace bantam::tools
