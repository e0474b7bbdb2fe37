// Op times for the compiler. Only where it is built in.
#pragma once

#include <string>

#include "bantam/compiler/compiler.h"

namespace bantam::tools {

// Measures on this machine, with one thread.
compiler::OpTimer measuring_timer();
// Looks up in a profile that `bantam bench --profile-device` recorded; what it does not hold is estimated. A
// Failure when the file is no profile.
compiler::OpTimer profile_timer(const std::string& path);

}  // namespace bantam::tools
