// What a search tells of its progress: the network that it is at, and how long it may still take.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace bantam::compiler {

using ProgressFunction = std::function<void(std::string_view stage, double fraction)>;

// For any thread.
class SearchProgress {
 public:
  // `out` may be empty.
  explicit SearchProgress(ProgressFunction out) : out_(std::move(out)) {}

  void begin(const std::string& network);
  void pass(std::string_view stage, double fraction);  // of the network's compilation

 private:
  void tell(const std::string& what, double part);

  ProgressFunction out_;
  std::mutex mutex_;
  std::string network_;
  int begun_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace bantam::compiler
