#include <algorithm>
#include <map>
#include <string_view>

#include "doctor/checks.h"
#include "io/failure.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

constexpr int kMostExamined = 1024;
constexpr double kFewCopies = 0.05;  // a share that data sets have by themselves

bool is_constant(const compiler::TensorData& data, bool image) {
  const std::vector<std::byte>& bytes = data.bytes;
  // Pixels of one colour are as constant as one grey.
  const size_t unit = image                                 ? static_cast<size_t>(data.shape.back())
                      : data.dtype == plan::DType::kFloat32 ? sizeof(float)
                                                            : 0;
  if (unit == 0 || bytes.size() <= unit) return false;
  return std::equal(bytes.begin() + static_cast<std::ptrdiff_t>(unit), bytes.end(), bytes.begin());
}

std::string bytes_of(const std::vector<compiler::TensorData>& tensors) {
  std::string key;
  for (const compiler::TensorData& tensor : tensors)
    key.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  return key;
}

}  // namespace

void check_content(const compiler::SampleSource& samples, std::vector<Finding>& findings) {
  const std::vector<int> indices = spread(samples.count, kMostExamined);
  std::map<std::pair<size_t, size_t>, int> first_of;  // by hash and size
  std::vector<int> constant;
  int copies = 0, copy = 0, original = 0;
  for (int index : indices) {
    const std::vector<compiler::TensorData> tensors = samples.load(index);
    const bool image = tensors[0].dtype == plan::DType::kUInt8 && tensors[0].shape.size() == 4;
    if (is_constant(tensors[0], image)) {
      constant.push_back(index);
      continue;
    }
    const std::string bytes = bytes_of(tensors);
    const auto [place, fresh] = first_of.try_emplace({std::hash<std::string>()(bytes), bytes.size()}, index);
    if (fresh) continue;
    if (copies++ == 0) copy = index, original = place->second;
  }
  const int count = static_cast<int>(indices.size());
  if (static_cast<int>(constant.size()) == count) {
    throw Failure("--calibrate " + samples.description,
                  format("all %d samples are constant: nothing can be calibrated with them", count));
  }
  if (!constant.empty()) {
    findings.push_back({FindingKind::kConstant,
                        format("%zu of %d samples are constant, the first is sample %d", constant.size(),
                               count, constant[0]),
                        "remove them, or look how they were made"});
  }
  if (copies > kFewCopies * count) {
    findings.push_back({FindingKind::kDuplicates,
                        format("%d of %d samples are copies of others, the first is sample %d of sample %d",
                               copies, count, copy, original),
                        "give different samples: a copy adds nothing to the ranges"});
  }
}

}  // namespace bantam::tools
