#include "budget/search_file.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "io/atomic_file.h"
#include "io/failure.h"
#include "io/input_file.h"
#include "io/json_writer.h"

namespace bantam::tools {
namespace {

using compiler::Point;
using compiler::Precision;
using Json = nlohmann::json;

constexpr const char* kFormat = "bantam search";
constexpr int kVersion = 2;
constexpr int kFirstVersion = 1;  // whose points all have the model's own input
constexpr uint64_t kMostBytes = uint64_t{16} << 20;

constexpr std::pair<const char*, Precision> kPrecisions[] = {
    {"fp32", Precision::kFp32}, {"fp16", Precision::kFp16}, {"int8", Precision::kInt8}};

Precision precision_of(const std::string& name) {
  for (const auto& [known, value] : kPrecisions) {
    if (name == known) return value;
  }
  throw std::invalid_argument("precision");
}

// A number of the file that may be used in sums.
double number(const Json& object, const char* key) {
  const double value = object.at(key).get<double>();
  if (!std::isfinite(value) || value < 0) throw std::invalid_argument(key);
  return value;
}

compiler::InputSize input_of(const Json& json) {
  const auto found = json.find("input");
  if (found == json.end() || found->is_null()) return {};
  const compiler::InputSize size{found->at("height").get<int>(), found->at("width").get<int>()};
  if (size.height < 1 || size.width < 1) throw std::invalid_argument("input");
  return size;
}

Point point_of(const Json& json) {
  Point point;
  point.candidate = {precision_of(json.at("precision").get<std::string>()), number(json, "pruned"),
                     json.at("mixed").get<bool>(), input_of(json)};
  point.footprint = {number(json, "latency_ms"), json.at("size_bytes").get<uint64_t>(),
                     json.at("memory_bytes").get<uint64_t>(), number(json, "energy_mj")};
  if (!json.at("drop").is_null()) point.drop = number(json, "drop");
  point.verdict = json.at("verdict").get<std::string>();
  return point;
}

}  // namespace

void write_point(JsonWriter& json, const Point& point) {
  const compiler::InputSize& input = point.candidate.input;
  json.begin_object().field("precision", precision_text(point.candidate.precision)).key("input");
  if (input.is_own()) {
    json.null();
  } else {
    json.begin_object().field("height", input.height).field("width", input.width).end_object();
  }
  json.field("mixed", point.candidate.mixed)
      .field("pruned", point.candidate.pruned)
      .field("latency_ms", point.footprint.latency_ms);
  json.field("size_bytes", point.footprint.size_bytes).field("memory_bytes", point.footprint.memory_bytes);
  json.field("energy_mj", point.footprint.energy_mj).key("drop");
  point.drop ? json.value(*point.drop) : json.null();
  json.field("verdict", point.verdict).end_object();
}

SearchFile::SearchFile(std::string path, std::string subject)
    : path_(std::move(path)), subject_(std::move(subject)) {
  if (std::filesystem::exists(path_)) {
    read();
  } else {
    AtomicFile probe(path_);  // says at once when the place cannot be written
  }
}

void SearchFile::read() {
  const Json json = Json::parse(read_text_file(path_, kMostBytes), nullptr, false);
  if (!json.is_object() || !json.contains("format") || json["format"] != kFormat)
    throw Failure(path_, "is no file of an earlier search; give --resume another name");
  if (!json.contains("version") || (json["version"] != kVersion && json["version"] != kFirstVersion))
    throw Failure(path_, "is of another version of this program; remove it to search anew");
  if (!json.contains("subject") || json["subject"] != subject_)
    throw Failure(path_,
                  "is of a search with another model, other samples or options; remove it to search "
                  "anew, or give --resume another name");
  try {
    for (const Json& point : json.at("points")) points_.push_back(point_of(point));
  } catch (const std::exception&) {
    throw Failure(path_, "is damaged; remove it to search anew");
  }
}

void SearchFile::add(const Point& point) {
  std::erase_if(points_, [&](const Point& known) { return known.candidate == point.candidate; });
  points_.push_back(point);
  JsonWriter json;
  json.begin_object().field("format", kFormat).field("version", kVersion).field("subject", subject_);
  json.key("points").begin_array();
  for (const Point& known : points_) write_point(json, known);
  json.end_array().end_object();
  const std::string text = json.text() + "\n";
  write_file(path_, std::as_bytes(std::span(text)));
}

}  // namespace bantam::tools
