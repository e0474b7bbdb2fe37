/* The C API from C99: what callers do right, and what they do wrong. */
#include "c_api_test.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bantam/bantam.h"

static int failures;

static void check(int condition, const char* text, int line) {
  if (condition) return;
  ++failures;
  fprintf(stderr, "c_api_test.c:%d: failed: %s\n", line, text);
}
#define CHECK(condition) check((condition) != 0, #condition, __LINE__)

static bantam_error error;

/* `call` gives `status` and an explanation of these words. */
#define CHECK_ERROR(call, status, at, why) \
  do {                                     \
    CHECK((call) == (status));             \
    CHECK(strcmp(error.where, (at)) == 0); \
    CHECK(strcmp(error.what, (why)) == 0); \
  } while (0)

static bantam_tensor new_tensor(void) {
  bantam_tensor tensor;
  memset(&tensor, 0, sizeof(tensor));
  tensor.struct_size = sizeof(tensor);
  return tensor;
}

static void test_texts(void) {
  CHECK(strcmp(bantam_version(), "") > 0);
  CHECK(strcmp(bantam_status_name(BANTAM_BUSY), "busy") == 0);
  CHECK(strcmp(bantam_status_name((bantam_status)77), "unknown") == 0);
  CHECK(strcmp(bantam_dtype_name(BANTAM_INT8), "int8") == 0);
  CHECK(strcmp(bantam_dtype_name((bantam_dtype)77), "unknown") == 0);
  CHECK(bantam_dtype_size(BANTAM_FLOAT16) == 2);
  CHECK(bantam_dtype_size((bantam_dtype)77) == 0);
}

static void test_sources(const void* plan, size_t bytes) {
  bantam_model* model = (bantam_model*)1;
  bantam_source source;
  memset(&source, 0, sizeof(source));
  CHECK_ERROR(bantam_model_open(NULL, &model, &error), BANTAM_INVALID_ARGUMENT, "source", "it is null");
  CHECK(model == NULL);
  CHECK_ERROR(bantam_model_open(&source, &model, &error), BANTAM_INVALID_ARGUMENT, "source",
              "its struct_size is wrong");
  source.struct_size = sizeof(source);
  CHECK_ERROR(bantam_model_open(&source, NULL, &error), BANTAM_INVALID_ARGUMENT, "model", "it is null");
  CHECK_ERROR(bantam_model_open(&source, &model, &error), BANTAM_INVALID_ARGUMENT, "source",
              "give path, data, or fd with length");
  source.data = plan;
  source.bytes = bytes;
  source.path = "/no/such/file";
  CHECK(bantam_model_open(&source, &model, &error) == BANTAM_INVALID_ARGUMENT);
  source.data = NULL;
  CHECK_ERROR(bantam_model_open(&source, &model, &error), BANTAM_IO, "/no/such/file",
              "the file cannot be opened");
  source.path = NULL;
  source.fd = -1;
  source.length = 1;
  source.cache = "/no/such/directory";
  CHECK_ERROR(bantam_model_open(&source, &model, &error), BANTAM_IO, "file descriptor",
              "the file cannot be read");
  source.length = 0;
  source.data = plan;
  CHECK(bantam_model_open(&source, &model, &error) == BANTAM_OK);
  bantam_model_destroy(model);
}

static void test_loading_errors(const void* plan, size_t bytes) {
  bantam_model* model = (bantam_model*)1;
  char copy[64];
  CHECK_ERROR(bantam_model_from_file(NULL, &model, &error), BANTAM_INVALID_ARGUMENT, "path", "it is null");
  CHECK(model == NULL);
  CHECK_ERROR(bantam_model_from_file("/no/such/file", &model, &error), BANTAM_IO, "/no/such/file",
              "the file cannot be opened");
  CHECK_ERROR(bantam_model_from_file("/no/such/file", NULL, &error), BANTAM_INVALID_ARGUMENT, "model",
              "it is null");
  CHECK_ERROR(bantam_model_from_memory(NULL, bytes, &model, &error), BANTAM_INVALID_ARGUMENT, "data",
              "it is null");
  CHECK_ERROR(bantam_model_from_memory(plan, 10, &model, &error), BANTAM_INVALID_PLAN, "plan file",
              "it is too short to be a bantam plan");
  CHECK_ERROR(bantam_model_from_fd(-1, 0, 1, &model, &error), BANTAM_IO, "file descriptor",
              "the file cannot be read");
  memset(copy, 0, sizeof(copy));
  CHECK_ERROR(bantam_model_from_memory(copy, sizeof(copy), &model, &error), BANTAM_INVALID_PLAN, "plan file",
              "it is not a bantam plan");
  CHECK(bantam_model_from_file("/no/such/file", &model, NULL) == BANTAM_IO);
  test_sources(plan, bytes);
  bantam_model_destroy(NULL);
  bantam_session_destroy(NULL);
  bantam_session_cancel(NULL);
}

