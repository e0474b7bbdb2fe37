#include "data/labels.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "io/failure.h"
#include "temporary_directory.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;

class NamedSamples final : public Samples {
 public:
  explicit NamedSamples(std::vector<std::string> names) : names_(std::move(names)) {}
  int64_t count() const override { return static_cast<int64_t>(names_.size()); }
  Tensor load(int64_t) const override { return {}; }
  std::string name(int64_t index) const override { return names_[static_cast<size_t>(index)]; }
  std::string description() const override { return "samples"; }

 private:
  std::vector<std::string> names_;
};

using Labels = std::vector<int64_t>;

TEST_CASE("labels: a CSV goes by file name for images") {
  TemporaryDirectory dir;
  NamedSamples samples({"a.png", "b, c.png"});
  std::string path = dir.write("l.csv", "file,class\r\n\"b, c.png\",7\r\nsub/a.png, 3\r\nother.png,9\r\n");
  CHECK(read_labels(path, samples, 2) == Labels{3, 7});
  CHECK(read_labels(path, samples, 1) == Labels{3});
  CHECK_THROWS_WITH(read_labels(dir.write("s.csv", "a.png,3\n"), samples, 2),
                    ContainsSubstring("no label for b, c.png"));
}

TEST_CASE("labels: a CSV goes by row otherwise") {
  TemporaryDirectory dir;
  NamedSamples samples({"x.npy sample 0", "x.npy sample 1"});
  CHECK(read_labels(dir.write("l.csv", "5\n-6"), samples, 2) == Labels{5, -6});
  CHECK_THROWS_WITH(read_labels(dir.write("s.csv", "name,label\na,5\n"), samples, 2),
                    ContainsSubstring("holds 1 labels for 2 samples"));
  CHECK_THROWS_WITH(read_labels(dir.write("t.csv", "a,5\nb,cat\n"), samples, 2),
                    ContainsSubstring("t.csv:2"));
  CHECK_THROWS_WITH(read_labels(dir.write("e.csv", ""), samples, 2), ContainsSubstring("no labels"));
}

TEST_CASE("labels: an .npy of integers, as many as samples") {
  TemporaryDirectory dir;
  NamedSamples samples({"x.npy sample 0", "x.npy sample 1", "x.npy sample 2"});
  auto write = [&](const char* name, plan::DType dtype, std::vector<int64_t> shape,
                   std::span<const std::byte> data) {
    NpyWriter writer(dir.file(name), dtype, shape);
    writer.append(data);
    writer.commit();
    return dir.file(name);
  };
  std::vector<int64_t> wide = {4, 5, 6};
  std::vector<int32_t> narrow = {4, 5, 6};
  std::vector<float> floats = {4, 5, 6};
  CHECK(read_labels(write("a.npy", plan::DType::kInt64, {3}, std::as_bytes(std::span(wide))), samples, 2) ==
        Labels{4, 5});
  CHECK(read_labels(write("b.npy", plan::DType::kInt32, {3}, std::as_bytes(std::span(narrow))), samples, 3) ==
        wide);
  CHECK_THROWS_WITH(
      read_labels(write("c.npy", plan::DType::kFloat32, {3}, std::as_bytes(std::span(floats))), samples, 3),
      ContainsSubstring("integers"));
  CHECK_THROWS_WITH(
      read_labels(write("d.npy", plan::DType::kInt64, {2}, std::as_bytes(std::span(wide).first(2))), samples,
                  2),
      ContainsSubstring("holds 2 labels for 3 samples"));
}

}  // namespace
}  // namespace bantam::tools
