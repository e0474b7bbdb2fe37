/* The layout of bantam's C API: compares it with the list in the file argv[1], or prints it without one.
 * What stands in the list never changes; structs that start with struct_size may grow at their end. */
#include <bantam/bantam.h>
#include <stdio.h>
#include <string.h>

static FILE* expected;
static int differences;

static void line(const char* name, const char* field, unsigned long value) {
  char actual[160], wanted[160] = "";
  snprintf(actual, sizeof actual, "%s%s%s %lu", name, *field ? "." : "", field, value);
  if (expected == NULL) {
    puts(actual);
    return;
  }
  if (fgets(wanted, sizeof wanted, expected) != NULL) wanted[strcspn(wanted, "\n")] = '\0';
  if (strcmp(actual, wanted) == 0) return;
  printf("%s, but the list has %s\n", actual, *wanted ? wanted : "no more");
  ++differences;
}

#define FIELD(s, f) line(#s, #f, (unsigned long)offsetof(s, f))
#define SIZE(s) line(#s, "", (unsigned long)sizeof(s))
#define VALUE(v) line(#v, "", (unsigned long)(v))

static void values(void) {
  VALUE(BANTAM_MAX_RANK);
  VALUE(BANTAM_ALIGNMENT);
  VALUE(BANTAM_READ_PADDING);
  VALUE(BANTAM_OK);
  VALUE(BANTAM_INVALID_ARGUMENT);
  VALUE(BANTAM_INVALID_PLAN);
  VALUE(BANTAM_UNSUPPORTED);
  VALUE(BANTAM_OUT_OF_MEMORY);
  VALUE(BANTAM_IO);
  VALUE(BANTAM_BUSY);
  VALUE(BANTAM_CANCELLED);
  VALUE(BANTAM_INTERNAL);
  VALUE(BANTAM_FLOAT32);
  VALUE(BANTAM_FLOAT16);
  VALUE(BANTAM_INT8);
  VALUE(BANTAM_UINT8);
  VALUE(BANTAM_INT32);
  VALUE(BANTAM_INT64);
  VALUE(BANTAM_BOOL);
  VALUE(BANTAM_RGB);
  VALUE(BANTAM_BGR);
  VALUE(BANTAM_GRAY);
}

static void error(void) {
  SIZE(bantam_error);
  FIELD(bantam_error, where);
  FIELD(bantam_error, what);
}

static void model_info(void) {
  SIZE(bantam_model_info);
  FIELD(bantam_model_info, struct_size);
  FIELD(bantam_model_info, name);
  FIELD(bantam_model_info, precision);
  FIELD(bantam_model_info, input_count);
  FIELD(bantam_model_info, output_count);
  FIELD(bantam_model_info, op_count);
  FIELD(bantam_model_info, note_count);
  FIELD(bantam_model_info, format_major);
  FIELD(bantam_model_info, format_minor);
  FIELD(bantam_model_info, plan_bytes);
  FIELD(bantam_model_info, weights_bytes);
  FIELD(bantam_model_info, arena_bytes);
  FIELD(bantam_model_info, macs);
  FIELD(bantam_model_info, macs_int8);
  FIELD(bantam_model_info, macs_fp16);
  FIELD(bantam_model_info, macs_fp32);
  FIELD(bantam_model_info, ops_int8);
  FIELD(bantam_model_info, ops_fp16);
  FIELD(bantam_model_info, ops_fp32);
  FIELD(bantam_model_info, has_preprocessing);
  FIELD(bantam_model_info, has_golden);
}

static void tensor(void) {
  SIZE(bantam_tensor);
  FIELD(bantam_tensor, struct_size);
  FIELD(bantam_tensor, name);
  FIELD(bantam_tensor, index);
  FIELD(bantam_tensor, dtype);
  FIELD(bantam_tensor, rank);
  FIELD(bantam_tensor, dims);
  FIELD(bantam_tensor, pixel_stride);
  FIELD(bantam_tensor, scale);
  FIELD(bantam_tensor, zero_point);
  FIELD(bantam_tensor, bytes);
  FIELD(bantam_tensor, data);
}

