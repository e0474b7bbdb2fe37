/* classify PLAN IMAGE.pgm: prints the class that a plan for grey images gives an image, and its score. */
#include <bantam/bantam.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const bantam_error* error) {
  fprintf(stderr, "classify: %s: %s\n", error->where, error->what);
  return 1;
}

/* Reads a binary PGM file of the tensor's size into it. */
static int read_image(const char* path, const bantam_tensor* tensor) {
  FILE* file = fopen(path, "rb");
  int width = 0, height = 0, most = 0;
  if (file == NULL) return 0;
  int done = tensor->dtype == BANTAM_UINT8 && tensor->rank == 4 &&
             fscanf(file, "P5 %d %d %d", &width, &height, &most) == 3 && fgetc(file) != EOF && most == 255 &&
             height == tensor->dims[1] && width == tensor->dims[2] &&
             fread(tensor->data, 1, tensor->bytes, file) == tensor->bytes;
  fclose(file);
  return done;
}

static int best_class(const bantam_tensor* scores, float* score) {
  const float* values = scores->data;
  int best = 0, count = (int)(scores->bytes / sizeof(float));
  for (int i = 1; i < count; ++i) {
    if (values[i] > values[best]) best = i;
  }
  *score = values[best];
  return best;
}

static int classify(bantam_session* session, const char* image, bantam_error* error) {
  bantam_tensor input = {.struct_size = sizeof input}, output = {.struct_size = sizeof output};
  if (bantam_session_get_input(session, 0, &input, error) != BANTAM_OK) return fail(error);
  if (bantam_session_get_output(session, 0, &output, error) != BANTAM_OK) return fail(error);
  if (!read_image(image, &input) || output.dtype != BANTAM_FLOAT32) {
    fprintf(stderr, "classify: %s: not a grey image as the plan wants it\n", image);
    return 1;
  }
  if (bantam_session_run(session, error) != BANTAM_OK) return fail(error);
  float score = 0;
  int best = best_class(&output, &score);
  printf("%d %.9g\n", best, score);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: classify PLAN IMAGE.pgm\n");
    return 2;
  }
  bantam_error error;
  bantam_model* model = NULL;
  bantam_session* session = NULL;
  if (bantam_model_from_file(argv[1], &model, &error) != BANTAM_OK) return fail(&error);
  bantam_status status = bantam_session_create(model, NULL, &session, &error);
  bantam_model_destroy(model); /* the session keeps it */
  if (status != BANTAM_OK) return fail(&error);
  int result = classify(session, argv[2], &error);
  bantam_session_destroy(session);
  return result;
}
