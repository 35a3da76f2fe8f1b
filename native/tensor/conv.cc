#include "simd/tensor/conv.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "arguments.h"
#include "families.h"
#include "isa.h"
#include "parallel.h"
#include "scratch.h"
#include "shapes.h"
#include "simd/tensor/winograd.h"

VOX_DECLARE(ConvTable, convTable)
VOX_DECLARE(WinogradTable, winogradTable)

namespace {

// What describes a convolution in each call: 21 numbers in this order.
struct Geometry {
  int64_t batch, in[3], ci, taps[3], co, out[3], stride[3], dilation[3], before[3];
  size_t inSize() const { return static_cast<size_t>(batch) * in[0] * in[1] * in[2] * ci; }
  size_t outSize() const { return static_cast<size_t>(batch) * out[0] * out[1] * out[2] * co; }
  size_t filterSize() const { return static_cast<size_t>(taps[0]) * taps[1] * taps[2] * ci * co; }
};

bool geometry(const Napi::CallbackInfo& info, size_t i, Geometry& g) {
  int64_t n[21];
  if (!readGeometry(info, i, "conv", n)) return false;
  g.batch = n[0];
  g.ci = n[4];
  g.co = n[8];
  for (int a = 0; a < 3; a++) {
    g.in[a] = n[1 + a];
    g.taps[a] = n[5 + a];
    g.out[a] = n[9 + a];
    g.stride[a] = n[12 + a];
    g.dilation[a] = n[15 + a];
    g.before[a] = n[18 + a];
    if (g.in[a] < 0 || g.out[a] < 0 || g.taps[a] < 1 || g.taps[a] > 63 || g.stride[a] < 1 || g.dilation[a] < 1) {
      return rangeError(info, "conv: sizes must be >= 0, filters 1 to 63, strides and dilations >= 1");
    }
  }
  if (g.batch < 0 || g.ci < 0 || g.co < 0) return rangeError(info, "conv: sizes must be >= 0");
  if (g.taps[0] * g.taps[1] * g.taps[2] > 4096) return rangeError(info, "conv: filters have at most 4096 taps");
  const double limit = 9e15;
  if (double(g.batch) * g.in[0] * g.in[1] * g.in[2] * g.ci > limit || double(g.batch) * g.out[0] * g.out[1] * g.out[2] * g.co > limit) {
    return rangeError(info, "conv: the tensor is too large");
  }
  return true;
}

thread_local Scratch blockScratch;
thread_local Scratch weightScratch;
thread_local Scratch sumScratch;

struct Offsets {
  int64_t axis[3][64];
};

// Fills a plan whose written tensor is channels-last and dense with extent `full`, of which the plan's grid takes every stride-th voxel from `first`.
void grid(ConvPlan& p, const int64_t* full, const int64_t* first, const int64_t* stride, int64_t& start) {
  const int64_t dense[3] = {full[1] * full[2] * p.co, full[2] * p.co, p.co};
  start = 0;
  p.outBatch = full[0] * dense[0];
  for (int a = 0; a < 3; a++) {
    p.outStride[a] = dense[a] * stride[a];
    start += dense[a] * first[a];
  }
}

// False where the direct way has to be taken: other shapes, values that are not finite, no memory.
bool runWinograd(const ConvPlan& p, const float* in, const float* w, const int64_t* tapIndex, int64_t tapSize, int64_t strideIn, int64_t strideOut,
                 const float* bias, int activation, float alpha, float* out) {
  const WinogradTable& table = VOX_SELECT(winogradTable);
  WinogradPlan plan;
  if (!table.plan(p, threadCount(), false, plan)) return false;
  float* packed = weightScratch.floats(table.packedSize(p));
  if (!packed) return false;
  parallelFor(table.packBlocks(p), [&](size_t begin, size_t end, int) { table.pack(p, w, tapIndex, tapSize, strideIn, strideOut, packed, begin, end); });
  const size_t scratch = table.scratchSize(p, plan);
  std::atomic<bool> ok{true};
  parallelFor(static_cast<size_t>(p.batch) * plan.planeBlocks * plan.rowBlocks, [&](size_t begin, size_t end, int) {
    float* memory = blockScratch.floats(scratch);
    if (!memory || !table.run(p, plan, in, packed, bias, activation, alpha, out, memory, begin, end)) ok = false;
  });
  return ok;
}

bool runPlan(ConvPlan& p, const float* in, const float* w, const int64_t* tapIndex, int64_t tapSize, int64_t strideIn, int64_t strideOut, const float* bias,
             int activation, float alpha, float* out) {
  if (runWinograd(p, in, w, tapIndex, tapSize, strideIn, strideOut, bias, activation, alpha, out)) return true;
  const ConvTable& table = VOX_SELECT(convTable);
  table.planBlocks(p, threadCount());
  float* packed = weightScratch.floats(table.packedSize(p));
  if (!packed) return false;
  parallelFor(table.packBlocks(p), [&](size_t begin, size_t end, int) { table.pack(p, w, tapIndex, tapSize, strideIn, strideOut, packed, begin, end); });
  const size_t scratch = table.scratchSize(p);
  std::atomic<bool> ok{true};
  parallelFor(static_cast<size_t>(p.batch) * p.planeBlocks * p.rowBlocks, [&](size_t begin, size_t end, int) {
    float* memory = blockScratch.floats(scratch);
    if (scratch && !memory) {
      ok = false;
      return;
    }
    table.run(p, in, packed, bias, activation, alpha, out, memory, begin, end);
  });
  return ok;
}

void outOfMemory(const Napi::CallbackInfo& info) { rangeError(info, "conv: not enough memory for working space"); }

ConvPlan forwardPlan(const Geometry& g, Offsets& offsets, std::vector<int64_t>& index) {
  ConvPlan p{};
  p.batch = g.batch;
  p.ci = g.ci;
  p.co = g.co;
  const int64_t none[3] = {0, 0, 0}, unit[3] = {1, 1, 1};
  for (int a = 0; a < 3; a++) {
    p.in[a] = g.in[a];
    p.out[a] = g.out[a];
    p.step[a] = g.stride[a];
    p.taps[a] = static_cast<int>(g.taps[a]);
    for (int64_t t = 0; t < g.taps[a]; t++) offsets.axis[a][t] = t * g.dilation[a] - g.before[a];
    p.offset[a] = offsets.axis[a];
  }
  int64_t start;
  grid(p, g.out, none, unit, start);
  index.resize(g.taps[0] * g.taps[1] * g.taps[2]);
  for (size_t t = 0; t < index.size(); t++) index[t] = static_cast<int64_t>(t);
  return p;
}

const float* optionalBias(const Napi::CallbackInfo& info, size_t i, size_t channels, bool& ok) {
  ok = true;
  if (info[i].IsNull() || info[i].IsUndefined()) return nullptr;
  const float* bias = elements<float>(info, i, channels);
  ok = bias != nullptr;
  return bias;
}

// Every output without a tap is its bias, through the activation.
void fillBias(float* out, size_t voxels, int64_t channels, const float* bias, int activation, float alpha) {
  for (size_t v = 0; v < voxels; v++) {
    for (int64_t c = 0; c < channels; c++) {
      const float x = bias ? bias[c] : 0;
      out[v * channels + c] = activation == kRelu ? (x > 0 ? x : 0) : activation == kLeakyRelu ? (x > 0 ? x : x * alpha) : x;
    }
  }
}

// convForward(x, w, bias | null, y, geometry, activation, alpha)
void forward(const Napi::CallbackInfo& info) {
  Geometry g;
  if (!geometry(info, 4, g)) return;
  const float* x = elements<float>(info, 0, g.inSize());
  const float* w = x ? elements<float>(info, 1, g.filterSize()) : nullptr;
  float* y = w ? elements<float>(info, 3, g.outSize()) : nullptr;
  bool ok;
  const float* bias = y ? optionalBias(info, 2, g.co, ok) : nullptr;
  if (!y || !ok) return;
  const int activation = static_cast<int>(integer(info, 5));
  const float alpha = static_cast<float>(number(info, 6));
  if (g.outSize() == 0) return;
  if (g.inSize() == 0) return fillBias(y, g.outSize() / g.co, g.co, bias, activation, alpha);
  Offsets offsets;
  std::vector<int64_t> index;
  ConvPlan p = forwardPlan(g, offsets, index);
  if (!runPlan(p, x, w, index.data(), g.ci * g.co, g.co, 1, bias, activation, alpha, y)) outOfMemory(info);
}

// convInputGradient(dy, w, bias | null, dx, geometry, activation, alpha): also the forward pass of a transposed convolution, hence the bias.
void inputGradient(const Napi::CallbackInfo& info) {
  Geometry g;
  if (!geometry(info, 4, g)) return;
  const float* dy = elements<float>(info, 0, g.outSize());
  const float* w = dy ? elements<float>(info, 1, g.filterSize()) : nullptr;
  float* dx = w ? elements<float>(info, 3, g.inSize()) : nullptr;
  bool ok;
  const float* bias = dx ? optionalBias(info, 2, g.ci, ok) : nullptr;
  if (!dx || !ok) return;
  const int activation = static_cast<int>(integer(info, 5));
  const float alpha = static_cast<float>(number(info, 6));
  if (g.inSize() == 0) return;
  const size_t voxels = g.inSize() / g.ci;
  if (g.outSize() == 0) return fillBias(dx, voxels, g.ci, bias, activation, alpha);
  // A parity class per stride: the inputs i with the same (i + before) mod stride are reached by the same taps.
  bool reached = true;
  for (int a = 0; a < 3; a++) {
    for (int64_t r = 0; r < g.stride[a] && r < g.in[a]; r++) {
      bool any = false;
      for (int64_t t = 0; t < g.taps[a]; t++) any = any || (r + g.before[a] - t * g.dilation[a]) % g.stride[a] == 0;
      reached = reached && any;
    }
  }
  if (!reached) fillBias(dx, voxels, g.ci, bias, activation, alpha);
  Offsets offsets;
  int64_t tapOf[3][64];
  std::vector<int64_t> index;
  int64_t r[3];
  for (r[0] = 0; r[0] < g.stride[0] && r[0] < g.in[0]; r[0]++) {
    for (r[1] = 0; r[1] < g.stride[1] && r[1] < g.in[1]; r[1]++) {
      for (r[2] = 0; r[2] < g.stride[2] && r[2] < g.in[2]; r[2]++) {
        ConvPlan p{};
        p.batch = g.batch;
        p.ci = g.co;
        p.co = g.ci;
        bool empty = false;
        for (int a = 0; a < 3; a++) {
          p.in[a] = g.out[a];
          p.out[a] = (g.in[a] - r[a] + g.stride[a] - 1) / g.stride[a];
          p.step[a] = 1;
          int count = 0;
          for (int64_t t = g.taps[a] - 1; t >= 0; t--) {
            const int64_t place = r[a] + g.before[a] - t * g.dilation[a];
            if (place % g.stride[a] != 0) continue;
            offsets.axis[a][count] = place / g.stride[a];
            tapOf[a][count++] = t;
          }
          p.taps[a] = count;
          p.offset[a] = offsets.axis[a];
          empty = empty || count == 0;
        }
        if (empty) continue;
        int64_t start;
        grid(p, g.in, r, g.stride, start);
        index.clear();
        for (int d = 0; d < p.taps[0]; d++)
          for (int h = 0; h < p.taps[1]; h++)
            for (int t = 0; t < p.taps[2]; t++) index.push_back((tapOf[0][d] * g.taps[1] + tapOf[1][h]) * g.taps[2] + tapOf[2][t]);
        if (!runPlan(p, dy, w, index.data(), g.ci * g.co, 1, g.co, bias, activation, alpha, dx + start)) return outOfMemory(info);
      }
    }
  }
}

// Pieces of a filter gradient, each with sums of its own. Several per thread even out better; only while those are small.
int partsOf(size_t items, size_t size, int threads) {
  const size_t perThread = threads == 1 ? 1 : std::min<size_t>(4, std::max<size_t>(1, (size_t{1} << 20) / (size * threads + 1)));
  return static_cast<int>(std::min<size_t>(items, threads * perThread));
}

// False as above.
bool filterWinograd(const ConvPlan& p, const float* x, const float* dy, float* dw) {
  const WinogradTable& table = VOX_SELECT(winogradTable);
  const int threads = threadCount();
  WinogradPlan plan;
  if (!table.plan(p, threads, true, plan)) return false;
  const size_t size = static_cast<size_t>(16) * p.taps[0] * plan.ciStride * plan.coStride;
  const size_t items = static_cast<size_t>(p.batch) * plan.planeBlocks * plan.rowBlocks;
  const int parts = partsOf(items, size, threads);
  float* sums = sumScratch.floats(size * parts);
  if (!sums) return false;
  const size_t scratch = table.filterScratchSize(p, plan);
  std::atomic<bool> ok{true};
  parallelParts(items, parts, [&](size_t begin, size_t end, int part) {
    float* memory = blockScratch.floats(scratch);
    if (!memory) {
      ok = false;
      return;
    }
    std::memset(sums + part * size, 0, size * sizeof(float));
    table.filter(p, plan, x, dy, sums + part * size, memory, begin, end);
  });
  if (!ok) return false;
  parallelFor(static_cast<size_t>(p.taps[0]) * p.ci, [&](size_t begin, size_t end, int) {
    if (!table.finishFilter(p, plan, sums, size, parts, dw, begin, end)) ok = false;
  });
  return ok;
}

// convFilterGradient(x, dy, dw, geometry)
void filterGradient(const Napi::CallbackInfo& info) {
  Geometry g;
  if (!geometry(info, 3, g)) return;
  const float* x = elements<float>(info, 0, g.inSize());
  const float* dy = x ? elements<float>(info, 1, g.outSize()) : nullptr;
  float* dw = dy ? elements<float>(info, 2, g.filterSize()) : nullptr;
  if (!dw) return;
  if (g.filterSize() == 0) return;
  if (g.inSize() == 0 || g.outSize() == 0) return static_cast<void>(std::memset(dw, 0, g.filterSize() * sizeof(float)));
  const ConvTable& table = VOX_SELECT(convTable);
  Offsets offsets;
  std::vector<int64_t> index;
  ConvPlan p = forwardPlan(g, offsets, index);
  if (filterWinograd(p, x, dy, dw)) return;
  const int threads = threadCount();
  table.planBlocks(p, threads);
  const size_t stride = (g.co + table.lanes - 1) / table.lanes * table.lanes;
  const size_t size = index.size() * g.ci * stride;
  // One part whose rows need no padding is the result itself.
  const size_t items = static_cast<size_t>(p.batch) * p.planeBlocks * p.rowBlocks;
  const int parts = partsOf(items, size, threads);
  const bool direct = parts == 1 && stride == static_cast<size_t>(g.co);
  float* sums = direct ? dw : sumScratch.floats(size * parts);
  if (!sums) return outOfMemory(info);
  const size_t scratch = table.filterScratchSize(p);
  std::atomic<bool> ok{true};
  // Fixed parts, summed in their order: the same bits for the same number of threads.
  parallelParts(items, parts, [&](size_t begin, size_t end, int part) {
    float* memory = blockScratch.floats(scratch);
    if (scratch && !memory) {
      ok = false;
      return;
    }
    std::memset(sums + part * size, 0, size * sizeof(float));
    table.filter(p, x, dy, sums + part * size, memory, begin, end);
  });
  if (!ok) return outOfMemory(info);
  if (direct) return;
  parallelFor(index.size() * g.ci, [&](size_t begin, size_t end, int) { table.addParts(sums, size, parts, stride, g.co, dw, begin, end); });
}

}  // namespace

void registerConv(Napi::Env env, Napi::Object exports) {
  exports.Set("convForward", Napi::Function::New(env, forward));
  exports.Set("convInputGradient", Napi::Function::New(env, inputGradient));
  exports.Set("convFilterGradient", Napi::Function::New(env, filterGradient));
}
