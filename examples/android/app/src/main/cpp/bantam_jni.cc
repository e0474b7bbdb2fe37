// The native methods of org.bantam.Native.
#include <jni.h>

#include <cstdio>
#include <cstring>

#include "bantam/bantam.h"

namespace {

bantam_model* model_of(jlong handle) { return reinterpret_cast<bantam_model*>(handle); }
bantam_session* session_of(jlong handle) { return reinterpret_cast<bantam_session*>(handle); }
jlong handle_of(void* pointer) { return static_cast<jlong>(reinterpret_cast<intptr_t>(pointer)); }

template <typename Struct>
Struct sized() {
  Struct value = {};
  value.struct_size = sizeof(Struct);
  return value;
}

// JNI's UTF-8 knows no sequences of four bytes; each becomes a question mark.
jstring java_text(JNIEnv* env, const char* utf8) {
  char text[512];
  size_t used = 0;
  for (const char* c = utf8; *c != '\0' && used + 1 < sizeof(text);) {
    const bool wide = (static_cast<unsigned char>(*c) & 0xF8) == 0xF0;
    text[used++] = wide ? '?' : *c;
    ++c;
    while (wide && (static_cast<unsigned char>(*c) & 0xC0) == 0x80) ++c;
  }
  while (used > 0 && used + 1 == sizeof(text) && (static_cast<unsigned char>(text[used - 1]) & 0x80) != 0)
    --used;
  text[used] = '\0';
  return env->NewStringUTF(text);
}

void throw_failure(JNIEnv* env, bantam_status status, const char* where, const char* what) {
  char message[320];
  std::snprintf(message, sizeof(message), "%s: %s: %s", bantam_status_name(status), where, what);
  jclass type = env->FindClass("org/bantam/BantamException");
  if (type == nullptr) return;
  jmethodID constructor = env->GetMethodID(type, "<init>", "(ILjava/lang/String;)V");
  jstring text = constructor == nullptr ? nullptr : java_text(env, message);
  if (text == nullptr) return;
  jobject exception = env->NewObject(type, constructor, static_cast<jint>(status), text);
  if (exception != nullptr) env->Throw(static_cast<jthrowable>(exception));
}

// Throws unless `status` is BANTAM_OK.
bool succeeded(JNIEnv* env, bantam_status status, const bantam_error& error) {
  if (status == BANTAM_OK) return true;
  throw_failure(env, status, error.where, error.what);
  return false;
}

// Bytes `from` to `to` of a direct buffer; null, with an exception, when it has none.
char* address_of(JNIEnv* env, jobject buffer, jint from, jint to) {
  auto* data = buffer == nullptr ? nullptr : static_cast<char*>(env->GetDirectBufferAddress(buffer));
  if (data == nullptr || from < 0 || to < from || to > env->GetDirectBufferCapacity(buffer)) {
    throw_failure(env, BANTAM_INVALID_ARGUMENT, "buffer",
                  "it is not a direct buffer, or the range lies outside");
    return nullptr;
  }
  return data + from;
}

jobject tensor_info(JNIEnv* env, const bantam_tensor& tensor) {
  jclass type = env->FindClass("org/bantam/TensorInfo");
  if (type == nullptr) return nullptr;
  jmethodID constructor = env->GetMethodID(type, "<init>", "(Ljava/lang/String;I[IFIJ)V");
  jintArray shape = env->NewIntArray(tensor.rank);
  jstring name = java_text(env, tensor.name);
  if (constructor == nullptr || shape == nullptr || name == nullptr) return nullptr;
  env->SetIntArrayRegion(shape, 0, tensor.rank, tensor.dims);
  return env->NewObject(type, constructor, name, static_cast<jint>(tensor.dtype), shape, tensor.scale,
                        tensor.zero_point, static_cast<jlong>(tensor.bytes));
}

template <auto get>
jobject model_tensor(JNIEnv* env, jlong model, jint index) {
  auto tensor = sized<bantam_tensor>();
  bantam_error error;
  return succeeded(env, get(model_of(model), index, &tensor, &error), error) ? tensor_info(env, tensor)
                                                                             : nullptr;
}

template <auto get>
jobject session_buffer(JNIEnv* env, jlong session, jint index) {
  auto tensor = sized<bantam_tensor>();
  bantam_error error;
  if (!succeeded(env, get(session_of(session), index, &tensor, &error), error)) return nullptr;
  return env->NewDirectByteBuffer(tensor.data, static_cast<jlong>(tensor.bytes));
}

template <auto bind>
void bind_buffer(JNIEnv* env, jlong session, jint index, jobject buffer, jint from, jint to) {
  bantam_error error;
  if (buffer == nullptr) {
    succeeded(env, bind(session_of(session), index, nullptr, 0, &error), error);
    return;
  }
  char* data = address_of(env, buffer, from, to);
  if (data == nullptr) return;
  succeeded(env, bind(session_of(session), index, data, static_cast<size_t>(to - from), &error), error);
}

bantam_model_info info_of(jlong model) {
  auto info = sized<bantam_model_info>();
  bantam_model_get_info(model_of(model), &info, nullptr);
  return info;
}

}  // namespace

