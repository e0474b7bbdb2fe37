// What is left when a user stops the program half-way.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "fixture.h"

namespace bantam::tools {
namespace {

class Terminal {
 public:
  Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    REQUIRE(master_ >= 0);
    REQUIRE(::grantpt(master_) == 0);
    REQUIRE(::unlockpt(master_) == 0);
    slave_ = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    REQUIRE(slave_ >= 0);
  }
  ~Terminal() {
    ::close(slave_);
    ::close(master_);
  }
  int slave() const { return slave_; }
  // Whether `text` is shown within 20 seconds.
  bool shows(const std::string& text) const {
    std::string shown;
    for (int waits = 0; waits < 200; ++waits) {
      pollfd ready{master_, POLLIN, 0};
      if (::poll(&ready, 1, 100) < 1) continue;
      char buffer[512];
      const ssize_t got = ::read(master_, buffer, sizeof(buffer));
      if (got <= 0) return false;
      shown.append(buffer, static_cast<size_t>(got));
      if (shown.find(text) != std::string::npos) return true;
    }
    return false;
  }

 private:
  int master_;
  int slave_ = -1;
};

// Runs the program with a terminal as its standard error and sends `signal` when `started` says so. The exit
// status, or 128 + the signal that ended it.
template <typename Started>
int interrupt(const std::vector<std::string>& arguments, int signal, const Started& started) {
  std::vector<std::string> texts = {BANTAM_PROGRAM};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  const Terminal terminal;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(terminal.slave(), STDERR_FILENO);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  const bool at_work = started(terminal);
  ::kill(child, signal);
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(at_work);
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
      const int status = interrupt(compile + calibrate + kImageFlags, signal,
                                   [](const Terminal& terminal) { return terminal.shows("calibrate"); });
      CHECK(status == 128 + signal);
      CHECK(read_back(old_plan) == "the old plan");
      CHECK(entries(plans.path()) == 1);
    }
  }
}

TEST_CASE("cli: a search that is stopped keeps what it has measured") {
  TemporaryDirectory dir;
  const std::string plan = dir.file("x.bantam"), resume = dir.file("search.json");
  const std::vector<std::string> search = {
      "compile",          kOnnx,           "-o",  plan,       "--calibrate",
      kDigits + "/calib", "--max-latency", "10s", "--resume", resume};
  const int status = interrupt(search + kImageFlags, SIGINT,
                               [](const Terminal& terminal) { return terminal.shows("search: fp16"); });
  CHECK(status == 128 + SIGINT);
  CHECK(entries(dir.path()) == 1);
  const std::string kept = read_back(resume);
  CHECK(kept.find("\"int8\"") != std::string::npos);
  CHECK(kept.find("\"fp32\"") == std::string::npos);
  REQUIRE(run_program(search + kImageFlags).status == 0);
  CHECK(read_back(resume).find("\"fp32\"") != std::string::npos);
}

TEST_CASE("cli: a run stopped while it writes leaves no temporary file") {
  TemporaryDirectory data, out;
  const std::vector<std::string> run = {
      "run", compile_digits(data, "fp32"), "--input", many_samples(data), "--output", out.path()};
  auto writing = [&](const Terminal&) {
    for (int waits = 0; waits < 2000 && entries(out.path()) == 0; ++waits)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return entries(out.path()) == 1;
  };
  for (int signal : {SIGINT, SIGTERM}) {
    CHECK(interrupt(run, signal, writing) == 128 + signal);
    CHECK(entries(out.path()) == 0);
  }
}

}  // namespace
}  // namespace bantam::tools
