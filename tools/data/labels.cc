#include "data/labels.h"

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "data/image.h"
#include "data/npy.h"
#include "io/failure.h"
#include "io/input_file.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

constexpr uint64_t kMaxTextBytes = 256 << 20;

struct Row {
  std::string file;
  int64_t label = 0;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    lines.push_back(line);
  }
  return lines;
}

// "name,12" or "12"; the name may be quoted.
std::optional<Row> parse_row(std::string_view line) {
  size_t comma = line.rfind(',');
  std::string_view number = comma == std::string_view::npos ? line : line.substr(comma + 1);
  std::string_view file = comma == std::string_view::npos ? std::string_view() : line.substr(0, comma);
  while (!number.empty() && number[0] == ' ') number.remove_prefix(1);
  if (file.size() >= 2 && file[0] == '"' && file.back() == '"') file = file.substr(1, file.size() - 2);
  Row row{std::string(file), 0};
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), row.label);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return row;
}

std::vector<Row> read_csv(const std::string& path) {
  std::string text = read_text_file(path, kMaxTextBytes);
  std::vector<Row> rows;
  size_t number = 0;
  for (std::string_view line : lines_of(text)) {
    ++number;
    if (line.empty()) continue;
    std::optional<Row> row = parse_row(line);
    bool heading = !row && rows.empty() && number == 1;
    if (!row && !heading)
      throw Failure(path + format(":%zu", number), "is not a row 'file,label' with a whole number as label");
    if (row) rows.push_back(std::move(*row));
  }
  return rows;
}

[[noreturn]] void wrong_count(const std::string& path, size_t labels, int64_t samples) {
  throw Failure(path, format("holds %zu labels for %lld samples; one label per sample is needed", labels,
                             static_cast<long long>(samples)));
}

std::vector<int64_t> by_file_name(const std::string& path, const std::vector<Row>& rows,
                                  const Samples& samples, int64_t count) {
  std::unordered_map<std::string, int64_t> labels;
  for (const Row& row : rows) labels[file_name(row.file)] = row.label;
  std::vector<int64_t> out;
  for (int64_t i = 0; i < count; ++i) {
    auto found = labels.find(samples.name(i));
    if (found == labels.end()) throw Failure(path, "has no label for " + samples.name(i));
    out.push_back(found->second);
  }
  return out;
}

std::vector<int64_t> read_npy_labels(const std::string& path, const Samples& samples) {
  NpyFile file(path);
  if (file.shape().size() != 1)
    throw Failure(path,
                  "holds " + type_text(file.dtype(), file.shape()) + "; labels are one axis of integers");
  if (file.shape()[0] != samples.count())
    wrong_count(path, static_cast<size_t>(file.shape()[0]), samples.count());
  Tensor tensor = file.read_all();
  std::vector<int64_t> labels;
  switch (tensor.dtype) {
    case plan::DType::kInt64:
      labels.assign(tensor.as<int64_t>().begin(), tensor.as<int64_t>().end());
      break;
    case plan::DType::kInt32:
      labels.assign(tensor.as<int32_t>().begin(), tensor.as<int32_t>().end());
      break;
    case plan::DType::kUInt8:
      labels.assign(tensor.as<uint8_t>().begin(), tensor.as<uint8_t>().end());
      break;
    default:
      throw Failure(path, std::string("holds ") + dtype_name(tensor.dtype) + "; labels must be integers");
  }
  return labels;
}

}  // namespace

std::vector<int64_t> read_labels(const std::string& path, const Samples& samples, int64_t count) {
  std::vector<int64_t> labels;
  if (is_npy(path)) {
    labels = read_npy_labels(path, samples);
  } else {
    std::vector<Row> rows = read_csv(path);
    if (rows.empty()) throw Failure(path, "holds no labels; rows 'file,label' are needed");
    if (is_image(samples.name(0))) return by_file_name(path, rows, samples, count);
    if (static_cast<int64_t>(rows.size()) != samples.count()) wrong_count(path, rows.size(), samples.count());
    for (const Row& row : rows) labels.push_back(row.label);
  }
  labels.resize(static_cast<size_t>(count));
  return labels;
}

std::vector<std::string> read_class_names(const std::string& path) {
  std::string text = read_text_file(path, kMaxTextBytes);
  std::vector<std::string> names;
  for (std::string_view line : lines_of(text)) names.emplace_back(line);
  return names;
}

}  // namespace bantam::tools
