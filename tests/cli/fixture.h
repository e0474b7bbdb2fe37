#pragma once

#include <catch2/catch_test_macros.hpp>
#include <span>
#include <string>
#include <vector>

#include "data/npy.h"
#include "program.h"
#include "temporary_directory.h"

namespace bantam::tools {

inline const std::string kDigits = BANTAM_EXAMPLES "/digits";
inline const std::string kOnnx = kDigits + "/digits.onnx";
inline const std::vector<std::string> kImageFlags = {"--image", "gray", "--mean", "78.7", "--std", "88.9"};

inline std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

template <typename T>
std::string save_npy(const TemporaryDirectory& dir, const std::string& name, plan::DType dtype,
                     const std::vector<int64_t>& shape, const std::vector<T>& values) {
  NpyWriter writer(dir.file(name), dtype, shape);
  writer.append(std::as_bytes(std::span(values)));
  writer.commit();
  return dir.file(name);
}

// The digits network as a plan that takes images.
inline std::string compile_digits(const TemporaryDirectory& dir, const std::string& precision) {
  std::string plan = dir.file(precision + ".bantam");
  std::vector<std::string> arguments = {"compile", kOnnx, "-o", plan, "--precision", precision};
  if (precision == "int8")
    arguments = arguments + std::vector<std::string>{"--calibrate", kDigits + "/calib"};
  Ended ended = run_program(arguments + kImageFlags);
  INFO(ended.err);
  REQUIRE(ended.status == 0);
  return plan;
}

}  // namespace bantam::tools
