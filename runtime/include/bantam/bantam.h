/* bantam: runs plans made by the bantam compiler. The only binary boundary of the library; C99.
 *
 * A bantam_model is immutable and may be used by any number of threads; a bantam_session is one thread's state.
 * Nothing here prints, aborts, throws or keeps global state. Functions that can fail return a bantam_status and,
 * when `error` is not NULL, explain a failure in it. Structs that begin with `struct_size` may grow at their end:
 * set struct_size to sizeof the struct before the call; the library never touches bytes beyond it.
 * Text that the library hands out is UTF-8, never NULL, and lives as long as the model. */
#ifndef BANTAM_BANTAM_H_
#define BANTAM_BANTAM_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define BANTAM_API __attribute__((visibility("default")))
#else
#define BANTAM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define BANTAM_MAX_RANK 8
#define BANTAM_ALIGNMENT 64     /* bytes; of an arena given by the caller */
#define BANTAM_READ_PADDING 128 /* bytes past a buffer's end that kernels may read, and ignore */

typedef enum bantam_status {
  BANTAM_OK = 0,
  BANTAM_INVALID_ARGUMENT = 1, /* the caller's mistake: null, wrong size, index out of range */
  BANTAM_INVALID_PLAN = 2,     /* truncated, damaged or contradictory plan */
  BANTAM_UNSUPPORTED = 3,      /* newer format, or a kernel that this build leaves out */
  BANTAM_OUT_OF_MEMORY = 4,
  BANTAM_IO = 5,               /* a file cannot be opened, read or mapped, or shrank while mapped */
  BANTAM_BUSY = 6,             /* the session is running on another thread */
  BANTAM_CANCELLED = 7,
  BANTAM_INTERNAL = 8
} bantam_status;

typedef enum bantam_dtype {
  BANTAM_FLOAT32 = 0,
  BANTAM_FLOAT16 = 1,
  BANTAM_INT8 = 2,
  BANTAM_UINT8 = 3,
  BANTAM_INT32 = 4,
  BANTAM_INT64 = 5,
  BANTAM_BOOL = 6
} bantam_dtype;

typedef enum bantam_channel_order { BANTAM_RGB = 0, BANTAM_BGR = 1, BANTAM_GRAY = 2 } bantam_channel_order;

/* Caller-owned; needs no initialization. Empty texts when the call succeeded. This struct never grows. */
typedef struct bantam_error {
  char where[64]; /* file, op, tensor or argument */
  char what[192];
} bantam_error;

typedef struct bantam_model bantam_model;
typedef struct bantam_session bantam_session;

/* "0.1.0" */
BANTAM_API const char* bantam_version(void);
BANTAM_API const char* bantam_status_name(bantam_status status); /* "out of memory" */
BANTAM_API const char* bantam_dtype_name(bantam_dtype dtype);    /* "float32"; "unknown" for other values */
BANTAM_API size_t bantam_dtype_size(bantam_dtype dtype);         /* bytes; 0 for other values */

/* ---- Model ------------------------------------------------------------------------------------------------ */

/* Maps the file and verifies it. While the model lives the file must be replaced by renaming, not rewritten or
 * truncated in place: a shrunken file is detected when a session is created and when a run begins (BANTAM_IO),
 * but a file that shrinks during a run ends the process with SIGBUS, as any mapping does. */
BANTAM_API bantam_status bantam_model_from_file(const char* path, bantam_model** model, bantam_error* error);

/* Uses `data` in place, without a copy, when it is aligned to BANTAM_ALIGNMENT: it must then outlive the model and
 * all its sessions, unchanged. Otherwise the model keeps a copy. */
BANTAM_API bantam_status bantam_model_from_memory(const void* data, size_t bytes, bantam_model** model,
                                                  bantam_error* error);

