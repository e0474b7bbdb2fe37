#pragma once

#include <stdexcept>
#include <string>

namespace bantam::compiler {

// The user's model, data or options are at fault: one line that says what, where and what to do.
class CompileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The compiler itself is at fault.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace bantam::compiler
