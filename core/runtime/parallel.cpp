#include "runtime/parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

#include "runtime/error.h"
#include "runtime/meta.h"

namespace rl {
namespace {

using Clock = std::chrono::steady_clock;

// A helper whose waiting was rewarded waits longer the next time, so that a stream of calls finds it awake.
constexpr auto kShortSpin = std::chrono::microseconds(40);
constexpr auto kLongSpin = std::chrono::microseconds(160);
constexpr auto kCallerSpin = std::chrono::microseconds(200);
constexpr auto kWorthWaking = std::chrono::microseconds(15);
// In a stream of light work the helpers, once awake, are still spinning when the next call comes: waking them pays off
// over the calls, not in the first one.
constexpr auto kWorthWakingInStream = std::chrono::microseconds(4);
constexpr auto kStreamGap = std::chrono::microseconds(60);
constexpr int kChunksPerThread = 8;
constexpr int kFew = 8;  // more helpers than these are not moved by hand
// Where helpers share their core with another program, they give it up between two chunks before the scheduler takes
// it away within one, where the caller would wait for milliseconds.
constexpr auto kTakenAway = std::chrono::microseconds(1000);
constexpr auto kTurn = std::chrono::microseconds(2500);
constexpr auto kSharedFor = std::chrono::milliseconds(100);

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins until done() holds or the time is up.
template <class Done>
bool spin(std::chrono::nanoseconds limit, Done done) {
  for (int i = 0; i < 64; ++i) {
    if (done()) return true;
    relax();
  }
  auto end = Clock::now() + limit;
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return true;
      relax();
    }
  } while (Clock::now() < end);
  return done();
}

#if defined(__linux__)
inline int current_cpu() { return sched_getcpu(); }
int64_t times_taken_away() {
  rusage use{};
  return getrusage(RUSAGE_THREAD, &use) == 0 ? use.ru_nivcsw : 0;
}
inline void give_way() { sched_yield(); }
inline int this_thread() { return static_cast<int>(syscall(SYS_gettid)); }
void keep_off(int cpu, const std::atomic<int>* threads, int count) {
  cpu_set_t others;
  if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(getpid(), sizeof others, &others) != 0) return;
  CPU_CLR(cpu, &others);
  if (CPU_COUNT(&others) < count) return;
  for (int i = 0; i < count; ++i) sched_setaffinity(threads[i].load(), sizeof others, &others);
}
#else
inline int current_cpu() { return -1; }
inline int64_t times_taken_away() { return 0; }
inline void give_way() {}
inline int this_thread() { return 0; }
inline void keep_off(int, const std::atomic<int>*, int) {}
#endif

// A helper's view of whether it has its core to itself.
class Turn {
 public:
  // Called between two chunks.
  void check() {
    const auto now = Clock::now();
    if (now - seen_ > kTakenAway) {  // or it was in one long chunk
      const int64_t count = times_taken_away();
      if (count != taken_away_) {
        shared_until_ = now + kSharedFor;
        start_ = now;
      }
      taken_away_ = count;
    }
    seen_ = now;
    if (now < shared_until_ && now - start_ > kTurn) {
      give_way();
      seen_ = start_ = Clock::now();
      if (seen_ - now > kTakenAway) shared_until_ = seen_ + kSharedFor;
    }
  }
  void woken() { seen_ = start_ = Clock::now(); }

 private:
  Clock::time_point seen_{}, start_{}, shared_until_{};
  int64_t taken_away_ = 0;
};

thread_local bool in_region = false;  // in a chunk of some parallel_for, or on one of the pool's own threads
thread_local bool is_helper = false;
thread_local int blocking_depth = 0;

struct Pool {
  // The job. `ticket` holds its number in the upper half and the range of chunks not yet taken in the lower one (the
  // first in the low 16 bits, the end above), so taking a chunk is one compare-and-swap that also proves that the job is
  // still the current one; the other fields may be read only after a chunk has been taken (the caller does not return
  // while a taken chunk is unfinished). The caller takes from the front and helpers from the back: in a stream of calls
  // over the same memory each finds in its cache what it touched before.
  alignas(64) std::atomic<uint64_t> ticket{0};
  alignas(64) std::atomic<uint32_t> unfinished{0};
  alignas(64) detail::ChunkFn fn = nullptr;
  void* context = nullptr;
  int64_t n = 0;
  int64_t chunks = 0;
  int64_t align = 1;
  std::atomic<bool> failed{false};
  std::exception_ptr error;

