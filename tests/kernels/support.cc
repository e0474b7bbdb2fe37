#include "support.h"

#include <cmath>

#include "float16.h"

namespace bantam::test {
namespace {

using plan::DType;

double read(const uint8_t* at, DType dtype) {
  const auto as = [&](auto value) {
    std::memcpy(&value, at, sizeof(value));
    return static_cast<double>(value);
  };
  switch (dtype) {
    case DType::kFloat32:
      return as(float{});
    case DType::kInt8:
      return as(int8_t{});
    case DType::kInt32:
      return as(int32_t{});
    case DType::kInt64:
      return as(int64_t{});
    case DType::kFloat16: {
      uint16_t half;
      std::memcpy(&half, at, sizeof(half));
      return kernels::half_to_float(half);
    }
    default:
      return as(uint8_t{});
  }
}

void write(uint8_t* at, DType dtype, double value) {
  const auto as = [&](auto converted) { std::memcpy(at, &converted, sizeof(converted)); };
  switch (dtype) {
    case DType::kFloat32:
      return as(static_cast<float>(value));
    case DType::kInt8:
      return as(static_cast<int8_t>(value));
    case DType::kInt32:
      return as(static_cast<int32_t>(value));
    case DType::kInt64:
      return as(static_cast<int64_t>(value));
    case DType::kFloat16:
      return as(kernels::float_to_half(static_cast<float>(value)));
    default:
      return as(static_cast<uint8_t>(value));
  }
}

size_t position(const Tensor& tensor, size_t i) {
  const auto row = static_cast<size_t>(tensor.info.rank == 0 ? 1 : tensor.info.dims[tensor.info.rank - 1]);
  const size_t element = i / row * static_cast<size_t>(tensor.info.pixel_stride) + i % row;
  return element * element_size(tensor.info.dtype);
}

bool close(double got, double expected, const Tolerance& tolerance) {
  if (std::isnan(expected)) return std::isnan(got);
  if (std::isinf(expected)) return got == expected;
  return std::abs(got - expected) <= tolerance.absolute + tolerance.relative * std::abs(expected);
}

}  // namespace

std::vector<double> doubles(const Tensor& tensor) {
  std::vector<double> out(static_cast<size_t>(tensor.info.elements));
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = read(tensor.bytes.data() + position(tensor, i), tensor.info.dtype);
  return out;
}

void set(Tensor& tensor, const std::vector<double>& values) {
  REQUIRE(values.size() == static_cast<size_t>(tensor.info.elements));
  randomize(tensor, 99);
  for (size_t i = 0; i < values.size(); ++i) {
    write(tensor.bytes.data() + position(tensor, i), tensor.info.dtype, values[i]);
  }
}

void fill_uniform(Tensor& tensor, uint32_t seed, double low, double high) {
  std::mt19937 random(seed);
  std::vector<double> values(static_cast<size_t>(tensor.info.elements));
  const bool real = tensor.info.dtype == DType::kFloat32 || tensor.info.dtype == DType::kFloat16;
  for (double& value : values) {
    value = low + (high - low) * static_cast<double>(random() % 65536) / 65536.0;
    if (!real) value = std::floor(value);
  }
  set(tensor, values);
}

int64_t count(const Dims& dims) {
  int64_t product = 1;
  for (const int32_t dim : dims) product *= dim;
  return product;
}

void for_each_index(const Dims& dims, const std::function<void(const Index&, size_t)>& body) {
  Index index(dims.size(), 0);
  const auto total = static_cast<size_t>(count(dims));
  for (size_t i = 0; i < total; ++i) {
    body(index, i);
    for (size_t axis = dims.size(); axis-- > 0;) {
      if (++index[axis] < dims[axis]) break;
      index[axis] = 0;
    }
  }
}

double broadcast_at(const std::vector<double>& values, const Dims& dims, const Index& index) {
  size_t at = 0;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    const int32_t i = index[index.size() - dims.size() + axis];
    at = at * static_cast<size_t>(dims[axis]) + static_cast<size_t>(dims[axis] == 1 ? 0 : i);
  }
  return values[at];
}

namespace {

// One pool for all tests: making threads takes longer than most of them.
ThreadPool* three_threads() {
  static const std::unique_ptr<ThreadPool, void (*)(ThreadPool*)> pool = [] {
    ThreadPool* threads = nullptr;
    static_cast<void>(kernels::kernel_table().create_threads(3, &threads).ok());
    return std::unique_ptr<ThreadPool, void (*)(ThreadPool*)>(threads,
                                                              kernels::kernel_table().destroy_threads);
  }();
  return pool.get();
}

void check_once(OneOp& op, const std::vector<double>& expected, const Tolerance& tolerance,
                ThreadPool* threads) {
  const Status status = op.run(kernels::kernel_table().create, threads);
  INFO(target_name() << (threads == nullptr ? ", " : ", 3 threads, ") << status.where() << ": "
                     << status.what());
  REQUIRE(status.ok());
  const std::vector<double> got = doubles(*op.outputs[0]);
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    if (close(got[i], expected[i], tolerance)) continue;
    FAIL("element " << i << " of " << got.size() << " is " << got[i] << ", not " << expected[i]);
  }
}

}  // namespace

void check_op(OneOp& op, const std::vector<double>& expected, const Tolerance& tolerance) {
  const DType dtype = op.outputs[0]->info.dtype;
  const bool real = dtype == DType::kFloat32 || dtype == DType::kFloat16;
  const Tolerance used = real ? tolerance : Tolerance{0, 0};
  for_each_target([&] { check_once(op, expected, used, nullptr); });
  check_once(op, expected, used, three_threads());
}

void check_refused(OneOp& op) {
  const Status status = op.run(kernels::kernel_table().create);
  CHECK(status.code() == StatusCode::kUnsupported);
}

}  // namespace bantam::test
