// The one thread pool. Work is cut into chunks, which the calling thread takes from the front and helpers from the back;
// the caller never waits for a helper that has taken none.
#pragma once

#include <cstdint>

namespace rl {

int num_threads();
void set_num_threads(int n);
bool in_parallel_region();

// Called around work that runs long without touching Python (the binding installs functions that release the GIL).
struct BlockingHooks {
  void* (*enter)() = nullptr;
  void (*leave)(void*) = nullptr;
};
void set_blocking_hooks(BlockingHooks hooks);

// Releases the GIL (if a hook is installed and the caller holds it) for its lifetime. Inside, tensors' reference
// counts must not be touched: kernels work on pointers, shapes and strides only.
class BlockingRegion {
 public:
  BlockingRegion();
  ~BlockingRegion();
  BlockingRegion(const BlockingRegion&) = delete;
  BlockingRegion& operator=(const BlockingRegion&) = delete;

 private:
  void* state_ = nullptr;
};

namespace detail {
using ChunkFn = void (*)(void* context, int64_t begin, int64_t end);
using Runner = void(int64_t n, int64_t grain, ChunkFn fn, void* context);
Runner run_chunks, run_light_chunks;

template <Runner Run, class Body>
inline void parallel_for(int64_t n, int64_t grain, Body& body) {
  if (n <= 0) return;
  if (n <= grain) {
    body(int64_t{0}, n);
    return;
  }
  Run(
      n, grain, [](void* context, int64_t begin, int64_t end) { (*static_cast<Body*>(context))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}
}  // namespace detail

// Calls body(begin, end) over [0, n) in chunks of at least `grain` items, on several threads when there is more than
// one chunk. Small work (n <= grain) runs at once on the caller. An exception from any chunk is rethrown here.
template <class Body>
inline void parallel_for(int64_t n, int64_t grain, Body&& body) {
  detail::parallel_for<detail::run_chunks>(n, grain, body);
}

// The same where a chunk may be less work than waking a thread: sleeping ones are woken only if the first chunk shows
// that it pays.
template <class Body>
inline void parallel_for_light(int64_t n, int64_t grain, Body&& body) {
  detail::parallel_for<detail::run_light_chunks>(n, grain, body);
}

}  // namespace rl
