// One side of an interleaved comparison: holds a plan ready and measures runs on demand.
//   bantam_bench_worker PLAN [--threads N] [--cache DIR]
// prints `ready FIRST LOADED` (milliseconds from opening the plan to the first result, and until a session
// was made); then reads lines from standard input: `run K` answers with K latencies in microseconds separated
// by spaces, `quit` or the end of input ends it.
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

void serve(const std::string& path, int threads, const std::string& cache) {
  Clock::time_point start = Clock::now();
  Model model = open_plan(path, cache);
  Session session = open_session(model, threads, path);
  double loaded = microseconds_since(start);
  BenchInputs inputs(model, session, path);
  require(session.run(), path);
  std::printf("ready %.3f %.3f\n", microseconds_since(start) / 1000, loaded / 1000);
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
  int threads = 1;
  std::string cache;
  bool sound = argc >= 2 && argc % 2 == 0;
  for (int i = 2; sound && i < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--threads") threads = std::atoi(argv[i + 1]);
    if (flag == "--cache") cache = argv[i + 1];
    sound = (flag == "--threads" && threads > 0) || flag == "--cache";
  }
  if (!sound) {
    std::fprintf(stderr, "usage: bantam_bench_worker PLAN [--threads N] [--cache DIR]\n");
    return 2;
  }
  try {
    bantam::tools::serve(argv[1], threads, cache);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bantam_bench_worker: %s\n", error.what());
    return 1;
  }
}
