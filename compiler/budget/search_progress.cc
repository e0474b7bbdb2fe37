#include "budget/search_progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace bantam::compiler {
namespace {

// Networks that a search looks at, most of them only for their time and size. Nobody knows before how many.
constexpr double kUsual = 20;

}  // namespace

void SearchProgress::begin(const std::string& network) {
  const std::lock_guard lock(mutex_);
  network_ = network;
  ++begun_;
  tell(network_, 0);
}

void SearchProgress::pass(std::string_view stage, double fraction) {
  const std::lock_guard lock(mutex_);
  tell(fmt::format("{}, {}", network_, stage), fraction);
}

void SearchProgress::tell(const std::string& what, double part) {
  if (!out_) return;
  const double done = std::max(begun_ - 1, 0) + std::clamp(part, 0.0, 1.0) / 2;
  const double all = std::max(kUsual, done + 2);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const std::string left =
      begun_ < 3 ? "" : fmt::format("; about {:.0f} s left", seconds / done * (all - done));
  out_(fmt::format("search: {}{}", what, left), done / all);
}

}  // namespace bantam::compiler
