// Convolutions of 3x3 taps and stride 1 along height and width by Winograd's minimal filtering F(2x2, 3x3), any taps along depth: 16 instead of 36 products
// for four outputs. Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks". The small transforms have the factors 1 and 1/2 only and each
// output depends on its own inputs alone, so that rounding is that of the direct sum.
#pragma once

#include "conv.h"

struct WinogradPlan {
  int64_t tileRows, tileColumns;          // of a plane of outputs; a tile has 2 x 2 of them
  int64_t blockRows, rowBlocks;           // tile rows per work item
  int64_t planes, planeBlocks;            // output planes per work item
  int64_t group;                          // output planes that share one pass over the filters
  int64_t slots;                          // transformed input planes that are held
  int64_t tiles;                          // of a block, rounded up to a multiple of four
  int64_t ciStride, coStride;             // channels, rounded up to whole vectors
  int64_t inPosition, outPosition;        // elements from one of the 16 positions of a transformed tile to the next
};

struct WinogradTable {
  // False where the direct way is taken. `gradient`: of the filter.
  bool (*plan)(const ConvPlan& conv, int threads, bool gradient, WinogradPlan& plan);
  size_t (*packedSize)(const ConvPlan& conv);
  // As in ConvTable, over blocks of packBlocks().
  int64_t (*packBlocks)(const ConvPlan& conv);
  void (*pack)(const ConvPlan& conv, const float* w, const int64_t* tapIndex, int64_t tapSize, int64_t strideIn, int64_t strideOut, float* packed,
               size_t begin, size_t end);
  size_t (*scratchSize)(const ConvPlan& conv, const WinogradPlan& plan);
  // Work items [begin, end) of batch * planeBlocks * rowBlocks. False when an output is not finite: an infinity becomes a NaN on the way through the
  // differences, so the caller takes the direct way then.
  bool (*run)(const ConvPlan& conv, const WinogradPlan& plan, const float* in, const float* packed, const float* bias, int activation, float alpha, float* out,
              float* scratch, size_t begin, size_t end);
  // Filter gradient: adds to sums[16][taps along depth][ciStride][coStride].
  size_t (*filterScratchSize)(const ConvPlan& conv, const WinogradPlan& plan);
  void (*filter)(const ConvPlan& conv, const WinogradPlan& plan, const float* in, const float* dy, float* sums, float* scratch, size_t begin, size_t end);
  // The parts of the sums to the gradient [taps][ci][co], for rows [begin, end) of taps along depth * ci. False as above.
  bool (*finishFilter)(const ConvPlan& conv, const WinogradPlan& plan, const float* sums, int64_t size, int parts, float* dw, size_t begin, size_t end);
};
