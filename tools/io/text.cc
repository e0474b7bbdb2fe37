#include "io/text.h"

#include <cctype>
#include <cstdarg>
#include <cstdio>

namespace bantam::tools {
namespace {

std::string scaled(double value, const char* unit) {
  static constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T"};
  int prefix = 0;
  while (value >= 999.5 && prefix < 4) {
    value /= 1000;
    ++prefix;
  }
  int decimals = prefix == 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return format("%.*f %s%s", decimals, value, kPrefixes[prefix], unit);
}

}  // namespace

std::string format(const char* pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  va_list again;
  va_copy(again, arguments);
  int length = std::vsnprintf(nullptr, 0, pattern, arguments);
  va_end(arguments);
  std::string text(static_cast<size_t>(length < 0 ? 0 : length), '\0');
  std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  return text;
}

std::string human_bytes(uint64_t bytes) { return scaled(static_cast<double>(bytes), "B"); }

std::string human_count(uint64_t count) {
  std::string text = scaled(static_cast<double>(count), "");
  return text.back() == ' ' ? text.substr(0, text.size() - 1) : text;
}

std::string shape_text(std::span<const int64_t> shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (int64_t dim : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(dim);
  }
  return text;
}

std::string file_name(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string as_file_name(const std::string& name) {
  std::string safe = name;
  for (char& c : safe) {
    bool plain = std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
    if (!plain) c = '_';
  }
  if (safe.empty() || safe[0] == '.') safe.insert(safe.begin(), '_');
  return safe;
}

}  // namespace bantam::tools
