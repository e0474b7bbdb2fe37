#include "data/samples.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "data/image.h"
#include "io/failure.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

Tensor image_tensor(Image image) {
  Tensor tensor{plan::DType::kUInt8, {1, image.height, image.width, image.channels}, {}};
  tensor.bytes.resize(image.pixels.size());
  std::memcpy(tensor.bytes.data(), image.pixels.data(), image.pixels.size());
  return tensor;
}

std::vector<std::string> image_names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (name[0] != '.' && is_image(name)) names.push_back(name);
  }
  if (error) throw Failure(folder, "cannot be read: " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

class ImageFolder final : public Samples {
 public:
  ImageFolder(const std::string& folder, const ImageOptions& options)
      : folder_(folder), options_(options), names_(image_names(folder)) {
    if (names_.empty())
      throw Failure(folder, "holds no images; JPEG or PNG files are needed, not in subfolders");
  }
  int64_t count() const override { return static_cast<int64_t>(names_.size()); }
  Tensor load(int64_t index) const override { return load_image(folder_ + "/" + name(index), options_); }
  std::string name(int64_t index) const override { return names_[static_cast<size_t>(index)]; }
  std::string description() const override {
    std::filesystem::path path = std::filesystem::path(folder_ + "/").parent_path();
    return path.filename().string();
  }

 private:
  std::string folder_;
  ImageOptions options_;
  std::vector<std::string> names_;
};

class NpySamples final : public Samples {
 public:
  NpySamples(const std::string& path, const std::optional<ImageOptions>& options)
      : file_(path), options_(options) {
    if (file_.shape().empty()) throw Failure(path, "holds a single number; samples along axis 0 are needed");
    if (file_.shape()[0] == 0)
      throw Failure(path, "holds no samples: its shape is " + shape_text(file_.shape()));
    if (!options_) return;
    size_t rank = file_.shape().size();
    if (file_.dtype() != plan::DType::kUInt8 || rank < 3 || rank > 4) {
      throw Failure(
          path, "holds " + type_text(file_.dtype(), file_.shape()) +
                    "; with image options it must hold uint8 images, samples x height x width x channels");
    }
  }
  int64_t count() const override { return file_.shape()[0]; }
  Tensor load(int64_t index) const override {
    Tensor sample = file_.read_item(index);
    if (options_) return prepare_array(std::move(sample), *options_, name(index));
    if (int64_t bad = first_non_finite(sample); bad >= 0) {
      throw Failure(name(index), format("holds NaN or infinity (element %lld)", static_cast<long long>(bad)));
    }
    sample.shape.insert(sample.shape.begin(), 1);
    return sample;
  }
  std::string name(int64_t index) const override {
    return file_.path() + format(" sample %lld", static_cast<long long>(index));
  }
  std::string description() const override { return file_name(file_.path()); }

 private:
  NpyFile file_;
  std::optional<ImageOptions> options_;
};

class ResizedSamples final : public Samples {
 public:
  ResizedSamples(std::unique_ptr<Samples> samples, int height, int width)
      : samples_(std::move(samples)), height_(height), width_(width) {}
  int64_t count() const override { return samples_->count(); }
  Tensor load(int64_t index) const override {
    Tensor sample = samples_->load(index);
    if (sample.dtype != plan::DType::kFloat32 || sample.shape.size() < 2)
      throw Failure(name(index),
                    "is " + type_text(sample.dtype, sample.shape) + "; only maps of float32 can be resized");
    return resize_maps(sample, height_, width_);
  }
  std::string name(int64_t index) const override { return samples_->name(index); }
  std::string description() const override { return samples_->description(); }

 private:
  std::unique_ptr<Samples> samples_;
  int height_;
  int width_;
};

}  // namespace

std::unique_ptr<Samples> resized_samples(std::unique_ptr<Samples> samples, int height, int width) {
  return std::make_unique<ResizedSamples>(std::move(samples), height, width);
}

std::unique_ptr<Samples> open_samples(const std::string& path, const std::optional<ImageOptions>& image) {
  if (is_directory(path)) {
    if (image) return std::make_unique<ImageFolder>(path, *image);
    throw Failure(
        path,
        "is a folder; a folder of images needs image options (--image rgb ...), else give an .npy file");
  }
  if (!is_npy(path) && is_image(path)) throw Failure(path, "is one image; give its folder, or an .npy file");
  return std::make_unique<NpySamples>(path, image);
}

Tensor prepare_array(Tensor pixels, const ImageOptions& options, const std::string& where) {
  std::vector<int64_t> shape = pixels.shape;
  if (shape.size() == 4 && shape[0] == 1) shape.erase(shape.begin());
  if (shape.size() == 2) shape.push_back(1);
  bool good = pixels.dtype == plan::DType::kUInt8 && shape.size() == 3 && (shape[2] == 1 || shape[2] == 3) &&
              shape[0] > 0 && shape[1] > 0 && shape[0] < (1 << 15) && shape[1] < (1 << 15);
  if (!good) {
    throw Failure(where, "is " + type_text(pixels.dtype, pixels.shape) +
                             "; an image is uint8, height x width x 3 (R, G, B) or height x width x 1");
  }
  Image image{static_cast<int>(shape[0]), static_cast<int>(shape[1]), static_cast<int>(shape[2]), {}};
  image.pixels.resize(pixels.bytes.size());
  std::memcpy(image.pixels.data(), pixels.bytes.data(), pixels.bytes.size());
  return image_tensor(prepare_image(std::move(image), options, where));
}

Tensor load_image(const std::string& path, const ImageOptions& options) {
  return image_tensor(prepare_image(decode_image(path), options, path));
}

void fit_to_input(Tensor& sample, plan::DType dtype, std::span<const int64_t> shape, bool takes_image,
                  const std::string& where) {
  auto dense = [](std::span<const int64_t> dims) {
    size_t ones = 0;
    while (ones < dims.size() && dims[ones] == 1) ++ones;
    return dims.subspan(ones);
  };
  std::span<const int64_t> want = dense(shape), have = dense(sample.shape);
  if (dtype == sample.dtype && std::equal(want.begin(), want.end(), have.begin(), have.end())) {
    sample.shape.assign(shape.begin(), shape.end());
    return;
  }
  std::string hint;
  if (takes_image && dtype == sample.dtype) {
    hint = "; compile with --crop, or with the --shape that these images have";
  } else if (sample.dtype == plan::DType::kUInt8) {
    hint = "; if these are images, compile the model with image options (--image rgb ...)";
  }
  throw Failure(where, "is " + type_text(sample.dtype, sample.shape) + ", but the model takes " +
                           type_text(dtype, shape) + hint);
}

}  // namespace bantam::tools
