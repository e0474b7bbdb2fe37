// Runs the program as a user does.
#pragma once

#include <string>
#include <vector>

namespace bantam::tools {

struct Ended {
  int status = -1;  // exit status; 1000 + the signal's number when a signal ended it
  std::string out;
  std::string err;

  // What every failure must look like: this exit status and one line on stderr that begins with "bantam: ".
  bool failed_well(int expected_status) const;
};

struct Limits {
  long file_bytes = -1;                   // of any file that the program writes; -1: none
  const char* standard_output = nullptr;  // a file instead of `out`
};

Ended run_program(const std::vector<std::string>& arguments, const Limits& limits = {});

}  // namespace bantam::tools
