#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace {

struct Job {
  void (*body)(void*, size_t, size_t, int);
  void* context;
  size_t items;
  int parts;
};

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
      left_ = job.parts - 1;
      generation_++;
    }
    if (job.parts > 1) wake_.notify_all();
    part(job, 0);
    // The parts are of equal size, so the others end at about the same time: spinning for a moment saves the sleep.
    for (int spin = 0; left_.load(std::memory_order_acquire) > 0; spin++) {
      if (spin > 4000) std::this_thread::yield();
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
    for (int i = 0; i < workers; i++) workers_.emplace_back([this, i, seen = generation_]() mutable { work(i + 1, seen); });
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

  void work(int index, uint64_t seen) {
    for (;;) {
      Job job;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return quit_ || generation_ != seen; });
        if (quit_) return;
        seen = generation_;
        job = job_;
      }
      if (index < job.parts) {
        part(job, index);
        left_.fetch_sub(1, std::memory_order_release);
      }
    }
  }

  static void part(const Job& job, int index) {
    const size_t begin = job.items * index / job.parts;
    const size_t end = job.items * (index + 1) / job.parts;
    if (begin < end) job.body(job.context, begin, end, index);
  }

  std::mutex turn_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
  std::atomic<int> threads_{1};
  std::atomic<int> left_{0};
  uint64_t generation_ = 0;
  bool quit_ = false;
  Job job_{};
};

}  // namespace

int threadCount() { return Pool::instance().size(); }

void setThreadCount(int threads) { Pool::instance().resize(threads); }

void parallelRun(size_t items, void (*body)(void*, size_t, size_t, int), void* context) {
  if (items == 0) return;
  Pool& pool = Pool::instance();
  const int parts = static_cast<int>(std::min<size_t>(items, pool.size()));
  if (parts == 1) return body(context, 0, items, 0);
  pool.run({body, context, items, parts});
}