static void test_model(bantam_model* model) {
  bantam_model_info info;
  bantam_tensor tensor = new_tensor();
  bantam_op_info op;
  bantam_provenance provenance;
  bantam_preprocessing preprocessing;
  bantam_note note;
  info.struct_size = sizeof(info);
  op.struct_size = sizeof(op);
  provenance.struct_size = sizeof(provenance);
  preprocessing.struct_size = sizeof(preprocessing);
  note.struct_size = sizeof(note);

  CHECK(bantam_model_get_info(model, &info, &error) == BANTAM_OK);
  CHECK(error.where[0] == '\0' && error.what[0] == '\0');
  CHECK(strcmp(info.name, "chain") == 0);
  CHECK(strcmp(info.precision, "fp32") == 0);
  CHECK(info.input_count == 1 && info.output_count == 1 && info.op_count == 2 && info.note_count == 1);
  CHECK(info.arena_bytes == 3 * 64 + BANTAM_READ_PADDING);
  CHECK(info.has_preprocessing == 0 && info.has_golden == 0);

  CHECK(bantam_model_get_input(model, 0, &tensor, &error) == BANTAM_OK);
  CHECK(strcmp(tensor.name, "x") == 0 && tensor.dtype == BANTAM_FLOAT32);
  CHECK(tensor.rank == 2 && tensor.dims[0] == 2 && tensor.dims[1] == 3 && tensor.dims[2] == 1);
  CHECK(tensor.bytes == 24 && tensor.scale == 0 && tensor.pixel_stride == 3 && tensor.data == NULL);
  CHECK(bantam_model_get_output(model, 0, &tensor, &error) == BANTAM_OK && strcmp(tensor.name, "y") == 0);
  CHECK_ERROR(bantam_model_get_input(model, 1, &tensor, &error), BANTAM_INVALID_ARGUMENT, "index",
              "it is out of range");
  CHECK(bantam_model_get_output(model, -1, &tensor, &error) == BANTAM_INVALID_ARGUMENT);

  CHECK(bantam_model_get_op(model, 1, &op, &error) == BANTAM_OK);
  CHECK(strcmp(op.name, "add") == 0 && strcmp(op.code, "Binary") == 0 && strcmp(op.kind, "Add") == 0);
  CHECK(op.dtype == BANTAM_FLOAT32 && op.input_count == 2 && op.output_count == 1 && op.weights_bytes == 12);
  CHECK(bantam_model_get_op(model, 2, &op, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_model_get_op_input(model, 1, 1, &tensor, &error) == BANTAM_OK);
  CHECK(tensor.data != NULL && ((const float*)tensor.data)[2] == 30);
  CHECK(bantam_model_get_op_output(model, 1, 0, &tensor, &error) == BANTAM_OK &&
        strcmp(tensor.name, "y") == 0);
  CHECK(bantam_model_get_op_output(model, 1, 1, &tensor, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_model_get_op_output(model, 9, 0, &tensor, &error) == BANTAM_INVALID_ARGUMENT);

  CHECK(bantam_model_get_provenance(model, &provenance, &error) == BANTAM_OK);
  CHECK(strcmp(provenance.source_name, "chain.onnx") == 0 && strcmp(provenance.options, "") == 0);
  CHECK(bantam_model_get_note(model, 0, &note, &error) == BANTAM_OK && strcmp(note.text, "a note") == 0);
  CHECK(bantam_model_get_note(model, 1, &note, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK_ERROR(bantam_model_get_preprocessing(model, &preprocessing, &error), BANTAM_INVALID_ARGUMENT,
              "preprocessing", "the model has none");
}

static void test_struct_sizes(bantam_model* model) {
  struct {
    bantam_tensor tensor;
    char newer[16];
  } larger;
  bantam_tensor tensor = new_tensor();
  bantam_session* session = NULL;
  bantam_session_options options;
  memset(&options, 0, sizeof(options));
  tensor.struct_size = sizeof(tensor) - 1;
  CHECK_ERROR(bantam_model_get_input(model, 0, &tensor, &error), BANTAM_INVALID_ARGUMENT, "tensor",
              "its struct_size is wrong");
  tensor.struct_size = 0;
  CHECK(bantam_model_get_input(model, 0, &tensor, &error) == BANTAM_INVALID_ARGUMENT);
  tensor.struct_size = (size_t)-1;
  CHECK(bantam_model_get_input(model, 0, &tensor, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK_ERROR(bantam_session_create(model, &options, &session, &error), BANTAM_INVALID_ARGUMENT, "options",
              "its struct_size is wrong");
  CHECK(session == NULL);

  /* A program made for a later version of the library: what this one does not know is zero. */
  memset(&larger, 1, sizeof(larger));
  larger.tensor.struct_size = sizeof(larger);
  CHECK(bantam_model_get_input(model, 0, &larger.tensor, &error) == BANTAM_OK);
  CHECK(larger.tensor.struct_size == sizeof(larger) && larger.newer[0] == 0 && larger.newer[15] == 0);
}

static void test_null_arguments(bantam_model* model, bantam_session* session) {
  bantam_tensor tensor = new_tensor();
  uint64_t hashes[2];
  float buffer[6];
  CHECK_ERROR(bantam_model_get_info(NULL, NULL, &error), BANTAM_INVALID_ARGUMENT, "model", "it is null");
  CHECK_ERROR(bantam_model_get_info(model, NULL, &error), BANTAM_INVALID_ARGUMENT, "info", "it is null");
  CHECK(bantam_model_get_input(NULL, 0, &tensor, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_model_get_input(model, 0, NULL, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_model_get_op(NULL, 0, NULL, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_model_get_op(model, 0, NULL, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_model_get_op_input(NULL, 0, 0, &tensor, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_model_get_preprocessing(model, NULL, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_model_get_provenance(model, NULL, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_model_get_note(model, 0, NULL, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_create(NULL, NULL, &session, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_create(model, NULL, NULL, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_get_input(NULL, 0, &tensor, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_get_output(session, 0, NULL, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_bind_input(NULL, 0, buffer, 24, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_bind_input(session, 5, buffer, 24, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_bind_output(session, -1, buffer, 24, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_run(NULL, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_set_hook(NULL, NULL, NULL, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_verify(session, NULL, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_get_memory(session, NULL, NULL) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_golden(session, hashes, 1, hashes, 1, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_golden(session, NULL, 2, hashes, 1, &error) == BANTAM_INVALID_ARGUMENT);
  CHECK(bantam_session_golden(session, hashes, 2, NULL, 1, &error) == BANTAM_INVALID_ARGUMENT);
}

struct observed {
  int events;
  float last;
  char names[32];
};

static void observe(void* user, const bantam_op_event* event) {
  struct observed* seen = (struct observed*)user;
  ++seen->events;
  CHECK(event->struct_size == sizeof(*event) && event->output_count == 1);
  seen->last = ((const float*)event->outputs[0]->data)[5];
  strcat(seen->names, event->name);
}

static void test_run(bantam_session* session) {
  static float in[6 + BANTAM_READ_PADDING / sizeof(float)] = {1, 2, 3, 4, 5, -6};
  float out[6];
  struct observed seen = {0, 0, ""};
  bantam_tensor input = new_tensor();
  bantam_tensor output = new_tensor();
  CHECK(bantam_session_get_input(session, 0, &input, &error) == BANTAM_OK);
  CHECK(bantam_session_get_output(session, 0, &output, &error) == BANTAM_OK);
  memcpy(input.data, in, 24);
  CHECK(bantam_session_run(session, &error) == BANTAM_OK);
  CHECK(((const float*)output.data)[0] == 11 &&
        ((const float*)output.data)[5] == 36); /* |x| + {10, 20, 30} */

  memset(input.data, 0, 24);
  CHECK(bantam_session_bind_input(session, 0, in, sizeof(in), &error) == BANTAM_OK);
  CHECK(bantam_session_bind_output(session, 0, out, sizeof(out), &error) == BANTAM_OK);
  CHECK_ERROR(bantam_session_bind_output(session, 0, out, sizeof(out) - 1, &error), BANTAM_INVALID_ARGUMENT,
              "output", "the buffer is too small");
  CHECK(bantam_session_set_hook(session, observe, &seen, &error) == BANTAM_OK);
  CHECK(bantam_session_run(session, &error) == BANTAM_OK);
  CHECK(out[1] == 22 && out[5] == 36);
  CHECK(seen.events == 2 && seen.last == 36 && strcmp(seen.names, "absadd") == 0);
  CHECK(bantam_session_set_hook(session, NULL, NULL, &error) == BANTAM_OK);
  CHECK(bantam_session_bind_input(session, 0, NULL, 0, &error) == BANTAM_OK);
  CHECK(bantam_session_bind_output(session, 0, NULL, 0, &error) == BANTAM_OK);
}

static void test_verify(bantam_session* session) {
  bantam_verification verification;
  bantam_memory memory;
  uint64_t ops[2] = {0, 0};
  uint64_t again[2] = {0, 0};
  uint64_t output = 0;
  verification.struct_size = sizeof(verification);
  memory.struct_size = sizeof(memory);
  CHECK(bantam_session_golden(session, ops, 2, &output, 1, &error) == BANTAM_OK);
  CHECK(bantam_session_golden(session, again, 2, &output, 1, &error) == BANTAM_OK);
  CHECK(ops[0] != 0 && ops[0] == again[0] && ops[1] == again[1] && ops[1] == output);
  CHECK(bantam_session_verify(session, &verification, &error) == BANTAM_OK);
  CHECK(verification.matches == 0 && verification.ops_compared == 0 && verification.first_op == -1);
  CHECK(strcmp(verification.first_op_name, "") == 0);
  CHECK(bantam_session_get_memory(session, &memory, &error) == BANTAM_OK);
  CHECK(memory.arena_bytes == 3 * 64 + BANTAM_READ_PADDING && memory.session_bytes > 0);

  /* A program made for the first version of the library, which had no cache. */
  memory.struct_size = offsetof(bantam_memory, cached_bytes);
  memory.cached_bytes = 77;
  CHECK(bantam_session_get_memory(session, &memory, &error) == BANTAM_OK);
  CHECK(memory.struct_size == offsetof(bantam_memory, cached_bytes) && memory.cached_bytes == 77);
  memory.struct_size -= 1;
  CHECK(bantam_session_get_memory(session, &memory, &error) == BANTAM_INVALID_ARGUMENT);
}

int c_api_test(const void* plan, size_t bytes) {
  bantam_model* model = NULL;
  bantam_session* session = NULL;
  bantam_session_options options;
  memset(&options, 0, sizeof(options));
  options.struct_size = sizeof(options);
  test_texts();
  test_loading_errors(plan, bytes);
  CHECK(bantam_model_from_memory(plan, bytes, &model, &error) == BANTAM_OK);
  if (model == NULL) return failures;
  test_model(model);
  test_struct_sizes(model);
  options.threads = -1;
  CHECK(bantam_session_create(model, &options, &session, &error) == BANTAM_INVALID_ARGUMENT);
  options.threads = 2;
  CHECK(bantam_session_create(model, &options, &session, &error) == BANTAM_OK);
  bantam_model_destroy(model); /* the session holds it */
  if (session == NULL) return failures;
  test_null_arguments(model, session);
  test_run(session);
  test_verify(session);
  bantam_session_destroy(session);
  return failures;
}
