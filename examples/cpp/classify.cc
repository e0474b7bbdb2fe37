// classify PLAN IMAGE.pgm: prints the class that a plan for grey images gives an image, and its score.
#include <algorithm>
#include <bantam/bantam.hpp>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace {

int fail(const char* where, const char* what) {
  std::fprintf(stderr, "classify: %s: %s\n", where, what);
  return 1;
}

// The pixels of a binary PGM file; none when it is not one of this size.
std::vector<char> read_image(const char* path, int height, int width) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  int file_width = 0, file_height = 0, most = 0;
  file >> magic >> file_width >> file_height >> most;
  file.get();
  if (!file || magic != "P5" || most != 255 || file_width != width || file_height != height) return {};
  std::vector<char> pixels(static_cast<size_t>(height) * width);
  file.read(pixels.data(), static_cast<std::streamsize>(pixels.size()));
  return file ? pixels : std::vector<char>();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return fail("usage", "classify PLAN IMAGE.pgm");
  const auto model = bantam::Model::from_file(argv[1]);
  if (!model) return fail(model.error().where, model.error().what);
  auto session = model->create_session();
  if (!session) return fail(session.error().where, session.error().what);

  const bantam_tensor input = session->input(0), output = session->output(0);
  if (input.dtype != BANTAM_UINT8 || input.rank != 4 || output.dtype != BANTAM_FLOAT32) {
    return fail(argv[1], "not a plan that turns an image into scores");
  }
  std::vector<char> image = read_image(argv[2], input.dims[1], input.dims[2]);
  if (image.size() != input.bytes) return fail(argv[2], "not a grey image as the plan wants it");

  image.resize(image.size() + BANTAM_READ_PADDING);  // lets the run read it in place
  if (auto bound = session->bind_input(0, image.data(), image.size()); !bound) {
    return fail(bound.error().where, bound.error().what);
  }
  if (auto run = session->run(); !run) return fail(run.error().where, run.error().what);
  const auto* scores = static_cast<const float*>(output.data);
  const auto* best = std::max_element(scores, scores + output.bytes / sizeof(float));
  std::printf("%d %.9g\n", static_cast<int>(best - scores), static_cast<double>(*best));
  return 0;
}
