// Small text files through which the kernel describes the machine. Functions of this folder that take a
// `root` read them below it: "" on a machine, a made-up tree in tests.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bantam::tools {

std::optional<std::string> read_text_file(const std::string& path);  // nothing when it cannot be read
std::optional<std::string> read_word(const std::string& path);       // up to the first white space
std::optional<int64_t> read_number(const std::string& path);         // decimal, or hexadecimal after "0x"
int64_t read_bytes(const std::string& path);                         // "512K", "4M"; 0 when it says nothing

// Paths of the entries of `folder` that are called `prefix` and a number, in the order of the numbers.
std::vector<std::string> numbered_entries(const std::string& folder, const std::string& prefix);

std::string cpu_list_text(std::span<const int> cpus);  // "0-3,6"; the numbers ascend

}  // namespace bantam::tools
