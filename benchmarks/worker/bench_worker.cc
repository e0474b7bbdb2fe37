// One side of an interleaved comparison: holds a plan ready and measures runs on demand.
//   bantam_bench_worker PLAN [--threads N]
// prints `ready MILLISECONDS` (from opening the plan to the first result); then reads lines from standard
// input: `run K` answers with K latencies in microseconds separated by spaces, `quit` or the end of input
// ends it.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "engine/bench_input.h"
#include "engine/plan.h"
#include "io/failure.h"

namespace bantam::tools {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

void answer(Session& session, long count, const std::string& path) {
  for (long i = 0; i < count; ++i) {
    Clock::time_point start = Clock::now();
    Outcome outcome = session.run();
    double elapsed = microseconds_since(start);
    require(outcome, path);
    std::printf(i == 0 ? "%.1f" : " %.1f", elapsed);
  }
  std::printf("\n");
  std::fflush(stdout);
}

void serve(const std::string& path, int threads) {
  Clock::time_point start = Clock::now();
  Model model = open_plan(path);
  Session session = open_session(model, threads, path);
  BenchInputs inputs(model, session, path);
  require(session.run(), path);
  std::printf("ready %.3f\n", microseconds_since(start) / 1000);
  std::fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line) && line != "quit") {
    char* end = nullptr;
    long count = line.starts_with("run ") ? std::strtol(line.c_str() + 4, &end, 10) : 0;
    if (count < 1 || count > 10'000'000 || *end != '\0')
      throw Failure("standard input", "write `run K` or `quit`");
    answer(session, count, path);
  }
}

}  // namespace
}  // namespace bantam::tools

int main(int argc, char** argv) {
  bool with_threads = argc == 4 && std::string(argv[2]) == "--threads" && std::atoi(argv[3]) > 0;
  if (argc != 2 && !with_threads) {
    std::fprintf(stderr, "usage: bantam_bench_worker PLAN [--threads N]\n");
    return 2;
  }
  try {
    bantam::tools::serve(argv[1], with_threads ? std::atoi(argv[3]) : 1);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bantam_bench_worker: %s\n", error.what());
    return 1;
  }
}
