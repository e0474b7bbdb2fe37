#include "data/npy.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <random>

#include "io/failure.h"
#include "temporary_directory.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;

std::string npy(const std::string& dictionary, const std::string& data, int major = 1) {
  std::string text = dictionary + "\n";
  std::string file = "\x93NUMPY";
  file += static_cast<char>(major);
  file += '\0';
  file += static_cast<char>(text.size() & 0xff);
  file += static_cast<char>(text.size() >> 8);
  if (major > 1) file += std::string(2, '\0');
  return file + text + data;
}

std::string header(const std::string& descr, const std::string& shape, const char* fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

std::string error_of(const TemporaryDirectory& dir, const std::string& content) {
  try {
    NpyFile file(dir.write("x.npy", content));
    return "opened";
  } catch (const Failure& failure) {
    return failure.what();
  }
}

TEST_CASE("npy: what is written can be read again, item by item") {
  TemporaryDirectory dir;
  std::string path = dir.file("a.npy");
  std::vector<int64_t> shape = {3, 2, 2};
  std::vector<float> values(12);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) * 0.5f;
  {
    NpyWriter writer(path, plan::DType::kFloat32, shape);
    writer.append(std::as_bytes(std::span(values).first(4)));
    writer.append(std::as_bytes(std::span(values).subspan(4)));
    CHECK_FALSE(std::filesystem::exists(path));
    writer.commit();
  }
  CHECK(read_back(path).find('\n') % 64 == 63);
  NpyFile file(path);
  CHECK(file.dtype() == plan::DType::kFloat32);
  CHECK(file.shape() == shape);
  Tensor item = file.read_item(1);
  CHECK(item.shape == std::vector<int64_t>{2, 2});
  CHECK(item.as<float>()[0] == 2.0f);
  CHECK(item.as<float>()[3] == 3.5f);
  CHECK_THROWS_AS(file.read_item(3), Failure);
}

TEST_CASE("npy: scalars, single axes and empty arrays") {
  TemporaryDirectory dir;
  CHECK(NpyFile(dir.write("s.npy", npy(header("<i4", "()"), std::string(4, 'x')))).shape().empty());
  CHECK(NpyFile(dir.write("v.npy", npy(header("|u1", "(5,)"), "hello"))).shape() == std::vector<int64_t>{5});
  CHECK(
      NpyFile(dir.write("e.npy", npy(header("<f4", "(0, 1000000000000000)"), ""))).read_all().bytes.empty());
  CHECK(NpyFile(dir.write("2.npy", npy(header("|i1", "(5,)"), "hello", 2))).dtype() == plan::DType::kInt8);
  for (int64_t count : {0, 1, 7}) {
    std::vector<int64_t> shape = {count};
    NpyWriter writer(dir.file("w.npy"), plan::DType::kUInt8, shape);
    writer.append(std::vector<std::byte>(static_cast<size_t>(count)));
    writer.commit();
    CHECK(NpyFile(dir.file("w.npy")).shape() == shape);
  }
}

TEST_CASE("npy: float64 is narrowed and bool normalized") {
  TemporaryDirectory dir;
  double values[2] = {0.1, -3.0};
  std::string data(reinterpret_cast<const char*>(values), sizeof(values));
  Tensor tensor = NpyFile(dir.write("d.npy", npy(header("<f8", "(2,)"), data))).read_all();
  CHECK(tensor.dtype == plan::DType::kFloat32);
  CHECK(tensor.as<float>()[0] == 0.1f);
  CHECK(tensor.as<float>()[1] == -3.0f);
  Tensor flags = NpyFile(dir.write("b.npy", npy(header("|b1", "(2,)"), std::string("\x07\0", 2)))).read_all();
  CHECK(flags.bytes == std::vector<std::byte>{std::byte{1}, std::byte{0}});
}

TEST_CASE("npy: what is not supported or damaged is refused with its reason") {
  TemporaryDirectory dir;
  CHECK_THAT(error_of(dir, ""), ContainsSubstring("too short"));
  CHECK_THAT(error_of(dir, "PK\x03\x04 and so on, a zip file"), ContainsSubstring("is not an .npy file"));
  CHECK_THAT(error_of(dir, npy(header("<f4", "(3,)"), "12345678")), ContainsSubstring("truncated"));
  CHECK_THAT(error_of(dir, npy(header("<f4", "(1,)"), "12345678")), ContainsSubstring("longer"));
  CHECK_THAT(error_of(dir, npy(header(">f4", "(2,)"), "12345678")), ContainsSubstring("'_f4'"));
  CHECK_THAT(error_of(dir, npy(header("<c8", "(1,)"), "12345678")), ContainsSubstring("not supported"));
  CHECK_THAT(error_of(dir, npy(header("<f4", "(1, 2)", "True"), "12345678")), ContainsSubstring("Fortran"));
  CHECK_THAT(error_of(dir, npy(header("<f4", "(-1,)"), "")), ContainsSubstring("damaged"));
  CHECK_THAT(error_of(dir, npy(header("<f4", "(99999999999999999, 99999999999999999)"), "")),
             ContainsSubstring("truncated"));
  CHECK_THAT(error_of(dir, npy(header("<f4", "(9999999999999999999,)"), "")), ContainsSubstring("damaged"));
  CHECK_THAT(error_of(dir, npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234")),
             ContainsSubstring("damaged"));
  CHECK_THAT(error_of(dir, npy("{'descr': '<f4', 'shape': (1,)}", "1234")), ContainsSubstring("damaged"));
  CHECK_THAT(error_of(dir, npy("{}", "1234", 9)), ContainsSubstring("version 9"));
  CHECK_THROWS_AS(NpyFile(dir.file("missing.npy")), Failure);
  CHECK_THROWS_AS(NpyFile(dir.path()), Failure);
}

TEST_CASE("npy: every truncation and any flipped bit opens or fails, and never crashes") {
  TemporaryDirectory dir;
  std::string good = npy(header("<f4", "(2, 3)"), std::string(24, 'x'));
  for (size_t length = 0; length < good.size(); ++length) {
    CHECK(error_of(dir, good.substr(0, length)) != "opened");
  }
  for (size_t bit = 0; bit < 8 * (good.size() - 24); ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    CHECK_FALSE(error_of(dir, bad).empty());
  }
}

}  // namespace
}  // namespace bantam::tools
