// What the program says of the digits network, as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "fixture.h"

namespace bantam::tools {

using Json = nlohmann::json;

using Arguments = std::vector<std::string>;

const inline Arguments kCalibration = {"--calibrate", kDigits + "/calib"};

inline Json json_of(const Arguments& arguments) {
  Ended ended = run_program(arguments + Arguments{"--json"});
  INFO(ended.err);
  REQUIRE(ended.status == 0);
  return Json::parse(ended.out);
}

inline double top1(const std::string& model, const Arguments& more = {}) {
  const Arguments data = {"--inputs", kDigits + "/test", "--labels", kDigits + "/test/labels.csv"};
  return json_of(Arguments{"eval", model} + data + more)["top1"].get<double>();
}

}  // namespace bantam::tools