  alignas(64) std::atomic<uint32_t> wakeups{0};
  std::atomic<int> sleepers{0};
  std::atomic<bool> stop{false};
  int helpers = 0;
  int avoided = -1;  // the caller's: the core that the helpers keep off
  std::atomic<int> entered{0}, started{0};
  std::atomic<int> threads[kFew] = {};
  Clock::time_point last_light;  // the caller's: when light work last found the helpers asleep

  int64_t bound(int64_t chunk) const {
    if (chunk >= chunks) return n;
    // n / chunks * chunk without overflow, rounded so that vector loops start at whole cache lines
    int64_t at = n / chunks * chunk + n % chunks * chunk / chunks;
    return at / align * align;
  }

  static uint32_t untaken(uint64_t t) { return (t >> 16 & 0xffff) - (t & 0xffff); }

  // Takes a chunk and runs it; false if there was none.
  bool work_once(bool front) {
    uint64_t seen = ticket.load(std::memory_order_acquire);
    do {
      if (untaken(seen) == 0) return false;
    } while (!ticket.compare_exchange_weak(seen, front ? seen + 1 : seen - (1u << 16), std::memory_order_acq_rel,
                                           std::memory_order_acquire));
    int64_t chunk = front ? seen & 0xffff : (seen >> 16 & 0xffff) - 1;
    if (!failed.load(std::memory_order_relaxed)) {
      try {
        int64_t begin = bound(chunk), end = bound(chunk + 1);
        if (begin < end) fn(context, begin, end);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
    if (unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished.notify_one();
    return true;
  }

  bool has_work() const { return untaken(ticket.load(std::memory_order_relaxed)) != 0; }

  // A thread that is woken may be put on its waker's core, and starve there while another core is free.
  void keep_helpers_off() {
    if (helpers > kFew) return;
    const int cpu = current_cpu();
    if (cpu == avoided || started.load(std::memory_order_acquire) != helpers) return;
    keep_off(cpu, threads, helpers);
    avoided = cpu;
  }

  void helper_loop() {
    in_region = is_helper = true;
    if (helpers <= kFew) threads[entered.fetch_add(1)].store(this_thread(), std::memory_order_relaxed);
    started.fetch_add(1, std::memory_order_release);
    Turn turn;
    auto patience = kShortSpin;
    while (!stop.load(std::memory_order_relaxed)) {
      while (work_once(false)) turn.check();
      if (spin(patience, [&] { return has_work() || stop.load(std::memory_order_relaxed); })) {
        patience = std::min(2 * patience, kLongSpin);
        turn.check();
        continue;
      }
      patience = kShortSpin;
      uint32_t before = wakeups.load();
      sleepers.fetch_add(1);
      // The caller publishes the ticket and then looks at `sleepers`; we count ourselves and then look at the ticket.
      if (untaken(ticket.load()) == 0 && !stop.load()) wakeups.wait(before);
      sleepers.fetch_sub(1);
      turn.woken();
    }
  }

  void wake(int64_t wanted) {
    int asleep = sleepers.load();
    if (asleep == 0) return;
    wakeups.fetch_add(1);
    if (wanted >= asleep)
      wakeups.notify_all();
    else
      for (int64_t i = 0; i < wanted; ++i) wakeups.notify_one();
  }

  void run(int64_t items, int64_t count, int64_t alignment, detail::ChunkFn body, void* body_context, bool light) {
    fn = body;
    context = body_context;
    n = items;
    chunks = count;
    align = alignment;
    keep_helpers_off();
    failed.store(false, std::memory_order_relaxed);
    unfinished.store(static_cast<uint32_t>(count), std::memory_order_relaxed);
    uint64_t job = (ticket.load(std::memory_order_relaxed) >> 32) + 1;
    ticket.store(job << 32 | static_cast<uint64_t>(count)
                                 << 16);  // sequentially consistent: ordered before wake()'s look
    if (light && sleepers.load() > 0) {
      auto start = Clock::now();
      work_once(true);
      auto left = untaken(ticket.load(std::memory_order_relaxed));
      auto now = Clock::now();
      bool stream = start - last_light < kStreamGap;
      last_light = now;
      if ((now - start) * left > (stream ? kWorthWakingInStream : kWorthWaking)) wake(left);
    } else {
      wake(count - 1);
    }
    while (work_once(true)) {
    }
    auto finished = [&] { return unfinished.load(std::memory_order_acquire) == 0; };
    if (!spin(kCallerSpin, finished))
      for (uint32_t left; (left = unfinished.load(std::memory_order_acquire)) != 0;) unfinished.wait(left);
    if (failed.load(std::memory_order_relaxed)) {
      std::exception_ptr thrown = std::move(error);
      error = nullptr;
      std::rethrow_exception(thrown);
    }
  }
};

int env_threads(const char* name) {
  const char* text = std::getenv(name);
  int value = text ? std::atoi(text) : 0;
  return value > 0 ? std::min(value, 1024) : 0;
}

int default_threads() {
  for (const char* name : {"RUSHLIGHT_NUM_THREADS", "OMP_NUM_THREADS"})
    if (int n = env_threads(name)) return n;
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

// Never destroyed: the threads are detached and may outlive static destructors. Each thread owns a share of its pool.
struct Runtime {
  std::atomic<int> wanted{0};
  std::mutex busy;  // held by the one caller that uses the pool; a second caller works alone
  std::shared_ptr<Pool> pool;

  Pool& current() {
    int helpers = wanted.load(std::memory_order_relaxed) - 1;
    if (pool && pool->helpers == helpers) [[likely]]
      return *pool;
    if (pool) {
      pool->stop.store(true);
      pool->wakeups.fetch_add(1);
      pool->wakeups.notify_all();
    }
    pool = std::make_shared<Pool>();
    pool->helpers = helpers;
    try {
      for (int i = 0; i < helpers; ++i) std::thread([p = pool] { p->helper_loop(); }).detach();
    } catch (const std::system_error&) {
      // no more threads to be had: the work is done by those there are, the caller among them
    }
    return *pool;
  }
};

alignas(Runtime) unsigned char runtime_storage[sizeof(Runtime)];

Runtime& runtime() {
  static Runtime* instance = [] {
    Runtime* r = new (runtime_storage) Runtime;
    r->wanted = default_threads();
#if !defined(_WIN32)
    // A forked child has none of the threads; whatever state the pool was in is forgotten without touching it.
    pthread_atfork(nullptr, nullptr, [] {
      int n = std::launder(reinterpret_cast<Runtime*>(runtime_storage))->wanted;
      (new (runtime_storage) Runtime)->wanted = n;
      if (!is_helper) in_region = false;
    });
#endif
    return r;
  }();
  return *instance;
}

BlockingHooks blocking_hooks;

struct RegionScope {
  RegionScope() { in_region = true; }
  ~RegionScope() { in_region = false; }
};

}  // namespace

int num_threads() { return runtime().wanted.load(std::memory_order_relaxed); }

void set_num_threads(int n) {
  check(n > 0, "set_num_threads expects a positive integer, got ", n);
  runtime().wanted.store(std::min(n, 1024), std::memory_order_relaxed);  // the pool follows at its next use
}

bool in_parallel_region() { return in_region; }

void set_blocking_hooks(BlockingHooks hooks) { blocking_hooks = hooks; }

BlockingRegion::BlockingRegion() {
  if (is_helper || blocking_depth++ > 0 || !blocking_hooks.enter) return;
  state_ = blocking_hooks.enter();
}

BlockingRegion::~BlockingRegion() {
  if (is_helper) return;
  --blocking_depth;
  if (state_) blocking_hooks.leave(state_);
}

namespace {

void run_in_pool(int64_t n, int64_t grain, detail::ChunkFn fn, void* context, bool light) {
  if (in_region) {
    fn(context, 0, n);
    return;
  }
  Runtime& r = runtime();
  grain = std::max<int64_t>(grain, 1);
  int64_t threads = r.wanted.load(std::memory_order_relaxed);
  int64_t chunks = std::min(n / grain, threads * kChunksPerThread);
  if (chunks <= 1 || threads <= 1) {
    fn(context, 0, n);
    return;
  }
  BlockingRegion region;
  std::unique_lock lock(r.busy, std::try_to_lock);
  RegionScope scope;
  if (!lock) {
    fn(context, 0, n);
    return;
  }
  int64_t align = n / chunks >= 1024 ? 64 : 1;
  r.current().run(n, chunks, align, fn, context, light);
}

}  // namespace

namespace detail {

void run_chunks(int64_t n, int64_t grain, ChunkFn fn, void* context) {
  if (!in_meta_scope()) run_in_pool(n, grain, fn, context, false);
}
void run_light_chunks(int64_t n, int64_t grain, ChunkFn fn, void* context) {
  if (!in_meta_scope()) run_in_pool(n, grain, fn, context, true);
}

}  // namespace detail
}  // namespace rl
