// Direct convolution over channels-last volumes, in gather form: out[o] = sum over taps t and channels of in[o * step + offset[t]] * w[t].
// A forward convolution is one such plan; the input gradient of a strided one is a plan per parity class of the input grid.
#pragma once

#include <cstddef>
#include <cstdint>

enum Activation : int { kLinear = 0, kRelu = 1, kLeakyRelu = 2 };

struct ConvPlan {
  int64_t batch;
  int64_t in[3];   // depth, height, width of the tensor that is read
  int64_t ci, co;  // its channels; channels of the tensor that is written
  int64_t out[3];  // the grid of outputs of this plan
  int64_t outBatch, outStride[3];  // element strides of that grid in the written tensor
  int64_t step[3];
  int taps[3];
  const int64_t* offset[3];  // per tap, ascending: input coordinate of output 0
  // Blocking, filled by planBlocks().
  int64_t rows, planes;          // outputs per work item: `rows` along height, `planes` along depth
  int64_t rowBlocks, planeBlocks;
  int64_t chunk;                 // input channels per pass over the taps
  bool padded;                   // some tap reads outside the input, so rows are copied with a zero border
  bool merged;                   // the taps along width are neighbors, so that one run covers all of them
  int64_t low[3], span[3];       // smallest offset; extent of the input that a block reads
};

struct ConvTable {
  int lanes;
  void (*planBlocks)(ConvPlan& plan, int threads);
  size_t (*packedSize)(const ConvPlan& plan);
  // w is [all taps of the filter, …]; tapIndex names the filter's tap for each tap of the plan; element (ci, co) lies at ci * strideIn + co * strideOut.
  // Blocks [begin, end) of packBlocks().
  int64_t (*packBlocks)(const ConvPlan& plan);
  void (*pack)(const ConvPlan& plan, const float* w, const int64_t* tapIndex, int64_t tapSize, int64_t strideIn, int64_t strideOut, float* packed,
               size_t begin, size_t end);
  size_t (*scratchSize)(const ConvPlan& plan);
  // Work items [begin, end) of batch * planeBlocks * rowBlocks.
  void (*run)(const ConvPlan& plan, const float* in, const float* packed, const float* bias, int activation, float alpha, float* out, float* scratch,
              size_t begin, size_t end);
  // Filter gradient: adds to sums[taps * ci][co rounded up to lanes].
  size_t (*filterScratchSize)(const ConvPlan& plan);
  void (*filter)(const ConvPlan& plan, const float* in, const float* dy, float* sums, float* scratch, size_t begin, size_t end);
  void (*addParts)(const float* sums, int64_t size, int parts, int64_t stride, int64_t co, float* to, size_t begin, size_t end);
};
