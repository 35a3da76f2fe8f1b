// A pool of threads for the training side. Data kernels do not use it: they run in loader workers, one thread each.
#pragma once

#include <cstddef>

int threadCount();
// Threads that parallelFor uses from now on, the caller included.
void setThreadCount(int threads);

// Calls body(context, begin, end, part) for `parts` = min(threadCount(), items) contiguous, nearly equal parts of [0, items), and returns when all are
// done. The cut depends only on items and threadCount(), so sums by part are reproducible. Calls from several threads take turns.
void parallelRun(size_t items, void (*body)(void* context, size_t begin, size_t end, int part), void* context);

template <class Body>
void parallelFor(size_t items, const Body& body) {
  parallelRun(
      items, [](void* context, size_t begin, size_t end, int part) { (*static_cast<const Body*>(context))(begin, end, part); },
      const_cast<void*>(static_cast<const void*>(&body)));
}