/* Maps `length` bytes from `offset` of an open file, such as an uncompressed Android asset, where the plan lies at
 * any offset. The descriptor stays the caller's and may be closed afterwards. When the plan's address in the mapping is
 * not aligned to BANTAM_ALIGNMENT (offset not a multiple of it) the model keeps a copy instead. */
BANTAM_API bantam_status bantam_model_from_fd(int fd, uint64_t offset, uint64_t length, bantam_model** model,
                                              bantam_error* error);

/* Where a plan is, in exactly one of three places, and how to load it. */
typedef struct bantam_source {
  size_t struct_size;
  const char* path; /* as bantam_model_from_file */
  const void* data; /* as bantam_model_from_memory */
  size_t bytes;     /* of `data` */
  int32_t fd;       /* as bantam_model_from_fd, when `length` is not 0 */
  uint64_t offset;
  uint64_t length;
  const char* cache; /* directory of packed weights; NULL or "" for none */
} bantam_source;

/* With a cache, the first session packs the weights for this CPU and writes them to a file of that directory, made for
 * this plan, library and CPU; later loads map the file. They are quicker, and the weights take no memory of the
 * process's own. Where no file can be written, or the one there is damaged or does not fit, everything is as without a
 * cache, and no error. The file stands in for the weights in the plan, which are then neither verified nor read. Let
 * nobody write to the directory whom the program does not trust, and nothing truncate the file while the model lives. */
BANTAM_API bantam_status bantam_model_open(const bantam_source* source, bantam_model** model, bantam_error* error);

/* Gives up the caller's hold; sessions keep the model alive until they are destroyed. NULL is allowed. */
BANTAM_API void bantam_model_destroy(bantam_model* model);

typedef struct bantam_model_info {
  size_t struct_size;
  const char* name;
  const char* precision; /* "int8", "fp16" or "fp32": in which most of the work (MACs, else ops) is done */
  int32_t input_count;
  int32_t output_count;
  int32_t op_count;
  int32_t note_count;
  int32_t format_major;
  int32_t format_minor;
  uint64_t plan_bytes;
  uint64_t weights_bytes;
  uint64_t arena_bytes; /* that a session needs for tensors, read padding included */
  uint64_t macs;        /* multiply-accumulates of one run; of these: */
  uint64_t macs_int8;
  uint64_t macs_fp16;
  uint64_t macs_fp32;
  int32_t ops_int8; /* ops by the dtype in which they compute; the others move or select */
  int32_t ops_fp16;
  int32_t ops_fp32;
  int32_t has_preprocessing; /* 0 or 1 */
  int32_t has_golden;        /* 0 or 1: there are golden hashes to verify */
} bantam_model_info;
BANTAM_API bantam_status bantam_model_get_info(const bantam_model* model, bantam_model_info* info,
                                               bantam_error* error);

/* A tensor, with or without memory. Quantized when scale > 0: real = scale * (q - zero_point). */
typedef struct bantam_tensor {
  size_t struct_size;
  const char* name;
  int32_t index; /* in the plan */
  bantam_dtype dtype;
  int32_t rank;
  int32_t dims[BANTAM_MAX_RANK]; /* ones behind the rank */
  int32_t pixel_stride;          /* elements from one innermost row to the next; dims[rank - 1] when dense */
  float scale;                   /* 0: not quantized */
  int32_t zero_point;
  size_t bytes; /* from the first to one past the last element */
  void* data;   /* NULL for a model's tensors */
} bantam_tensor;
/* Inputs and outputs are always dense. */
BANTAM_API bantam_status bantam_model_get_input(const bantam_model* model, int32_t index, bantam_tensor* tensor,
                                                bantam_error* error);
BANTAM_API bantam_status bantam_model_get_output(const bantam_model* model, int32_t index, bantam_tensor* tensor,
                                                 bantam_error* error);

