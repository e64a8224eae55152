#include "tensor/allocator.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>

#include "runtime/error.h"

namespace rl {
namespace detail {

thread_local constinit SmallCache small_cache RL_FAST_TLS = {};

namespace {

constexpr size_t kAlign = 64;
constexpr size_t kSlabBytes = size_t{256} << 10;
constexpr size_t kMappedMin = size_t{1} << 20;  // blocks from here up are mapped by themselves
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kMaxBytes = size_t{1} << 47;  // beyond any machine's address space
constexpr size_t kCacheFloor = size_t{1} << 30;

// Mapped blocks start at different offsets from the huge page boundary: equal low address bits in all operands of
// an operation would make them compete for the same cache sets.
constexpr size_t kColours = 8;
constexpr size_t kColourStep = 4096 + kAlign;
constexpr size_t kColourRoom = (kColours * kColourStep + 4095) / 4096 * 4096;

// Medium and large classes: eight to each power of two.
constexpr int kSubBits = 3;
constexpr int kLargeBins = (48 - 10) << kSubBits;

// What a cached block of more than 1 KiB holds while nobody else uses it: its place in its class (a stack, so that
// the warmest is reused first) and in the order of release (a queue, so that the stalest is given back first).
struct Cached {
  Cached* next;
  Cached* previous;
  Cached* newer;
  Cached* older;
  int bin;
};

struct Thread {  // an entry in the list of live threads, for statistics
  SmallCache* cache;
  Thread* next;
  Thread* previous;
};

// Constant-initialised and never destroyed: tensors may outlive every static object.
struct Central {
  std::mutex mutex;
  FreeBlock* small[kSmallBins];
  size_t small_count[kSmallBins];
  char* slab;
  size_t slab_left;
  size_t small_carved;  // bytes of all small blocks that exist
  Cached* large[kLargeBins];
  Cached* newest;
  Cached* oldest;
  size_t live;    // bytes in live medium and large blocks
  size_t cached;  // bytes in cached medium and large blocks
  size_t peak;
  size_t colour;
  Thread* threads;
  bool fork_hooks;
};
union Undying {  // some libraries' mutexes have destructors
  Central value;
  constexpr Undying() : value{} {}
  ~Undying() {}
};
constinit Undying undying;
constexpr Central& central = undying.value;

[[noreturn]] void out_of_memory(size_t bytes) {
  fail(ErrorKind::OutOfMemory, "cannot allocate ", bytes, " bytes (", static_cast<double>(bytes) / (1 << 30),
       " GiB) of memory");
}

#if !defined(RL_PLAIN_ALLOCATOR)

int large_bin(size_t bytes) {
  int e = std::bit_width(bytes - 1) - 1;  // 2^e <= bytes - 1 < 2^(e+1)
  int sub = static_cast<int>(((bytes - 1) >> (e - kSubBits)) & ((1 << kSubBits) - 1));
  return ((e - 10) << kSubBits) + sub;
}

size_t large_bin_bytes(int bin) {
  int e = (bin >> kSubBits) + 10;
  return static_cast<size_t>((1 << kSubBits) + (bin & ((1 << kSubBits) - 1)) + 1) << (e - kSubBits);
}

// system_allocate() to note_peak() are called with the mutex held.

void* map_block(size_t bytes) {
  size_t length = bytes + kColourRoom;
  size_t mapped = length + kHugePage;
  void* raw = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  auto address = reinterpret_cast<uintptr_t>(raw);
  uintptr_t base = (address + kHugePage - 1) & ~(kHugePage - 1);
  if (base > address) munmap(raw, base - address);
  if (size_t rest = address + mapped - (base + length)) munmap(reinterpret_cast<void*>(base + length), rest);
#if defined(MADV_HUGEPAGE)
  madvise(reinterpret_cast<void*>(base), length, MADV_HUGEPAGE);
#endif
  central.colour = (central.colour + 1) % kColours;
  return reinterpret_cast<void*>(base + central.colour * kColourStep);
}

void* system_allocate(size_t bytes) {
  return bytes >= kMappedMin ? map_block(bytes) : std::aligned_alloc(kAlign, bytes);
}

void system_release(void* p, size_t bytes) {
  if (bytes < kMappedMin) {
    std::free(p);
  } else {
    munmap(reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(p) & ~(kHugePage - 1)), bytes + kColourRoom);
  }
}

void unlink(Cached* block) {
  (block->previous ? block->previous->next : central.large[block->bin]) = block->next;
  if (block->next) block->next->previous = block->previous;
  (block->newer ? block->newer->older : central.newest) = block->older;
  (block->older ? block->older->newer : central.oldest) = block->newer;
  central.cached -= large_bin_bytes(block->bin);
}

void release_cached(size_t keep) {
  while (central.cached > keep) {
    Cached* block = central.oldest;
    unlink(block);
    system_release(block, large_bin_bytes(block->bin));
  }
}

void note_peak() { central.peak = std::max(central.peak, central.live + central.small_carved); }

void* allocate_large(size_t bytes) {
  int bin = large_bin(bytes);
  size_t size = large_bin_bytes(bin);
  std::lock_guard lock(central.mutex);
  void* p = central.large[bin];
  if (p) {
    unlink(central.large[bin]);
  } else {
    p = system_allocate(size);
    if (!p) {
      release_cached(0);
      p = system_allocate(size);
    }
    if (!p) return nullptr;
  }
  central.live += size;
  note_peak();
  return p;
}

void deallocate_large(void* p, size_t bytes) {
  int bin = large_bin(bytes);
  size_t size = large_bin_bytes(bin);
  std::lock_guard lock(central.mutex);
  central.live -= size;
  auto* block = ::new (p) Cached{central.large[bin], nullptr, nullptr, central.newest, bin};
  if (block->next) block->next->previous = block;
  (block->older ? block->older->newer : central.oldest) = block;
  central.large[bin] = block;
  central.newest = block;
  central.cached += size;
  release_cached(std::max(kCacheFloor, central.peak / 2));
}

// A block for bin `b` from the central list or a slab.
FreeBlock* take_small(int b) {
  if (FreeBlock* block = central.small[b]) {
    central.small[b] = block->next;
    --central.small_count[b];
    return block;
  }
  size_t size = kSmallSize[b];
  if (central.slab_left < size) {  // what is left of the old slab, under 1 KiB, is not worth a record
    void* slab = std::aligned_alloc(kAlign, kSlabBytes);
    if (!slab) return nullptr;
    central.slab = static_cast<char*>(slab);
    central.slab_left = kSlabBytes;
  }
  void* p = central.slab;
  central.slab += size;
  central.slab_left -= size;
  central.small_carved += size;
  return static_cast<FreeBlock*>(p);
}

void give_small(int b, FreeBlock* block) {
  block->next = central.small[b];
  central.small[b] = block;
  ++central.small_count[b];
}

void align_slab() {
  size_t skip = -reinterpret_cast<uintptr_t>(central.slab) & (kAlign - 1);
  skip = std::min(skip, central.slab_left);
  central.slab += skip;
  central.slab_left -= skip;
}

int32_t bin_limit(int b) { return std::clamp<int32_t>(65536 / kSmallSize[b], 64, 2048); }

void set_count(SmallBin& bin, int32_t count) { bin.count.store(count, std::memory_order_relaxed); }
int32_t get_count(const SmallBin& bin) { return bin.count.load(std::memory_order_relaxed); }

// Moves blocks from the thread's list to the central one until `keep` are left.
void drain(SmallBin& bin, int b, int32_t keep) {
  int32_t count = get_count(bin);
  for (; count > keep; --count) {
    FreeBlock* block = bin.head;
    bin.head = block->next;
    give_small(b, block);
  }
  set_count(bin, count);
}

enum class ThreadState : uint8_t { fresh, armed, ended };
thread_local constinit ThreadState thread_state RL_FAST_TLS = ThreadState::fresh;
thread_local constinit Thread thread_entry RL_FAST_TLS = {};

struct ThreadExit {
  bool armed = false;
  ~ThreadExit() {
    if (!armed) return;
    std::lock_guard lock(central.mutex);
    thread_state = ThreadState::ended;
    for (int b = 0; b < kSmallBins; ++b) {
      small_cache.bins[b].limit = 0;
      drain(small_cache.bins[b], b, 0);
    }
    (thread_entry.previous ? thread_entry.previous->next : central.threads) = thread_entry.next;
    if (thread_entry.next) thread_entry.next->previous = thread_entry.previous;
  }
};
thread_local ThreadExit thread_exit;

void before_fork() { central.mutex.lock(); }
void after_fork() { central.mutex.unlock(); }

// The child has one thread. What the others had cached is out of reach; its bytes leave the count.
void after_fork_in_child() {
  for (Thread* t = central.threads; t; t = t->next) {
    if (t->cache == &small_cache) continue;
    for (int b = 0; b < kSmallBins; ++b) {
      central.small_carved -= static_cast<size_t>(get_count(t->cache->bins[b])) * kSmallSize[b];
    }
  }
  central.threads = nullptr;
  if (thread_state == ThreadState::armed) {
    thread_entry.next = thread_entry.previous = nullptr;
    central.threads = &thread_entry;
  }
  central.mutex.unlock();
}

void arm_thread() {
  if (thread_state != ThreadState::fresh) return;
  thread_state = ThreadState::armed;
  thread_exit.armed = true;
  for (int b = 0; b < kSmallBins; ++b) small_cache.bins[b].limit = bin_limit(b);
  std::lock_guard lock(central.mutex);
  if (!central.fork_hooks) {
    central.fork_hooks = true;
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
  }
  thread_entry = {&small_cache, central.threads, nullptr};
  if (central.threads) central.threads->previous = &thread_entry;
  central.threads = &thread_entry;
}

void* refill_small(int b) {
  arm_thread();
  SmallBin& bin = small_cache.bins[b];
  std::lock_guard lock(central.mutex);
  align_slab();
  FreeBlock* first = take_small(b);
  if (!first) return nullptr;
  // About 4 KiB at a time; in ascending order, so that neighbours in time are neighbours in memory.
  int32_t more = std::min(bin.limit, std::max(3, 4096 / kSmallSize[b]));
  FreeBlock** tail = &bin.head;
  int32_t count = 0;
  for (; count < more; ++count) {
    FreeBlock* block = take_small(b);
    if (!block) break;
    *tail = block;
    tail = &block->next;
  }
  *tail = nullptr;
  set_count(bin, count);
  note_peak();
  return first;
}

void release_small(void* p, int b) {
  arm_thread();
  SmallBin& bin = small_cache.bins[b];
  auto* block = static_cast<FreeBlock*>(p);
  std::lock_guard lock(central.mutex);
  drain(bin, b, bin.limit / 2);
  give_small(b, block);
}

#endif

}  // namespace

#if defined(RL_PLAIN_ALLOCATOR)

void* allocate_slow(size_t bytes) {
  void* p = bytes > kMaxBytes ? nullptr : ::operator new(bytes, std::align_val_t{kAlign}, std::nothrow);
  if (!p) out_of_memory(bytes);
  return p;
}

void deallocate_slow(void* p, size_t) noexcept { ::operator delete(p, std::align_val_t{kAlign}); }

#else

void* allocate_slow(size_t bytes) {
  if (bytes > kMaxBytes) out_of_memory(bytes);
  void* p = bytes <= kSmallMax ? refill_small(kSmallBinOf.bin[(bytes + 15) / 16]) : allocate_large(bytes);
  if (!p) out_of_memory(bytes);
  return p;
}

void deallocate_slow(void* p, size_t bytes) noexcept {
  if (!p) return;
  if (bytes <= kSmallMax) {
    release_small(p, kSmallBinOf.bin[(bytes + 15) / 16]);
  } else {
    deallocate_large(p, bytes);
  }
}

#endif

}  // namespace detail

MemoryStats memory_stats() {
  using namespace detail;
  std::lock_guard lock(central.mutex);
  size_t small_free = 0;
  for (int b = 0; b < kSmallBins; ++b) {
    small_free += central.small_count[b] * kSmallSize[b];
    for (Thread* t = central.threads; t; t = t->next) {
      small_free += static_cast<size_t>(t->cache->bins[b].count.load(std::memory_order_relaxed)) * kSmallSize[b];
    }
  }
  return {central.live + central.small_carved - small_free, central.cached + small_free, central.peak};
}

void empty_cache() {
#if !defined(RL_PLAIN_ALLOCATOR)
  std::lock_guard lock(detail::central.mutex);
  detail::release_cached(0);
#endif
}

}  // namespace rl
