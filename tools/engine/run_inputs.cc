#include "engine/run_inputs.h"

#include <algorithm>
#include <optional>

#include "data/image.h"
#include "data/npy.h"
#include "data/samples.h"
#include "io/failure.h"
#include "io/text.h"

namespace bantam::tools {

// An image file, or an .npy that is one sample, or has one more axis in front, or has samples where the input
// has its batch dimension of 1.
class RunInputs::Source {
 public:
  Source(const std::string& path, const bantam_tensor& input, const std::optional<ImageOptions>& image)
      : path_(path), input_shape_(shape_of(input)), image_(image) {
    if (!is_npy(path) && is_image(path)) {
      if (!image) {
        throw Failure(path, "is an image, but the plan's input " + std::string(input.name) + " is " +
                                type_text(input) +
                                "; compile the model with image options (--image rgb ...)");
      }
      return;
    }
    file_.emplace(path);
    choose_stacking(file_->shape());
    if (stacking_ != Stacking::kNone) count_ = file_->shape()[0];
    if (count_ == 0) throw Failure(path, "holds no samples: its shape is " + shape_text(file_->shape()));
  }

  Stacking stacking() const { return stacking_; }
  int64_t count() const { return count_; }
  std::string name(int64_t index) const {
    return count_ == 1 ? path_ : path_ + format(" sample %lld", static_cast<long long>(index));
  }
  Tensor load(int64_t index) const {
    if (!file_) return load_image(path_, *image_);
    Tensor sample =
        stacking_ == Stacking::kNone ? file_->read_all() : file_->read_item(count_ == 1 ? 0 : index);
    return image_ ? prepare_array(std::move(sample), *image_, name(index)) : sample;
  }
  bool takes_image() const { return image_.has_value(); }

 private:
  // Images may have any height and width, as they are resized and cropped: there only the rank tells.
  void choose_stacking(const std::vector<int64_t>& shape) {
    std::span<const int64_t> dims = shape, want = input_shape_;
    auto matches = [&](std::span<const int64_t> a, std::span<const int64_t> b) {
      return image_ ? a.size() == b.size() : std::equal(a.begin(), a.end(), b.begin(), b.end());
    };
    bool batch = !want.empty() && want[0] == 1;
    if (!image_ && matches(dims, want)) return;
    if (!dims.empty() && matches(dims.subspan(1), want)) {
      stacking_ = Stacking::kNewAxis;
    } else if (!dims.empty() && batch && matches(dims.subspan(1), want.subspan(1)) && dims[0] != 1) {
      stacking_ = Stacking::kBatchAxis;
    }
  }

  std::string path_;
  std::vector<int64_t> input_shape_;
  std::optional<ImageOptions> image_;
  std::optional<NpyFile> file_;
  Stacking stacking_ = Stacking::kNone;
  int64_t count_ = 1;
};

RunInputs::RunInputs(const Model& model, const std::vector<std::string>& paths) {
  std::optional<ImageOptions> image = image_options_of(model);
  for (size_t i = 0; i < paths.size(); ++i) {
    bantam_tensor input = model.input(static_cast<int>(i));
    sources_.push_back(std::make_unique<Source>(paths[i], input, i == 0 ? image : std::nullopt));
    const Source& source = *sources_.back();
    stacking_ = std::max(stacking_, source.stacking());
    if (source.count() > 1 && count_ > 1 && source.count() != count_) {
      throw Failure(paths[i], format("holds %lld samples, another input %lld",
                                     static_cast<long long>(source.count()), static_cast<long long>(count_)));
    }
    count_ = std::max(count_, source.count());
  }
}

RunInputs::~RunInputs() = default;

void RunInputs::write(const Session& session, int64_t index) const {
  for (size_t i = 0; i < sources_.size(); ++i) {
    Tensor sample = sources_[i]->load(index);
    write_input(session, static_cast<int>(i), sample, sources_[i]->takes_image(), sources_[i]->name(index));
  }
}

std::string RunInputs::name(int64_t index) const { return sources_.empty() ? "" : sources_[0]->name(index); }

std::vector<int64_t> RunInputs::stacked(const std::vector<int64_t>& output) const {
  if (stacking_ == Stacking::kNone) return output;
  std::vector<int64_t> shape = output;
  bool in_place = stacking_ == Stacking::kBatchAxis && !shape.empty() && shape[0] == 1;
  if (in_place) {
    shape[0] = count_;
  } else {
    shape.insert(shape.begin(), count_);
  }
  return shape;
}

}  // namespace bantam::tools
