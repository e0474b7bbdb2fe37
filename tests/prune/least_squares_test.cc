#include "prune/least_squares.h"

#include <catch2/catch_test_macros.hpp>
#include <random>

namespace bantam::compiler {
namespace {

RowMatrix noise(Eigen::Index rows, Eigen::Index columns, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  RowMatrix matrix(rows, columns);
  for (Eigen::Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = normal(random);
  return matrix;
}

TEST_CASE("a linear relation is found, its bias too") {
  const RowMatrix x = noise(400, 6, 1);
  const RowMatrix w = noise(3, 6, 2);
  const Eigen::RowVectorXf bias = Eigen::RowVectorXf::Constant(3, 0.5f);
  const RowMatrix y = (x * w.transpose()).rowwise() + bias;
  const Correction c = solve_correction(x, y, 4);
  REQUIRE(c.weights.size() == w.size());
  CHECK((c.weights - w).cwiseAbs().maxCoeff() < 0.01f);
  CHECK((c.bias.transpose() - bias).cwiseAbs().maxCoeff() < 0.01f);
  CHECK(c.after < 1e-4 * c.before);
}

TEST_CASE("what has nothing to do with the inputs leaves the weights as they are") {
  const Correction c = solve_correction(noise(200, 150, 3), noise(200, 4, 4), 2);
  CHECK(c.weights.size() == 0);
  CHECK(c.bias.size() == 4);
}

TEST_CASE("fewer rows than unknowns are solved, too") {
  const RowMatrix basis = noise(3, 80, 5);
  const RowMatrix x = noise(40, 3, 6) * basis;  // inputs of three dimensions among 80
  const RowMatrix y = x * noise(2, 80, 7).transpose();
  const Correction c = solve_correction(x, y, 1);
  REQUIRE(c.weights.size() == 2 * 80);
  CHECK(c.after < 0.01 * c.before);
  const RowMatrix left = (y - x * c.weights.transpose()).rowwise() - c.bias.transpose();
  CHECK(left.squaredNorm() < 0.01f * y.squaredNorm());
}

TEST_CASE("one sample gives a bias and nothing else") {
  const Correction c = solve_correction(noise(1, 5, 8), noise(1, 2, 9), 1);
  CHECK(c.weights.size() == 0);
  CHECK(c.bias.allFinite());
}

TEST_CASE("inputs that are all equal are no reason to fail") {
  const Correction c = solve_correction(RowMatrix::Constant(40, 5, 2.0f), noise(40, 2, 10), 2);
  CHECK(c.weights.size() == 0);
  CHECK(c.bias.allFinite());
}

TEST_CASE("scales are found channel by channel") {
  const RowMatrix x = noise(400, 3, 11);
  RowMatrix y = x;
  y.col(0) *= 0.5f;
  y.col(2) *= -0.25f;
  y.col(1).setConstant(1.0f);
  const Correction c = solve_scales(x, y, 4);
  REQUIRE(c.weights.cols() == 3);
  CHECK(std::abs(c.weights(0, 0) - 0.5f) < 0.1f);
  CHECK(std::abs(c.weights(0, 1)) < 0.1f);
  CHECK(std::abs(c.weights(0, 2) + 0.25f) < 0.1f);
  CHECK(std::abs(c.bias[1] - 1.0f) < 0.05f);
}

}  // namespace
}  // namespace bantam::compiler
