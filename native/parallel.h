// A pool of threads for the training side. Data kernels do not use it: they run in loader workers, one thread each.
#pragma once

#include <cstddef>

int threadCount();
// Threads that work is shared among from now on, the caller included.
void setThreadCount(int threads);

// Calls body(context, begin, end, part) for contiguous, nearly equal pieces of [0, items) and returns when all are done. Threads take the next piece when
// they are done with one, so a core that others use too holds nobody up. With parts > 0 there are min(parts, items) pieces and `part` is the number of the
// piece: sums kept by part are the same whichever thread ran it. Calls from several threads take turns.
void parallelRun(size_t items, int parts, void (*body)(void* context, size_t begin, size_t end, int part), void* context);

template <class Body>
void parallelParts(size_t items, int parts, const Body& body) {
  parallelRun(
      items, parts, [](void* context, size_t begin, size_t end, int part) { (*static_cast<const Body*>(context))(begin, end, part); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

template <class Body>
void parallelFor(size_t items, const Body& body) {
  parallelParts(items, 0, body);
}