typedef struct bantam_op_info {
  size_t struct_size;
  const char* name;   /* of the ONNX node it came from */
  const char* code;   /* "Conv2d" */
  const char* kind;   /* of Unary, Binary and Reduce: "Sigmoid"; "" otherwise */
  bantam_dtype dtype; /* in which it computes */
  int32_t input_count;
  int32_t output_count;
  uint64_t macs;
  uint64_t weights_bytes; /* of its constant inputs */
  uint64_t golden;        /* hash of the first output on the golden input; 0: none */
  uint64_t weights_count; /* elements of its constant inputs */
  uint64_t weights_zeros; /* of these, that are not stored */
  uint64_t stored_bytes;  /* of its constant inputs in the plan */
} bantam_op_info;
BANTAM_API bantam_status bantam_model_get_op(const bantam_model* model, int32_t index, bantam_op_info* op,
                                             bantam_error* error);
/* The tensors that an op reads and writes, constants with their data unless their zeros are not stored. An optional
 * input left out has index -1, and an empty name. */
BANTAM_API bantam_status bantam_model_get_op_input(const bantam_model* model, int32_t op, int32_t index,
                                                   bantam_tensor* tensor, bantam_error* error);
BANTAM_API bantam_status bantam_model_get_op_output(const bantam_model* model, int32_t op, int32_t index,
                                                    bantam_tensor* tensor, bantam_error* error);

/* How an image becomes input 0 (uint8 NHWC): resize the short side, crop the centre, put the channels in `order`.
 * Mean and std are applied by the plan itself and stand here for information. BANTAM_INVALID_ARGUMENT when the model
 * has none. */
typedef struct bantam_preprocessing {
  size_t struct_size;
  bantam_channel_order order;
  int32_t resize;   /* short side in pixels; 0: none */
  int32_t crop;     /* side of a centred square in pixels; 0: none */
  int32_t channels; /* 1 or 3 */
  float mean[4];    /* 0..255, in `order` */
  float std[4];
} bantam_preprocessing;
BANTAM_API bantam_status bantam_model_get_preprocessing(const bantam_model* model, bantam_preprocessing* preprocessing,
                                                        bantam_error* error);

typedef struct bantam_provenance {
  size_t struct_size;
  const char* source_name; /* file name of the ONNX model */
  uint64_t source_hash;
  const char* options; /* as given to the compiler */
  const char* calibration;
  const char* compiler_version;
} bantam_provenance;
BANTAM_API bantam_status bantam_model_get_provenance(const bantam_model* model, bantam_provenance* provenance,
                                                     bantam_error* error);

/* Why the compiler decided something about a node. */
typedef struct bantam_note {
  size_t struct_size;
  const char* node;
  const char* text;
} bantam_note;
BANTAM_API bantam_status bantam_model_get_note(const bantam_model* model, int32_t index, bantam_note* note,
                                               bantam_error* error);

/* ---- Session ---------------------------------------------------------------------------------------------- */

typedef struct bantam_session_options {
  size_t struct_size;
  int32_t threads;    /* the caller's included; 0 means 1 */
  void* arena;        /* memory for tensors, aligned to BANTAM_ALIGNMENT; NULL: the session allocates it */
  size_t arena_bytes; /* of `arena`; at least bantam_model_info.arena_bytes */
} bantam_session_options;

/* Allocates, packs and decides everything, so that bantam_session_run does not. `options` may be NULL. */
BANTAM_API bantam_status bantam_session_create(bantam_model* model, const bantam_session_options* options,
                                               bantam_session** session, bantam_error* error);
/* Not while it runs. NULL is allowed. */
BANTAM_API void bantam_session_destroy(bantam_session* session);

/* The tensor with the memory that the next run reads from or writes to: the session's own unless bound. Inputs keep
 * their content from run to run only when bound; write them before every run. */
BANTAM_API bantam_status bantam_session_get_input(const bantam_session* session, int32_t index, bantam_tensor* tensor,
                                                  bantam_error* error);
BANTAM_API bantam_status bantam_session_get_output(const bantam_session* session, int32_t index,
                                                   bantam_tensor* tensor, bantam_error* error);

