#include "threads.h"

#include <new>

namespace bantam::kernels {

Status create_threads(int32_t count, ThreadPool** out) {
  auto* threads = new (std::nothrow) ThreadPool;
  if (threads == nullptr) return Status(StatusCode::kOutOfMemory, "threads", "out of memory");
  if (count > 1) {
    threads->pool = pthreadpool_create(static_cast<size_t>(count));
    if (threads->pool == nullptr) {
      delete threads;
      return Status(StatusCode::kOutOfMemory, "threads", "cannot start the threads");
    }
  }
  *out = threads;
  return ok_status();
}

void destroy_threads(ThreadPool* threads) {
  if (threads == nullptr) return;
  pthreadpool_destroy(threads->pool);
  delete threads;
}

}  // namespace bantam::kernels
