#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace {

struct Job {
  void (*body)(void*, size_t, size_t, int);
  void* context;
  size_t items;
  size_t pieces;
};

inline void pauseThread() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Pieces per thread: enough to even out, few enough to cost nothing.
constexpr size_t kPieces = 8;

class Pool {
 public:
  int size() const { return threads_.load(); }

  void resize(int threads) {
    std::lock_guard<std::mutex> turn(turn_);
    stop();
    threads_ = std::max(1, threads);
    start();
  }

  void run(const Job& job) {
    std::lock_guard<std::mutex> turn(turn_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = job;
      next_.store(0, std::memory_order_relaxed);
      open_ = true;
      generation_++;
    }
    wake_.notify_all();
    work(job);
    {
      // From here on nobody joins: a thread that the system has not woken yet is not waited for.
      std::lock_guard<std::mutex> lock(mutex_);
      open_ = false;
    }
    // Those that joined end their last piece at about the same time: spinning for a moment saves the sleep.
    for (int spin = 0; active_.load(std::memory_order_acquire) > 0; spin++) {
      if (spin > 4000) std::this_thread::yield();
      else pauseThread();
    }
  }

  // Never destroyed: threads would have to be joined at a time when the process may already be tearing down.
  static Pool& instance() {
    static Pool* pool = new Pool();
    return *pool;
  }

 private:
  Pool() {
    threads_ = std::max(1u, std::thread::hardware_concurrency());
    start();
  }

  void start() {
    quit_ = false;
    const int workers = threads_ - 1;
    for (int i = 0; i < workers; i++) workers_.emplace_back([this, seen = generation_.load()] { serve(seen); });
  }

  void stop() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      quit_ = true;
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
    workers_.clear();
  }

  // The next job of a training step comes within microseconds. A thread that slept would be woken on the caller's core when the others are busy, and wait
  // there behind it; one that stays awake for a moment keeps its own.
  void linger(uint64_t seen) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(200);
    do {
      for (int i = 0; i < 64; i++) {
        if (quit_ || (open_ && generation_ != seen)) return;
        pauseThread();
      }
    } while (std::chrono::steady_clock::now() < end);
  }

  void serve(uint64_t seen) {
    for (;;) {
      linger(seen);
      Job job;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return quit_ || (open_ && generation_ != seen); });
        if (quit_) return;
        seen = generation_;
        job = job_;
        active_.fetch_add(1, std::memory_order_relaxed);
      }
      work(job);
      active_.fetch_sub(1, std::memory_order_release);
    }
  }

  void work(const Job& job) {
    for (size_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < job.pieces;) {
      const size_t begin = job.items * i / job.pieces;
      const size_t end = job.items * (i + 1) / job.pieces;
      if (begin < end) job.body(job.context, begin, end, static_cast<int>(i));
    }
  }

  std::mutex turn_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
  std::atomic<int> threads_{1};
  std::atomic<int> active_{0};
  std::atomic<size_t> next_{0};
  std::atomic<uint64_t> generation_{0};
  std::atomic<bool> open_{false};
  std::atomic<bool> quit_{false};
  Job job_{};
};

}  // namespace

int threadCount() { return Pool::instance().size(); }

void setThreadCount(int threads) { Pool::instance().resize(threads); }

void parallelRun(size_t items, int parts, void (*body)(void*, size_t, size_t, int), void* context) {
  if (items == 0) return;
  Pool& pool = Pool::instance();
  const size_t pieces = std::min(items, parts > 0 ? static_cast<size_t>(parts) : pool.size() * kPieces);
  if (pieces == 1) return body(context, 0, items, 0);
  pool.run({body, context, items, pieces});
}
