#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

#include "bantam/bantam.h"
#include "commands/command.h"
#include "io/failure.h"
#ifdef BANTAM_WITH_COMPILER
#include "bantam/compiler/error.h"
#endif

namespace bantam::tools {
namespace {

constexpr AddCommand kCommands[] = {
#ifdef BANTAM_WITH_COMPILER
    add_compile, add_prune, add_eval,   add_diff,    add_explain,
#endif
    add_run,     add_bench, add_verify, add_inspect,
};

// One line on stderr, whatever the text holds.
int report(std::string text, int status) {
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  std::fprintf(stderr, "bantam: %s\n", text.c_str());
  return status;
}

int perform(const Action& action) {
  try {
    int status = action();
    bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    return written ? status
                   : report(std::string("standard output: cannot be written: ") + std::strerror(errno), 1);
  } catch (const UsageError& error) {
    return report(error.what(), 2);
  } catch (const Failure& error) {
    return report(error.what(), 1);
#ifdef BANTAM_WITH_COMPILER
  } catch (const compiler::CompileError& error) {
    return report(error.what(), 1);
  } catch (const compiler::InternalError& error) {
    return report(std::string("internal error: ") + error.what() + "; please report it with the model", 1);
#endif
  } catch (const std::bad_alloc&) {
    return report("out of memory", 1);
  } catch (const std::exception& error) {
    return report(std::string("internal error: ") + error.what(), 1);
  }
}

int run_program(int argc, char** argv) {
  CLI::App app("bantam: compiles ONNX models for small machines and runs them", "bantam");
  app.set_version_flag("--version", bantam_version());
  app.require_subcommand(1);
  Action chosen;
  for (AddCommand add : kCommands) add(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    std::string name =
        app.get_subcommands().empty() ? "bantam" : "bantam " + app.get_subcommands()[0]->get_name();
    return report(std::string(error.what()) + "; see `" + name + " --help`", 2);
  }
  return perform(chosen);
}

}  // namespace
}  // namespace bantam::tools

int main(int argc, char** argv) {
  // A file that grows too large for its limit is then an error of write(), like a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  return bantam::tools::run_program(argc, argv);
}
