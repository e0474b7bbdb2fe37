// The threads that the kernels of a session share.
#pragma once

#include <pthreadpool.h>

#include <algorithm>
#include <cstdint>

#include "bantam/runtime/kernel.h"

namespace bantam {

struct ThreadPool {
  pthreadpool_t pool = nullptr;
};

}  // namespace bantam

namespace bantam::kernels {

Status create_threads(int32_t count, ThreadPool** out);
void destroy_threads(ThreadPool* threads);

// null: the caller's thread alone.
inline pthreadpool_t pool_of(const ThreadPool* threads) {
  return threads == nullptr ? nullptr : threads->pool;
}
inline size_t thread_count(const ThreadPool* threads) {
  return pthreadpool_get_threads_count(pool_of(threads));
}

// Calls body(begin, end) for ranges that cover [0, count) once, in parallel when the pool has threads; ranges
// begin at multiples of `tile` and are at most `tile` long, except that a single thread gets the whole range
// at once.
template <typename Body>
void parallel_ranges(ThreadPool* threads, int64_t count, int64_t tile, const Body& body) {
  if (count <= 0) return;
  const pthreadpool_t pool = pool_of(threads);
  if (pool == nullptr || count <= tile) {
    body(int64_t{0}, count);
    return;
  }
  pthreadpool_parallelize_1d_tile_1d(
      pool,
      [](void* context, size_t begin, size_t size) {
        (*static_cast<const Body*>(context))(static_cast<int64_t>(begin), static_cast<int64_t>(begin + size));
      },
      const_cast<Body*>(&body), static_cast<size_t>(count), static_cast<size_t>(tile), 0);
}

// How many items of `cost` elementary steps each make a piece of work worth handing to a thread.
inline int64_t tile_for(int64_t cost) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, cost)); }

}  // namespace bantam::kernels