#define BANTAM_NATIVE(type, name) extern "C" JNIEXPORT type JNICALL Java_org_bantam_Native_##name

BANTAM_NATIVE(jstring, version)(JNIEnv* env, jclass) { return env->NewStringUTF(bantam_version()); }

BANTAM_NATIVE(jlong, modelFromFile)(JNIEnv* env, jclass, jstring path) {
  const char* text = path == nullptr ? nullptr : env->GetStringUTFChars(path, nullptr);
  bantam_model* model = nullptr;
  bantam_error error;
  const bantam_status status = bantam_model_from_file(text, &model, &error);
  if (text != nullptr) env->ReleaseStringUTFChars(path, text);
  succeeded(env, status, error);
  return handle_of(model);
}

BANTAM_NATIVE(jlong, modelFromFd)(JNIEnv* env, jclass, jint fd, jlong offset, jlong length) {
  bantam_model* model = nullptr;
  bantam_error error;
  const bantam_status status =
      bantam_model_from_fd(fd, static_cast<uint64_t>(offset), static_cast<uint64_t>(length), &model, &error);
  succeeded(env, status, error);
  return handle_of(model);
}

BANTAM_NATIVE(jlong, modelFromBuffer)(JNIEnv* env, jclass, jobject plan, jint from, jint to) {
  bantam_model* model = nullptr;
  bantam_error error;
  if (const char* data = address_of(env, plan, from, to)) {
    succeeded(env, bantam_model_from_memory(data, static_cast<size_t>(to - from), &model, &error), error);
  }
  return handle_of(model);
}

BANTAM_NATIVE(void, modelDestroy)(JNIEnv*, jclass, jlong model) { bantam_model_destroy(model_of(model)); }

BANTAM_NATIVE(jint, modelInputCount)(JNIEnv*, jclass, jlong model) { return info_of(model).input_count; }
BANTAM_NATIVE(jint, modelOutputCount)(JNIEnv*, jclass, jlong model) { return info_of(model).output_count; }

BANTAM_NATIVE(jobject, modelInput)(JNIEnv* env, jclass, jlong model, jint index) {
  return model_tensor<bantam_model_get_input>(env, model, index);
}
BANTAM_NATIVE(jobject, modelOutput)(JNIEnv* env, jclass, jlong model, jint index) {
  return model_tensor<bantam_model_get_output>(env, model, index);
}

BANTAM_NATIVE(jlong, sessionCreate)(JNIEnv* env, jclass, jlong model, jint threads) {
  auto options = sized<bantam_session_options>();
  options.threads = threads;
  bantam_session* session = nullptr;
  bantam_error error;
  succeeded(env, bantam_session_create(model_of(model), &options, &session, &error), error);
  return handle_of(session);
}

BANTAM_NATIVE(void, sessionDestroy)(JNIEnv*, jclass, jlong session) {
  bantam_session_destroy(session_of(session));
}

BANTAM_NATIVE(jobject, sessionInput)(JNIEnv* env, jclass, jlong session, jint index) {
  return session_buffer<bantam_session_get_input>(env, session, index);
}
BANTAM_NATIVE(jobject, sessionOutput)(JNIEnv* env, jclass, jlong session, jint index) {
  return session_buffer<bantam_session_get_output>(env, session, index);
}

BANTAM_NATIVE(void, sessionBindInput)
(JNIEnv* env, jclass, jlong session, jint index, jobject data, jint from, jint to) {
  bind_buffer<bantam_session_bind_input>(env, session, index, data, from, to);
}
BANTAM_NATIVE(void, sessionBindOutput)
(JNIEnv* env, jclass, jlong session, jint index, jobject data, jint from, jint to) {
  bind_buffer<bantam_session_bind_output>(env, session, index, data, from, to);
}

BANTAM_NATIVE(void, sessionRun)(JNIEnv* env, jclass, jlong session) {
  bantam_error error;
  succeeded(env, bantam_session_run(session_of(session), &error), error);
}

BANTAM_NATIVE(void, sessionCancel)(JNIEnv*, jclass, jlong session) {
  bantam_session_cancel(session_of(session));
}

BANTAM_NATIVE(jboolean, sessionVerify)(JNIEnv* env, jclass, jlong session) {
  auto verification = sized<bantam_verification>();
  bantam_error error;
  if (!succeeded(env, bantam_session_verify(session_of(session), &verification, &error), error))
    return JNI_FALSE;
  return verification.matches != 0 ? JNI_TRUE : JNI_FALSE;
}
