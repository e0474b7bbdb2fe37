// How the program fails: one line that says where, what, and what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace bantam::tools {

// Ends a command with exit status 1; what() is the whole line behind "bantam: ".
class Failure : public std::runtime_error {
 public:
  Failure(const std::string& where, const std::string& what) : std::runtime_error(where + ": " + what) {}
};

// Wrong usage: exit status 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace bantam::tools
