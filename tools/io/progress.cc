#include "io/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace bantam::tools {

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::show(std::string_view stage, double fraction) {
  if (!terminal_) return;
  std::lock_guard lock(mutex_);
  auto now = std::chrono::steady_clock::now();
  if (shown_ && stage == stage_ && now - last_ < std::chrono::milliseconds(80)) return;
  constexpr int kWidth = 30;
  int filled = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kWidth);
  std::string bar =
      std::string(static_cast<size_t>(filled), '#') + std::string(static_cast<size_t>(kWidth - filled), '.');
  std::fprintf(stderr, "\r\033[K%-12.*s [%s] %3.0f %%", static_cast<int>(stage.size()), stage.data(),
               bar.c_str(), 100 * std::clamp(fraction, 0.0, 1.0));
  std::fflush(stderr);
  shown_ = true;
  stage_ = stage;
  last_ = now;
}

void Progress::clear() {
  std::lock_guard lock(mutex_);
  if (shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

}  // namespace bantam::tools