static void op_info(void) {
  SIZE(bantam_op_info);
  FIELD(bantam_op_info, struct_size);
  FIELD(bantam_op_info, name);
  FIELD(bantam_op_info, code);
  FIELD(bantam_op_info, kind);
  FIELD(bantam_op_info, dtype);
  FIELD(bantam_op_info, input_count);
  FIELD(bantam_op_info, output_count);
  FIELD(bantam_op_info, macs);
  FIELD(bantam_op_info, weights_bytes);
  FIELD(bantam_op_info, golden);
  FIELD(bantam_op_info, weights_count);
  FIELD(bantam_op_info, weights_zeros);
  FIELD(bantam_op_info, stored_bytes);
}

static void preprocessing(void) {
  SIZE(bantam_preprocessing);
  FIELD(bantam_preprocessing, struct_size);
  FIELD(bantam_preprocessing, order);
  FIELD(bantam_preprocessing, resize);
  FIELD(bantam_preprocessing, crop);
  FIELD(bantam_preprocessing, channels);
  FIELD(bantam_preprocessing, mean);
  FIELD(bantam_preprocessing, std);
}

static void provenance(void) {
  SIZE(bantam_provenance);
  FIELD(bantam_provenance, struct_size);
  FIELD(bantam_provenance, source_name);
  FIELD(bantam_provenance, source_hash);
  FIELD(bantam_provenance, options);
  FIELD(bantam_provenance, calibration);
  FIELD(bantam_provenance, compiler_version);
}

static void note(void) {
  SIZE(bantam_note);
  FIELD(bantam_note, struct_size);
  FIELD(bantam_note, node);
  FIELD(bantam_note, text);
}

static void source(void) {
  SIZE(bantam_source);
  FIELD(bantam_source, struct_size);
  FIELD(bantam_source, path);
  FIELD(bantam_source, data);
  FIELD(bantam_source, bytes);
  FIELD(bantam_source, fd);
  FIELD(bantam_source, offset);
  FIELD(bantam_source, length);
  FIELD(bantam_source, cache);
}

static void session_options(void) {
  SIZE(bantam_session_options);
  FIELD(bantam_session_options, struct_size);
  FIELD(bantam_session_options, threads);
  FIELD(bantam_session_options, arena);
  FIELD(bantam_session_options, arena_bytes);
}

static void op_event(void) {
  SIZE(bantam_op_event);
  FIELD(bantam_op_event, struct_size);
  FIELD(bantam_op_event, op);
  FIELD(bantam_op_event, output_count);
  FIELD(bantam_op_event, name);
  FIELD(bantam_op_event, code);
  FIELD(bantam_op_event, elapsed_ns);
  FIELD(bantam_op_event, outputs);
}

static void verification(void) {
  SIZE(bantam_verification);
  FIELD(bantam_verification, struct_size);
  FIELD(bantam_verification, matches);
  FIELD(bantam_verification, ops_compared);
  FIELD(bantam_verification, ops_different);
  FIELD(bantam_verification, outputs_compared);
  FIELD(bantam_verification, outputs_different);
  FIELD(bantam_verification, first_op);
  FIELD(bantam_verification, first_op_name);
  FIELD(bantam_verification, expected);
  FIELD(bantam_verification, actual);
}

static void memory(void) {
  SIZE(bantam_memory);
  FIELD(bantam_memory, struct_size);
  FIELD(bantam_memory, arena_bytes);
  FIELD(bantam_memory, workspace_bytes);
  FIELD(bantam_memory, state_bytes);
  FIELD(bantam_memory, packed_bytes);
  FIELD(bantam_memory, session_bytes);
  FIELD(bantam_memory, cached_bytes);
}

int main(int argc, char** argv) {
  if (argc > 1 && (expected = fopen(argv[1], "r")) == NULL) {
    printf("%s: cannot be opened\n", argv[1]);
    return 1;
  }
  values();
  error();
  model_info();
  tensor();
  op_info();
  preprocessing();
  provenance();
  note();
  source();
  session_options();
  op_event();
  verification();
  memory();
  char rest[8];
  if (expected != NULL && fgets(rest, sizeof rest, expected) != NULL) {
    printf("the list has more than the header\n");
    ++differences;
  }
  return differences > 0;
}
