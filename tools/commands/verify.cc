#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "commands/command.h"
#include "engine/plan.h"
#include "io/failure.h"
#include "io/json_writer.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

struct VerifyFlags {
  std::string plan;
  int threads = 1;
  bool json = false;
};

std::string hex(uint64_t hash) { return format("%016llx", static_cast<unsigned long long>(hash)); }

void print_json(const bantam_verification& result) {
  JsonWriter json;
  json.begin_object().field("matches", result.matches != 0);
  json.field("ops_compared", result.ops_compared).field("ops_different", result.ops_different);
  json.field("outputs_compared", result.outputs_compared)
      .field("outputs_different", result.outputs_different);
  if (result.matches == 0) {
    json.field("first_op", result.first_op).field("first_op_name", result.first_op_name);
    json.field("expected", hex(result.expected)).field("actual", hex(result.actual));
  }
  json.end_object();
  std::printf("%s\n", json.text().c_str());
}

[[noreturn]] void report_difference(const std::string& path, const Model& model,
                                    const bantam_verification& result) {
  std::string where = "an output";
  if (result.first_op >= 0) {
    where = format("op %d, ", result.first_op) + model.op(result.first_op).code + " " + result.first_op_name;
  }
  throw Failure(path, "this machine does not compute what the compiling one did; the first difference is " +
                          where + " (" + hex(result.actual) + " instead of " + hex(result.expected) +
                          format("), %d of %d ops differ", result.ops_different, result.ops_compared));
}

int run_verify(const VerifyFlags& flags) {
  Model model = open_plan(flags.plan);
  if (model.info().has_golden == 0) {
    throw Failure(flags.plan,
                  "carries no golden hashes: floating-point results differ between processors; compile with "
                  "--precision int8 to have them");
  }
  Session session = open_session(model, flags.threads, flags.plan);
  Expected<bantam_verification> result = session.verify();
  require(result.outcome(), flags.plan);
  if (flags.json) print_json(*result);
  if (result->matches == 0) report_difference(flags.plan, model, *result);
  if (!flags.json) {
    std::printf(
        "%s: this machine computes the same bits as the compiling one (%d of %d ops, %d of %d outputs "
        "compared)\n",
        flags.plan.c_str(), result->ops_compared, model.info().op_count, result->outputs_compared,
        model.info().output_count);
  }
  return 0;
}

}  // namespace

void add_verify(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<VerifyFlags>();
  CLI::App* command =
      app.add_subcommand("verify", "Check that this machine computes a plan's golden results, bit for bit");
  command->add_option("plan", flags->plan, "M.bantam")->required();
  command->add_option("--threads", flags->threads, "Threads of one run (default 1)")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--json", flags->json, "Print one JSON object");
  command->callback([flags, &chosen] { chosen = [flags] { return run_verify(*flags); }; });
}

}  // namespace bantam::tools
