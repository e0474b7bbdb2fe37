// Writes the seeds of the fuzz targets: fuzz_seeds FOLDER PNG
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb_image_write.h>

#include "bantam/compiler/compiler.h"
#include "data/npy.h"
#include "engine/plan_runner.h"
#include "op_case.h"

namespace bantam::tests {
namespace {

namespace fs = std::filesystem;
const ints kSame = {1, 1, 1, 1};

// Between them every family of ops, small enough to be run thousands of times a second.
const OpCases kModels = {
    {"classifier",
     17,
     {{"x", {1, 3, 6, 6}}},
     {weights("w", {4, 3, 3, 3}), weights("b", {4}), weights("d", {4, 1, 3, 3}), weights("f", {16, 3})},
     {{"Conv", {"x", "w", "b"}, {{"pads", kSame}, {"strides", ints{2, 2}}}, {"c"}},
      {"Relu", {"c"}, {}, {"r"}},
      {"Conv", {"r", "d"}, {{"group", 4}, {"pads", kSame}}, {"e"}},
      {"Add", {"e", "r"}, {}, {"s"}},
      {"MaxPool", {"s"}, {{"kernel_shape", ints{2, 2}}}, {"p"}},
      {"Flatten", {"p"}, {}, {"flat"}},
      {"Gemm", {"flat", "f"}, {}, {"g"}},
      {"Softmax", {"g"}}}},
    {"branches",
     17,
     {{"x", {1, 4, 4, 4}}},
     {weights("w", {2, 2, 1, 1}), weights("v", {2, 2, 3, 3})},
     {{"Split", {"x"}, {{"axis", 1}}, {"a", "b"}},
      {"Conv", {"a", "w"}, {}, {"c"}},
      {"Conv", {"b", "v"}, {{"pads", kSame}}, {"d"}},
      {"Concat", {"c", "d"}, {{"axis", 1}}, {"j"}},
      {"Sigmoid", {"j"}, {}, {"s"}},
      {"Mul", {"j", "s"}, {}, {"m"}},
      {"GlobalAveragePool", {"m"}}}},
    {"attention",
     17,
     {{"x", {1, 4, 6}}},
     {weights("q", {6, 6}), weights("s", {6}), weights("o", {6})},
     {{"MatMul", {"x", "q"}, {}, {"a"}},
      {"Transpose", {"a"}, {{"perm", ints{0, 2, 1}}}, {"t"}},
      {"MatMul", {"x", "t"}, {}, {"m"}},
      {"Softmax", {"m"}, {}, {"p"}},
      {"MatMul", {"p", "x"}, {}, {"v"}},
      {"LayerNormalization", {"v", "s", "o"}}}},
    {"upsampling",
     17,
     {{"x", {1, 2, 3, 4}}},
     {weights("w", {2, 3, 2, 2}), {"scales", {4}, floats{1, 1, 2, 1.5f}}},
     {{"ConvTranspose", {"x", "w"}, {{"strides", ints{2, 2}}}, {"t"}},
      {"Resize", {"t", "", "scales"}, {{"mode", "linear"}}, {"r"}},
      {"AveragePool", {"r"}, {{"kernel_shape", ints{3, 3}}, {"pads", kSame}}}}},
    {"movement",
     17,
     {{"x", {2, 3, 4}}},
     {{"starts", ints{1}},
      {"ends", ints{3}},
      {"axes", ints{1}},
      {"pads", ints{0, 1, 0, 0, 1, 2}},
      {"i", ints{2, 0}},
      {"repeats", ints{1, 2, 1}}},
     {{"Slice", {"x", "starts", "ends", "axes"}, {}, {"s"}},
      {"Pad", {"s", "pads"}, {{"mode", "edge"}}, {"p"}},
      {"Gather", {"p", "i"}, {{"axis", 1}}, {"g"}},
      {"Tile", {"g", "repeats"}, {}, {"t"}},
      {"ReduceMean", {"t"}, {{"axes", ints{-1}}}}}},
    {"choices",
     17,
     {{"x", {2, 5}}, {"z", {5}}},
     {weights("k", {5})},
     {{"Greater", {"x", "k"}, {}, {"c"}},
      {"Where", {"c", "x", "z"}, {}, {"w"}},
      {"Pow", {"w", "w"}, {}, {"p"}},
      {"ArgMax", {"w"}, {{"axis", 1}}, {"a"}},
      {"Cast", {"a"}, {{"to", 1}}}}},
    {"instances",
     17,
     {{"x", {1, 2, 3, 3}}},
     {weights("s", {2}), weights("b", {2}), weights("slope", {2, 1, 1})},
     {{"InstanceNormalization", {"x", "s", "b"}, {}, {"n"}},
      {"PRelu", {"n", "slope"}, {}, {"p"}},
      {"LogSoftmax", {"p"}, {{"axis", 1}}}}},
};

constexpr auto kU8 = onnx::TensorProto::UINT8;
constexpr auto kS8 = onnx::TensorProto::INT8;
const std::vector<Constant> kScales = {number("s", 0.02f), integers("z", {}, {110}, kU8), number("ws", 0.01f),
                                       integers("wz", {}, {0}, kS8)};

// Models that are quantized already.
const OpCases kQuantized = {
    {"pairs",
     13,
     {{"x", {1, 2, 4, 4}}},
     {kScales[0],
      kScales[1],
      integers("w", {2, 2, 1, 1}, {100, -128, 3, 7}, kS8),
      {"ws", {2}, floats{0.01f, 0.02f}},
      integers("wz", {2}, {0, 0}, kS8)},
     {{"QuantizeLinear", {"x", "s", "z"}, {}, {"xq"}},
      {"DequantizeLinear", {"xq", "s", "z"}, {}, {"xd"}},
      {"DequantizeLinear", {"w", "ws", "wz"}, {{"axis", 0}}, {"wd"}},
      {"Conv", {"xd", "wd"}, {}, {"c"}},
      {"Relu", {"c"}, {}, {"r"}},
      {"QuantizeLinear", {"r", "s", "z"}, {}, {"rq"}},
      {"DequantizeLinear", {"rq", "s", "z"}, {}, {"rd"}},
      {"Add", {"rd", "xd"}, {}, {"a"}},
      {"QuantizeLinear", {"a", "s", "z"}, {}, {"aq"}},
      {"DequantizeLinear", {"aq", "s", "z"}}}},
    {"integers",
     13,
     {bytes_input("x", {1, 2, 4, 4})},
     {kScales[0], kScales[1], kScales[2], kScales[3], integers("w", {2, 2, 1, 1}, {100, -5, 3, 7}, kS8),
      integers("b", {2}, {1000, -70}, onnx::TensorProto::INT32),
      integers("m", {2, 3}, {1, 2, 3, 4, 5, 6}, kS8)},
     {{"QLinearConv", {"x", "s", "z", "w", "ws", "wz", "s", "z", "b"}, {}, {"c"}},
      {"com.microsoft:QLinearAdd", {"c", "s", "z", "x", "s", "z", "s", "z"}, {}, {"a"}},
      {"MaxPool", {"a"}, {{"kernel_shape", ints{2, 2}}}, {"p"}},
      {"com.microsoft:QLinearGlobalAveragePool", {"p", "s", "z", "s", "z"}, {}, {"g"}},
      {"Flatten", {"g"}, {}, {"f"}},
      {"QLinearMatMul", {"f", "s", "z", "m", "ws", "wz", "s", "z"}}}},
    {"dynamic",
     13,
     {{"x", {2, 3}}},
     {integers("w", {3, 2}, {100, -5, 3, 7, 8, 9}, kS8), number("ws", 0.01f)},
     {{"DynamicQuantizeLinear", {"x"}, {}, {"q", "s", "z"}},
      {"MatMulInteger", {"q", "w", "z"}, {}, {"m"}},
      {"Cast", {"m"}, {{"to", 1}}, {"c"}},
      {"Mul", {"s", "ws"}, {}, {"scale"}},
      {"Mul", {"c", "scale"}}}},
};

void write(const fs::path& path, const void* data, size_t size) {
  std::ofstream file(path, std::ios::binary);
  file.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
}

compiler::SampleSource random_samples(const OpCase& it, bool image) {
  compiler::SampleSource source;
  source.count = 2;
  source.load = [&it, image](int index) {
    std::mt19937 random(static_cast<uint32_t>(index));
    std::vector<compiler::TensorData> tensors;
    for (const Input& input : it.inputs) {
      compiler::TensorData data;
      data.shape = input.shape;
      int64_t count = 1;
      for (int64_t dim : input.shape) count *= dim;
      if (image) {
        data.dtype = plan::DType::kUInt8;
        data.shape = {input.shape[0], input.shape[2], input.shape[3], input.shape[1]};
        for (int64_t i = 0; i < count; ++i) data.bytes.push_back(static_cast<std::byte>(random()));
      } else {
        data.bytes.resize(static_cast<size_t>(count) * sizeof(float));
        for (int64_t i = 0; i < count; ++i) {
          const float value = static_cast<float>(random()) / 4294967296.0f;
          std::memcpy(data.bytes.data() + i * static_cast<int64_t>(sizeof(float)), &value, sizeof(value));
        }
      }
      tensors.push_back(std::move(data));
    }
    return tensors;
  };
  return source;
}

fs::path write_onnx(const fs::path& folder, const OpCase& it) {
  const fs::path onnx = folder / "onnx" / it.name;
  const std::string bytes = build_model(it).SerializeAsString();
  write(onnx, bytes.data(), bytes.size());
  return onnx;
}

void write_quantized(const fs::path& folder) {
  for (const OpCase& it : kQuantized) {
    const fs::path onnx = write_onnx(folder, it);
    const auto plan = compiler::compile(onnx.string(), {}, tools::plan_runner_factory()).plan;
    write(folder / "plan" / (it.name + ".as_model"), plan.data(), plan.size());
  }
}

// With most of its weights zero and not stored.
void write_sparse(const fs::path& path, const fs::path& onnx, compiler::CompileOptions options) {
  options.sparsity = compiler::SparsityOptions{0.8, compiler::SparsityCriterion::kMagnitude};
  const auto plan = compiler::compile(onnx.string(), options, tools::plan_runner_factory()).plan;
  write(path, plan.data(), plan.size());
}

void write_models(const fs::path& folder) {
  for (const OpCase& it : kModels) {
    const fs::path onnx = write_onnx(folder, it);
    const bool image = it.name == "classifier";
    compiler::CompileOptions options;
    for (const char* precision : {"fp32", "fp16", "int8"}) {
      options.precision = precision == std::string("int8")   ? compiler::Precision::kInt8
                          : precision == std::string("fp16") ? compiler::Precision::kFp16
                                                             : compiler::Precision::kFp32;
      if (options.precision == compiler::Precision::kInt8) {
        if (image) options.image = compiler::ImageOptions{.mean = {10, 20, 30}, .std = {100, 110, 120}};
        options.calibration = random_samples(it, image);
      }
      const auto plan = compiler::compile(onnx.string(), options, tools::plan_runner_factory()).plan;
      write(folder / "plan" / (it.name + "." + precision), plan.data(), plan.size());
      if (it.name == "classifier")
        write_sparse(folder / "plan" / ("sparse." + std::string(precision)), onnx, options);
    }
  }
}

void write_arrays(const fs::path& folder) {
  const plan::DType dtypes[] = {plan::DType::kFloat32, plan::DType::kUInt8, plan::DType::kInt64,
                                plan::DType::kBool};
  for (plan::DType dtype : dtypes) {
    const int64_t shape[] = {3, 2, 2};
    tools::NpyWriter writer((folder / (std::string(tools::dtype_name(dtype)) + ".npy")).string(), dtype,
                            shape);
    const std::vector<std::byte> bytes(12 * tools::element_size(dtype), std::byte{1});
    writer.append(bytes);
    writer.commit();
  }
}

void write_images(const fs::path& folder, const fs::path& png) {
  fs::copy_file(png, folder / "gray.png", fs::copy_options::overwrite_existing);
  constexpr int kSide = 19;
  std::mt19937 random(1);
  std::vector<uint8_t> pixels(kSide * kSide * 4);
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(random() % 64);
  for (int channels = 1; channels <= 4; ++channels) {
    std::string bytes;
    const auto append = [](void* out, void* data, int size) {
      static_cast<std::string*>(out)->append(static_cast<const char*>(data), static_cast<size_t>(size));
    };
    stbi_write_png_to_func(append, &bytes, kSide, kSide, channels, pixels.data(), 0);
    write(folder / (std::to_string(channels) + ".png"), bytes.data(), bytes.size());
    bytes.clear();
    stbi_write_jpg_to_func(append, &bytes, kSide, kSide, channels, pixels.data(), channels == 3 ? 95 : 60);
    write(folder / (std::to_string(channels) + ".jpg"), bytes.data(), bytes.size());
  }
}

}  // namespace
}  // namespace bantam::tests

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::filesystem::path folder = argv[1];
  for (const char* name : {"plan", "onnx", "npy", "image"})
    std::filesystem::create_directories(folder / name);
  bantam::tests::write_models(folder);
  bantam::tests::write_quantized(folder);
  bantam::tests::write_arrays(folder / "npy");
  bantam::tests::write_images(folder / "image", argv[2]);
  return 0;
}
