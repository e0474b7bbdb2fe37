#include <algorithm>

#include "support.h"

namespace bantam::test {
namespace {

using plan::DType;

constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat16, DType::kInt8, DType::kInt64, DType::kBool};

int32_t stride_of(const Dims& dims, int32_t gap) { return dims.size() > 1 ? dims.back() + gap : 0; }

// Checks an op of one input for all types, dense and as views; `source` says which element of x an index of y
// holds, an empty one: `other`.
template <typename Attributes, typename Source>
void check_move(plan::OpCode code, const Dims& in, const Dims& out, const Attributes& attributes,
                const Source& source, double other = 0) {
  for (const DType dtype : kTypes) {
    for (const int32_t gap : {0, 3}) {
      CAPTURE(plan::EnumNameDType(dtype), in, out, gap);
      Tensor x(dtype, in, {}, 0, stride_of(in, gap)), y(dtype, out, {}, 0, stride_of(out, 2 * gap));
      fill_uniform(x, 1, 0, 100);
      OneOp op = make_op(code, {&x}, y, Attributes(attributes));
      const std::vector<double> values = doubles(x);
      std::vector<double> expected(static_cast<size_t>(y.info.elements));
      for_each_index(out, [&](const Index& i, size_t at) {
        const Index from = source(i);
        expected[at] = from.empty() && !in.empty() ? other : broadcast_at(values, in, from);
      });
      check_op(op, expected, {0, 0});
    }
  }
}

TEST_CASE("Transpose") {
  const std::pair<Dims, Dims> cases[] = {{{5, 7}, {1, 0}},
                                         {{2, 9, 11, 3}, {0, 3, 1, 2}},
                                         {{2, 3, 9, 11}, {0, 2, 3, 1}},
                                         {{1, 4, 1, 6}, {3, 2, 1, 0}},
                                         {{3, 4, 5}, {0, 1, 2}},
                                         {{2, 3, 4, 5, 6}, {4, 3, 2, 1, 0}},
                                         {{2, 3, 2, 3, 2, 3, 2}, {6, 5, 4, 3, 2, 1, 0}},
                                         {{4, 4, 2, 2, 3}, {0, 3, 1, 4, 2}},
                                         {{2, 2, 2, 2, 2, 2, 2, 2}, {1, 0, 3, 2, 5, 4, 7, 6}},
                                         {{1, 1, 1}, {2, 0, 1}},
                                         {{5, 2, 58}, {0, 2, 1}},
                                         {{4, 131}, {1, 0}},
                                         {{1, 3, 67, 5}, {0, 2, 3, 1}}};
  for (const auto& [dims, perm] : cases) {
    Dims out;
    for (const int32_t axis : perm) out.push_back(dims[static_cast<size_t>(axis)]);
    plan::TransposeT attributes;
    attributes.perm = perm;
    check_move(plan::OpCode::kTranspose, dims, out, attributes, [&](const Index& i) {
      Index from(i.size());
      for (size_t k = 0; k < i.size(); ++k) from[static_cast<size_t>(perm[k])] = i[k];
      return from;
    });
  }
}

TEST_CASE("Slice") {
  struct Case {
    Dims x, starts, steps, y;
  };
  for (const Case& c : {Case{{10}, {2}, {3}, {3}}, Case{{10}, {9}, {-2}, {5}},
                        Case{{4, 6, 8}, {1, 0, 4}, {1, 1, 1}, {3, 6, 4}},
                        Case{{2, 5, 5, 12}, {0, 4, 1, 6}, {1, -1, 2, 1}, {2, 5, 2, 6}},
                        Case{{3, 4}, {0, 0}, {1, 1}, {3, 4}}}) {
    plan::SliceT attributes;
    attributes.starts = c.starts;
    attributes.steps = c.steps;
    check_move(plan::OpCode::kSlice, c.x, c.y, attributes, [&](const Index& i) {
      Index from = i;
      for (size_t k = 0; k < i.size(); ++k) from[k] = c.starts[k] + i[k] * c.steps[k];
      return from;
    });
  }
}

TEST_CASE("Pad") {
  struct Case {
    Dims x, before, after;
  };
  for (const Case& c : {Case{{6}, {2}, {3}}, Case{{2, 4, 5, 3}, {0, 1, 2, 0}, {0, 2, 1, 0}},
                        Case{{5, 6}, {-1, 2}, {2, -3}}, Case{{3, 2, 4}, {1, 0, 3}, {2, 1, 3}}}) {
    Dims out = c.x;
    for (size_t k = 0; k < out.size(); ++k) out[k] += c.before[k] + c.after[k];
    for (const plan::PadMode mode : plan::EnumValuesPadMode()) {
      CAPTURE(plan::EnumNamePadMode(mode));
      plan::PadT attributes;
      attributes.mode = mode;
      attributes.before = c.before;
      attributes.after = c.after;
      attributes.value = 1;
      check_move(
          plan::OpCode::kPad, c.x, out, attributes,
          [&](const Index& i) {
            Index from = i;
            for (size_t k = 0; k < i.size(); ++k) {
              int32_t& at = from[k];
              at -= c.before[k];
              const int32_t last = c.x[k] - 1;
              if (mode == plan::PadMode::kConstant && (at < 0 || at > last)) return Index();
              if (mode == plan::PadMode::kEdge) at = std::clamp(at, 0, last);
              if (mode == plan::PadMode::kWrap) at = ((at % (last + 1)) + last + 1) % (last + 1);
              while (mode == plan::PadMode::kReflect && (at < 0 || at > last))
                at = at < 0 ? -at : 2 * last - at;
            }
            return from;
          },
          1);
    }
  }
}

TEST_CASE("Pad int8 with the quantized value") {
  Tensor x = int8_tensor({2}, 0.5f, 3), y = int8_tensor({4}, 0.5f, 3);
  set(x, {7, 8});
  plan::PadT attributes;
  attributes.before = {1};
  attributes.after = {1};
  attributes.value = -2;
  OneOp op = make_op(plan::OpCode::kPad, {&x}, y, attributes);
  check_op(op, {-1, 7, 8, -1});
}

TEST_CASE("Tile and Expand") {
  struct Case {
    Dims x, y;
  };
  for (const Case& c : {Case{{3}, {9}}, Case{{2, 3, 4}, {4, 3, 12}}, Case{{1, 2, 1, 5}, {3, 4, 2, 5}},
                        Case{{2, 1, 2, 1, 2, 1, 2, 1}, {4, 2, 2, 3, 2, 2, 4, 2}}}) {
    check_move(plan::OpCode::kTile, c.x, c.y, plan::SoftmaxT(), [&](const Index& i) {
      Index from = i;
      for (size_t k = 0; k < i.size(); ++k) from[k] %= c.x[k];
      return from;
    });
  }
  for (const Case& c :
       {Case{{}, {4, 5}}, Case{{5}, {4, 5}}, Case{{4, 1}, {4, 5}}, Case{{2, 1, 3}, {3, 2, 4, 3}}}) {
    check_move(plan::OpCode::kExpand, c.x, c.y, plan::SoftmaxT(), [&](const Index& i) { return i; });
  }
}

TEST_CASE("Copy and Reshape") {
  check_move(plan::OpCode::kCopy, {2, 3, 5}, {2, 3, 5}, plan::SoftmaxT(), [](const Index& i) { return i; });
  Tensor x(DType::kInt64, {2, 6}), y(DType::kInt64, {3, 4});
  fill_uniform(x, 1, -100, 100);
  OneOp op(plan::OpCode::kReshape, {&x}, {&y});
  check_op(op, doubles(x));
  for (const auto& [in_gap, out_gap] : {std::pair{3, 0}, {0, 5}, {2, 4}}) {  // rows stay rows
    Tensor a = floats({2, 3, 4}, 4 + in_gap), b = floats({6, 4}, 4 + out_gap);
    fill_uniform(a, 2);
    OneOp rows(plan::OpCode::kReshape, {&a}, {&b});
    check_op(rows, doubles(a), {0, 0});
  }
  Tensor gaps = floats({2, 6}, 7), other = floats({3, 4});
  OneOp dense_rows(plan::OpCode::kReshape, {&gaps}, {&other});
  fill_uniform(gaps, 3);
  check_op(dense_rows, doubles(gaps), {0, 0});
  Tensor other_gaps = floats({3, 4}, 6);
  OneOp refused(plan::OpCode::kReshape, {&gaps}, {&other_gaps});
  check_refused(refused);
}

TEST_CASE("Concat") {
  for (const auto& [dims, axis] :
       {std::pair<Dims, int32_t>{{2, 3, 5}, 2}, {{2, 3, 5}, 0}, {{2, 3, 5}, -2}, {{4}, 0}}) {
    for (const DType dtype : kTypes) {
      const auto k = static_cast<size_t>(axis < 0 ? axis + static_cast<int32_t>(dims.size()) : axis);
      Dims second = dims, third = dims, out = dims;
      second[k] = 1;
      third[k] = 4;
      out[k] += 5;
      Tensor a(dtype, dims, {}, 0, stride_of(dims, 2)), b(dtype, second), c(dtype, third), y(dtype, out);
      fill_uniform(a, 1, 0, 100);
      fill_uniform(b, 2, 0, 100);
      fill_uniform(c, 3, 0, 100);
      plan::ConcatT attributes;
      attributes.axis = axis;
      OneOp op = make_op(plan::OpCode::kConcat, {&a, &b, &c}, y, attributes);
      const auto va = doubles(a), vb = doubles(b), vc = doubles(c);
      std::vector<double> expected(static_cast<size_t>(y.info.elements));
      for_each_index(out, [&](const Index& i, size_t at) {
        Index from = i;
        if (i[k] < dims[k]) {
          expected[at] = broadcast_at(va, dims, from);
        } else if (from[k] -= dims[k]; from[k] < 1) {
          expected[at] = broadcast_at(vb, second, from);
        } else {
          --from[k];
          expected[at] = broadcast_at(vc, third, from);
        }
      });
      check_op(op, expected, {0, 0});
    }
  }
}

TEST_CASE("Gather") {
  for (const DType index_type : {DType::kInt64, DType::kInt32}) {
    Tensor x = floats({3, 4, 5}), indices(index_type, {2, 3}), y = floats({3, 2, 3, 5});
    fill_uniform(x, 1);
    set(indices, {0, -1, 2, 3, -4, 1});
    plan::GatherT attributes;
    attributes.axis = -2;
    OneOp op = make_op(plan::OpCode::kGather, {&x, &indices}, y, attributes);
    const auto values = doubles(x), picks = doubles(indices);
    std::vector<double> expected(static_cast<size_t>(y.info.elements));
    for_each_index({3, 2, 3, 5}, [&](const Index& i, size_t at) {
      const auto pick = static_cast<int32_t>(picks[static_cast<size_t>(i[1] * 3 + i[2])]);
      expected[at] = broadcast_at(values, {3, 4, 5}, {i[0], pick < 0 ? pick + 4 : pick, i[3]});
    });
    check_op(op, expected, {0, 0});
    for (const double bad : {4.0, -5.0, 2147483647.0}) {
      set(indices, {0, bad, 2, 3, 1, 1});
      CHECK(op.run(kernels::kernel_table().create).code() == StatusCode::kInvalidArgument);
    }
  }
}

TEST_CASE("GatherElements") {
  for (const int32_t axis : {0, 1, -1}) {
    Tensor x(DType::kInt8, {4, 4, 4}, {}, 0, 6), indices(DType::kInt64, {3, 4, 2}),
        y(DType::kInt8, {3, 4, 2});
    fill_uniform(x, 1, -100, 100);
    fill_uniform(indices, 2, -4, 4);
    plan::GatherT attributes;
    attributes.axis = axis;
    attributes.elements = true;
    OneOp op = make_op(plan::OpCode::kGather, {&x, &indices}, y, attributes);
    const auto values = doubles(x), picks = doubles(indices);
    std::vector<double> expected(static_cast<size_t>(y.info.elements));
    for_each_index({3, 4, 2}, [&](const Index& i, size_t at) {
      Index from = i;
      const auto pick = static_cast<int32_t>(picks[at]);
      from[static_cast<size_t>(axis < 0 ? axis + 3 : axis)] = pick < 0 ? pick + 4 : pick;
      expected[at] = broadcast_at(values, {4, 4, 4}, from);
    });
    check_op(op, expected);
    indices.data<int64_t>()[5] = 4;
    CHECK(op.run(kernels::kernel_table().create).code() == StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace bantam::test
