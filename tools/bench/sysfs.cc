#include "bench/sysfs.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace bantam::tools {
namespace {

std::optional<int64_t> parse(std::string_view text, int base) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string> read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  // By way of the stream, which turns an error of reading, as of a folder, into a bad state.
  if (file.is_open() && file.peek() != EOF) text << file.rdbuf();
  if (!file.is_open() || file.bad()) return std::nullopt;
  return text.str();
}

std::optional<std::string> read_word(const std::string& path) {
  std::optional<std::string> text = read_text_file(path);
  if (text) text->resize(std::min(text->find_first_of(" \t\n"), text->size()));
  return text;
}

std::optional<int64_t> read_number(const std::string& path) {
  std::optional<std::string> word = read_word(path);
  if (!word) return std::nullopt;
  return word->starts_with("0x") ? parse(std::string_view(*word).substr(2), 16) : parse(*word, 10);
}

int64_t read_bytes(const std::string& path) {
  std::string word = read_word(path).value_or("");
  int64_t unit = 1;
  if (word.ends_with('K')) unit = 1024;
  if (word.ends_with('M')) unit = 1024 * 1024;
  if (unit > 1) word.pop_back();
  return parse(word, 10).value_or(0) * unit;
}

std::vector<std::string> numbered_entries(const std::string& folder, const std::string& prefix) {
  std::vector<std::pair<int64_t, std::string>> found;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error), last;
  while (!error && entry != last) {
    std::string name = entry->path().filename().string();
    std::optional<int64_t> number;
    if (name.starts_with(prefix)) number = parse(std::string_view(name).substr(prefix.size()), 10);
    if (number) found.emplace_back(*number, entry->path().string());
    entry.increment(error);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> paths;
  for (auto& [number, path] : found) paths.push_back(std::move(path));
  return paths;
}

std::string cpu_list_text(std::span<const int> cpus) {
  std::string text;
  for (size_t i = 0; i < cpus.size();) {
    size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += std::to_string(cpus[i]);
    if (last > i) text.append("-").append(std::to_string(cpus[last]));
    i = last + 1;
  }
  return text;
}

}  // namespace bantam::tools
