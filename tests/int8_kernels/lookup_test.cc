#include "int8/int8_kernels.h"
#include "one_op.h"

namespace bantam::test {
namespace {

TEST_CASE("lookup") {
  for (const int32_t count : {1, 15, 16, 63, 64, 65, 127, 257, 1000, 70000}) {
    Tensor x = int8_tensor({count}), y = int8_tensor({count}), table = int8_tensor({256});
    randomize(x, 1);
    randomize(table.constant(), 2);
    for (int32_t i = 0; i < count && i < 256; ++i) x.data<int8_t>()[i] = static_cast<int8_t>(i);
    OneOp op(plan::OpCode::kLookup, {&x, &table}, {&y});
    std::vector<int8_t> expected;
    for (int8_t v : x.values<int8_t>()) expected.push_back(table.data<int8_t>()[v + 128]);
    check_everywhere(op, kernels::create_lookup, expected);
  }
}

TEST_CASE("lookup of views") {
  Tensor x = int8_tensor({2, 3, 5, 24}, 1.0f, 0, 40), y = int8_tensor({2, 3, 5, 24}, 1.0f, 0, 33);
  Tensor table = int8_tensor({256});
  randomize(x, 3);
  randomize(table.constant(), 4);
  OneOp op(plan::OpCode::kLookup, {&x, &table}, {&y});
  std::vector<int8_t> expected;
  for (int8_t v : x.values<int8_t>()) expected.push_back(table.data<int8_t>()[v + 128]);
  check_everywhere(op, kernels::create_lookup, expected);
}

TEST_CASE("lookup refuses a table that is not constant or of another size") {
  Tensor x = int8_tensor({8}), y = int8_tensor({8}), table = int8_tensor({256}), small = int8_tensor({255});
  OneOp op(plan::OpCode::kLookup, {&x, &table}, {&y});
  CHECK(op.run(kernels::create_lookup).code() == StatusCode::kUnsupported);
  op.inputs[1] = &small.constant();
  CHECK(op.run(kernels::create_lookup).code() == StatusCode::kUnsupported);
}

}  // namespace
}  // namespace bantam::test
