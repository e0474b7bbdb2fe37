// What is left when a user stops the program half-way.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "fixture.h"

namespace bantam::tools {
namespace {

// Starts the program and, when its standard error or the folder shows that it is at work, sends `signal`.
int interrupt(const std::vector<std::string>& arguments, int signal) {
  std::vector<std::string> texts = {BANTAM_PROGRAM};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  int status = 0;
  REQUIRE(::waitpid(child, &status, WNOHANG) == 0);  // still calibrating
  ::kill(child, signal);
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

size_t entries(const std::string& folder) {
  std::filesystem::directory_iterator first(folder), last;
  return static_cast<size_t>(std::distance(first, last));
}

// 60000 different images: many seconds of calibration.
std::string many_samples(const TemporaryDirectory& dir) {
  std::vector<uint8_t> pixels(size_t{60000} * 1024);
  uint32_t state = 1;
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  return save_npy(dir, "many.npy", plan::DType::kUInt8, {60000, 32, 32}, pixels);
}

TEST_CASE("cli: a compilation stopped while it calibrates leaves the old plan, no new one and nothing else") {
  TemporaryDirectory data, plans;
  const std::vector<std::string> calibrate = {"--precision", "int8", "--calibrate", many_samples(data)};
  const std::string old_plan = plans.write("old.bantam", "the old plan");
  for (int signal : {SIGINT, SIGTERM}) {
    for (const std::string& path : {old_plan, plans.file("new.bantam")}) {
      INFO("signal " << signal << ", " << path);
      const std::vector<std::string> compile = {"compile", kOnnx, "-o", path};
      CHECK(interrupt(compile + calibrate + kImageFlags, signal) == 128 + signal);
      CHECK(read_back(old_plan) == "the old plan");
      CHECK(entries(plans.path()) == 1);
    }
  }
}

}  // namespace
}  // namespace bantam::tools