/* Binds the caller's buffer from the next run on; NULL goes back to the session's own memory. `capacity` is the number
 * of bytes that may be accessed at `data`, at least the tensor's. A capacity of the tensor's bytes +
 * BANTAM_READ_PADDING and an address aligned for the dtype let run use the buffer in place (outputs mostly need no padding);
 * otherwise run copies. Inputs are never written. BANTAM_BUSY while the session runs. */
BANTAM_API bantam_status bantam_session_bind_input(bantam_session* session, int32_t index, const void* data,
                                                   size_t capacity, bantam_error* error);
BANTAM_API bantam_status bantam_session_bind_output(bantam_session* session, int32_t index, void* data,
                                                    size_t capacity, bantam_error* error);

/* Runs the plan once, on the calling thread and the session's others. Allocates nothing. BANTAM_BUSY when the session
 * is running already, BANTAM_CANCELLED after bantam_session_cancel: the outputs are then undefined. */
BANTAM_API bantam_status bantam_session_run(bantam_session* session, bantam_error* error);

/* Stops the run in progress before its next op; for any thread, and for hooks. No effect when nothing runs. */
BANTAM_API void bantam_session_cancel(bantam_session* session);

typedef struct bantam_op_event {
  size_t struct_size;
  int32_t op;          /* index in the plan */
  int32_t output_count;
  const char* name;
  const char* code;
  uint64_t elapsed_ns; /* of this op alone */
  const bantam_tensor* const* outputs; /* valid during the call */
} bantam_op_event;
/* Called on the running thread after every op; for profiles, observers and layer-by-layer comparison. Must not call
 * functions of this session other than bantam_session_cancel. NULL takes the hook away. BANTAM_BUSY while running. */
typedef void (*bantam_op_hook)(void* user, const bantam_op_event* event);
BANTAM_API bantam_status bantam_session_set_hook(bantam_session* session, bantam_op_hook hook, void* user,
                                                 bantam_error* error);

/* Hashes of what this machine computes on the golden input (schema/golden_input.h): of the first output of every op
 * and of every output of the plan. The counts are those of the model. Unbinds nothing, but replaces the content of the
 * session's own inputs and outputs. */
BANTAM_API bantam_status bantam_session_golden(bantam_session* session, uint64_t* op_hashes, size_t op_count,
                                               uint64_t* output_hashes, size_t output_count, bantam_error* error);

/* Whether this machine computes what the compiling one did, bit for bit, where the plan promises it. */
typedef struct bantam_verification {
  size_t struct_size;
  int32_t matches; /* 1 when at least one hash was compared and none differs */
  int32_t ops_compared;
  int32_t ops_different;
  int32_t outputs_compared;
  int32_t outputs_different;
  int32_t first_op;         /* index of the first op that differs; -1: none */
  const char* first_op_name; /* "" when none */
  uint64_t expected;        /* its hashes */
  uint64_t actual;
} bantam_verification;
BANTAM_API bantam_status bantam_session_verify(bantam_session* session, bantam_verification* verification,
                                               bantam_error* error);

typedef struct bantam_memory {
  size_t struct_size;
  uint64_t arena_bytes;     /* tensors, read padding included; the caller's or the session's */
  uint64_t workspace_bytes; /* scratch of the kernels, depends on the CPU */
  uint64_t state_bytes;     /* what kernels allocated for themselves */
  uint64_t packed_bytes;    /* weights in this CPU's layout, shared by the sessions of the model */
  uint64_t session_bytes;   /* bookkeeping of the session */
  uint64_t cached_bytes;    /* weights in this CPU's layout that are mapped from the cache; not in packed_bytes */
} bantam_memory;
BANTAM_API bantam_status bantam_session_get_memory(const bantam_session* session, bantam_memory* memory,
                                                   bantam_error* error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* BANTAM_BANTAM_H_ */
