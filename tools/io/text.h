#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace bantam::tools {

// printf into a string.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

std::string human_bytes(uint64_t bytes);                 // "11.8 MB" (powers of 1000)
std::string human_count(uint64_t count);                 // "1.82 G"
std::string shape_text(std::span<const int64_t> shape);  // "1x3x224x224"; "scalar" for rank 0
std::string file_name(const std::string& path);          // behind the last slash

// A name as part of a file name: letters, digits, '.', '-' and '_' stay, anything else becomes '_'.
std::string as_file_name(const std::string& name);

}  // namespace bantam::tools
