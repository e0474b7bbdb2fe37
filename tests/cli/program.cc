#include "program.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "temporary_directory.h"

namespace bantam::tools {
namespace {

void redirect(const std::string& path, int descriptor) {
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || ::dup2(file, descriptor) < 0) ::_exit(127);
  ::close(file);
}

[[noreturn]] void become(std::vector<char*>& arguments, const Limits& limits, const std::string& out,
                         const std::string& err) {
  redirect(limits.standard_output != nullptr ? limits.standard_output : out, STDOUT_FILENO);
  redirect(err, STDERR_FILENO);
  if (limits.file_bytes >= 0) {
    rlimit limit{static_cast<rlim_t>(limits.file_bytes), static_cast<rlim_t>(limits.file_bytes)};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

bool Ended::failed_well(int expected_status) const {
  return status == expected_status && err.starts_with("bantam: ") &&
         std::count(err.begin(), err.end(), '\n') == 1 && err.back() == '\n';
}

Ended run_program(const std::vector<std::string>& arguments, const Limits& limits) {
  TemporaryDirectory dir;
  std::vector<std::string> texts = {BANTAM_PROGRAM};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  std::string out = dir.file("out"), err = dir.file("err");
  pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) become(pointers, limits, out, err);
  int status = 0;
  ::waitpid(child, &status, 0);
  Ended ended;
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  ended.out = read_back(out);
  ended.err = read_back(err);
  return ended;
}

}  // namespace bantam::tools
