// How a convolution's output is cut into pieces for the pool: blocks of rows of blocks of planes.
#pragma once

#include "conv.h"

namespace VOX_NS {

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t roundUp(int64_t a, int64_t b) { return (a + b - 1) / b * b; }

// Nearly equal blocks of at most `size`.
static inline void equalBlocks(int64_t extent, int64_t& size, int64_t& blocks) {
  blocks = (extent + size - 1) / size;
  size = (extent + blocks - 1) / blocks;
  blocks = (extent + size - 1) / size;
}

// Enough pieces that threads even out when others use their cores too, but not so thin that copying the border planes shows.
static inline void cutPlanes(const ConvPlan& p, int64_t rowBlocks, int threads, int64_t& planes, int64_t& planeBlocks) {
  const int64_t items = p.batch * rowBlocks;
  int64_t split = 1;
  while (items * split < 2 * threads && split * 2 <= p.out[0]) split *= 2;
  while (threads > 1 && items * split < 8 * threads && p.out[0] / (split * 2) >= 4 * p.taps[0]) split *= 2;
  planes = (p.out[0] + split - 1) / split;
  planeBlocks = (p.out[0] + planes - 1) / planes;
}

struct Piece {
  int64_t n, firstPlane, lastPlane, row0, rows;
};

// Of `blocks`, a plan with its rows and planes per block; `height` is in the unit of those rows.
template <class Blocks>
static inline Piece pieceOf(const Blocks& blocks, int64_t depth, int64_t height, int64_t rowsPerBlock, int64_t item) {
  const int64_t first = item / blocks.rowBlocks % blocks.planeBlocks * blocks.planes, row0 = item % blocks.rowBlocks * rowsPerBlock;
  return {item / (blocks.planeBlocks * blocks.rowBlocks), first, least(depth, first + blocks.planes), row0, least(rowsPerBlock, height - row0)};
}

}  // namespace VOX_NS
