// The commands of the program. Each adds itself to the command line and says what to do when it was chosen.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace bantam::tools {

// Returns the exit status, or throws: Failure and the compiler's errors end with 1, UsageError with 2.
using Action = std::function<int()>;
using AddCommand = void (*)(CLI::App& app, Action& chosen);

void add_compile(CLI::App& app, Action& chosen);
void add_prune(CLI::App& app, Action& chosen);
void add_eval(CLI::App& app, Action& chosen);
void add_run(CLI::App& app, Action& chosen);
void add_bench(CLI::App& app, Action& chosen);
void add_verify(CLI::App& app, Action& chosen);
void add_inspect(CLI::App& app, Action& chosen);
void add_diff(CLI::App& app, Action& chosen);
void add_explain(CLI::App& app, Action& chosen);

}  // namespace bantam::tools
