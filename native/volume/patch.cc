#include "simd/volume/patch.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "families.h"
#include "isa.h"
#include "volume-arguments.h"

VOX_DECLARE(PatchTable, patchTable)

namespace {

// mirror(input, shape, output, depth, height, width)
void mirror(const Napi::CallbackInfo& info) {
  Extents shape;
  Bytes input, output;
  if (!readExtents(info, 1, shape) || !readBytes(info, 0, shape.count(), input) || !readBytes(info, 2, shape.count(), output)) return;
  if (input.elementSize != output.elementSize) {
    rangeError(info, "mirror: input and output must have one element type");
    return;
  }
  const bool turnsDepth = info[3].ToBoolean(), turnsHeight = info[4].ToBoolean(), turnsWidth = info[5].ToBoolean();
  const size_t voxel = input.elementSize * shape.channels;
  const size_t row = voxel * shape.width;
  const PatchTable& table = VOX_SELECT(patchTable);
  for (int64_t z = 0; z < shape.depth; z++) {
    const int64_t fromZ = turnsDepth ? shape.depth - 1 - z : z;
    for (int64_t y = 0; y < shape.height; y++) {
      const int64_t fromY = turnsHeight ? shape.height - 1 - y : y;
      const uint8_t* from = input.data + (fromZ * shape.height + fromY) * row;
      uint8_t* to = output.data + (z * shape.height + y) * row;
      if (turnsWidth) table.reverse(from, to, shape.width, voxel);
      else std::memcpy(to, from, row);
    }
  }
}

// Rows of a turned volume: `count` voxels from `from`, `stride` bytes apart, into neighboring places. A turn is a transposition in blocks, so that lines
// of the cache are used up while they are there.
struct TurnView {
  int64_t size[3], stride[3];
  const uint8_t* first;
};

template <size_t bytes>
void turnVoxels(const TurnView& v, uint8_t* output, size_t size) {
  const size_t voxel = bytes ? bytes : size;
  // The output axis along which the input is contiguous, if it is not the last one.
  const int near = v.stride[2] == static_cast<int64_t>(voxel) || v.stride[2] == -static_cast<int64_t>(voxel) ? 2 : (std::abs(v.stride[1]) < std::abs(v.stride[0]) ? 1 : 0);
  const int64_t block = near == 2 ? v.size[2] : 32;
  const int64_t blocks = near == 2 ? 1 : 32;
  const int far = near == 2 ? 1 : near;
  const int other = 1 - far;
  const int64_t to[2] = {v.size[1] * v.size[2] * static_cast<int64_t>(voxel), v.size[2] * static_cast<int64_t>(voxel)};
  for (int64_t o = 0; o < v.size[other]; o++) {
    for (int64_t n0 = 0; n0 < v.size[far]; n0 += blocks) {
      for (int64_t x0 = 0; x0 < v.size[2]; x0 += block) {
        for (int64_t n = n0; n < std::min(n0 + blocks, v.size[far]); n++) {
          const uint8_t* from = v.first + o * v.stride[other] + n * v.stride[far] + x0 * v.stride[2];
          uint8_t* at = output + o * to[other] + n * to[far] + x0 * voxel;
          const int64_t end = std::min(x0 + block, v.size[2]);
          for (int64_t x = x0; x < end; x++, from += v.stride[2], at += voxel) std::memcpy(at, from, voxel);
        }
      }
    }
  }
}

// reorient(input, shape, output, order, flips): output axis k runs along input axis order[k], backwards where flips[k].
void reorient(const Napi::CallbackInfo& info) {
  Extents shape;
  Bytes input, output;
  int64_t order[3], flips[3];
  if (!readExtents(info, 1, shape) || !readBytes(info, 0, shape.count(), input) || !readBytes(info, 2, shape.count(), output)) return;
  if (!readTriple(info, 3, order) || !readTriple(info, 4, flips)) return;
  int seen = 0;
  for (const int64_t axis : order) seen |= axis >= 0 && axis < 3 ? 1 << axis : 8;
  if (seen != 7) return static_cast<void>(rangeError(info, "reorient: order must be a permutation of 0, 1, 2"));
  if (input.elementSize != output.elementSize) return static_cast<void>(rangeError(info, "reorient: input and output must have one element type"));
  const size_t voxel = input.elementSize * shape.channels;
  const int64_t size[3] = {shape.depth, shape.height, shape.width};
  const int64_t stride[3] = {shape.height * shape.width * static_cast<int64_t>(voxel), shape.width * static_cast<int64_t>(voxel), static_cast<int64_t>(voxel)};
  TurnView v;
  v.first = input.data;
  for (int k = 0; k < 3; k++) {
    v.size[k] = size[order[k]];
    v.stride[k] = stride[order[k]];
    if (!flips[k]) continue;
    v.first += (v.size[k] - 1) * v.stride[k];
    v.stride[k] = -v.stride[k];
  }
  if (order[2] == 2 && !flips[2]) {
    const size_t row = voxel * shape.width;
    for (int64_t z = 0; z < v.size[0]; z++) {
      for (int64_t y = 0; y < v.size[1]; y++) std::memcpy(output.data + (z * v.size[1] + y) * row, v.first + z * v.stride[0] + y * v.stride[1], row);
    }
    return;
  }
  switch (voxel) {
    case 1: return turnVoxels<1>(v, output.data, voxel);
    case 2: return turnVoxels<2>(v, output.data, voxel);
    case 4: return turnVoxels<4>(v, output.data, voxel);
    case 8: return turnVoxels<8>(v, output.data, voxel);
    default: return turnVoxels<0>(v, output.data, voxel);
  }
}

// Repeats the `size` bytes of `pattern` over `count` of them.
void fillRow(uint8_t* to, size_t count, const uint8_t* pattern, size_t size) {
  if (count == 0) return;
  if (std::all_of(pattern, pattern + size, [&](uint8_t b) { return b == pattern[0]; })) {
    std::memset(to, pattern[0], count * size);
    return;
  }
  std::memcpy(to, pattern, size);
  for (size_t done = 1; done < count;) {
    const size_t more = std::min(done, count - done);
    std::memcpy(to + done * size, to, more * size);
    done += more;
  }
}

// copyBox(input, shape, output, outShape, start, fill)
void copyBox(const Napi::CallbackInfo& info) {
  Extents shape, out;
  Bytes input, output, fill;
  int64_t start[3];
  if (!readExtents(info, 1, shape) || !readExtents(info, 3, out) || !readTriple(info, 4, start)) return;
  if (shape.channels != out.channels) {
    rangeError(info, "copyBox: shapes must have the same channels");
    return;
  }
  if (!readBytes(info, 0, shape.count(), input) || !readBytes(info, 2, out.count(), output) || !readBytes(info, 5, shape.channels, fill)) return;
  if (input.elementSize != output.elementSize || input.elementSize != fill.elementSize) {
    rangeError(info, "copyBox: input, output and fill must have one element type");
    return;
  }
  const size_t voxel = input.elementSize * shape.channels;
  const int64_t first = std::min(std::max<int64_t>(0, -start[2]), out.width);
  const int64_t end = std::max(first, std::min(out.width, shape.width - start[2]));
  std::vector<uint8_t> blank;
  for (int64_t z = 0; z < out.depth; z++) {
    for (int64_t y = 0; y < out.height; y++) {
      uint8_t* to = output.data + (z * out.height + y) * out.width * voxel;
      const int64_t fromZ = z + start[0], fromY = y + start[1];
      if (fromZ < 0 || fromZ >= shape.depth || fromY < 0 || fromY >= shape.height || first == end) {
        if (blank.empty()) {
          blank.resize(out.width * voxel);
          fillRow(blank.data(), out.width, fill.data, voxel);
        }
        std::memcpy(to, blank.data(), blank.size());
        continue;
      }
      fillRow(to, first, fill.data, voxel);
      std::memcpy(to + first * voxel, input.data + ((fromZ * shape.height + fromY) * shape.width + start[2] + first) * voxel, (end - first) * voxel);
      fillRow(to + end * voxel, out.width - end, fill.data, voxel);
    }
  }
}

enum class Pad { edge, reflect, minimum };

int64_t reflected(int64_t i, int64_t extent) {
  if (extent == 1) return 0;
  const int64_t period = 2 * (extent - 1);
  const int64_t at = ((i % period) + period) % period;
  return at < extent ? at : period - at;
}

// Fills the positions outside [first, end) along one axis of an array seen as [outer, extent, inner]; lines from `outerBegin` and, inside each, elements
// [innerBegin, innerEnd) only: the axes to come are still unfilled beyond them.
template <class T>
void padAxis(T* data, int64_t extent, int64_t first, int64_t end, int64_t inner, int64_t innerBegin, int64_t innerEnd, Pad mode, std::vector<T>& smallest) {
  const int64_t length = innerEnd - innerBegin;
  if (mode == Pad::minimum) {
    smallest.assign(data + first * inner + innerBegin, data + first * inner + innerEnd);
    for (int64_t k = first + 1; k < end; k++) {
      const T* row = data + k * inner + innerBegin;
      for (int64_t i = 0; i < length; i++) smallest[i] = row[i] < smallest[i] ? row[i] : smallest[i];
    }
  }
  for (int64_t k = 0; k < extent; k++) {
    if (k >= first && k < end) continue;
    T* to = data + k * inner + innerBegin;
    if (mode == Pad::minimum) {
      std::copy(smallest.begin(), smallest.end(), to);
    } else {
      const int64_t from = mode == Pad::edge ? (k < first ? 0 : end - first - 1) : reflected(k - first, end - first);
      std::memcpy(to, data + (first + from) * inner + innerBegin, length * sizeof(T));
    }
  }
}

template <class T>
void padOutside(T* data, const Extents& out, const Extents& shape, const int64_t* before, Pad mode) {
  std::vector<T> smallest;
  const int64_t row = out.width * out.channels, plane = out.height * row;
  const int64_t xBegin = before[2] * out.channels, xEnd = (before[2] + shape.width) * out.channels;
  // Depth: only the rows and columns of the image; height: all slices; width: all rows.
  for (int64_t y = before[1]; y < before[1] + shape.height; y++) {
    padAxis(data + y * row, out.depth, before[0], before[0] + shape.depth, plane, xBegin, xEnd, mode, smallest);
  }
  for (int64_t z = 0; z < out.depth; z++) {
    padAxis(data + z * plane, out.height, before[1], before[1] + shape.height, row, xBegin, xEnd, mode, smallest);
  }
  if (shape.width == out.width) return;
  for (int64_t line = 0; line < out.depth * out.height; line++) {
    padAxis(data + line * row, out.width, before[2], before[2] + shape.width, out.channels, 0, out.channels, mode, smallest);
  }
}

// padOutside(output, outShape, shape, before, mode): mode 0 edge, 1 reflect, 2 minimum; the image stands at `before` already.
void padOutsideOf(const Napi::CallbackInfo& info) {
  Extents out, shape;
  int64_t before[3];
  Bytes output;
  if (!readExtents(info, 1, out) || !readExtents(info, 2, shape) || !readTriple(info, 3, before) || !readBytes(info, 0, out.count(), output)) return;
  const int64_t mode = integer(info, 4);
  const int64_t inside[3] = {shape.depth, shape.height, shape.width}, whole[3] = {out.depth, out.height, out.width};
  bool fits = shape.channels == out.channels && mode >= 0 && mode <= 2;
  for (int axis = 0; axis < 3; axis++) fits = fits && before[axis] >= 0 && before[axis] + inside[axis] <= whole[axis];
  if (!fits) {
    rangeError(info, "padOutside: the image must lie inside the output");
    return;
  }
  const Pad how = static_cast<Pad>(mode);
  switch (info[0].As<Napi::TypedArray>().TypedArrayType()) {
    case napi_int8_array: return padOutside(reinterpret_cast<int8_t*>(output.data), out, shape, before, how);
    case napi_uint8_array: return padOutside(output.data, out, shape, before, how);
    case napi_int16_array: return padOutside(reinterpret_cast<int16_t*>(output.data), out, shape, before, how);
    case napi_uint16_array: return padOutside(reinterpret_cast<uint16_t*>(output.data), out, shape, before, how);
    case napi_int32_array: return padOutside(reinterpret_cast<int32_t*>(output.data), out, shape, before, how);
    case napi_uint32_array: return padOutside(reinterpret_cast<uint32_t*>(output.data), out, shape, before, how);
    case napi_float32_array: return padOutside(reinterpret_cast<float*>(output.data), out, shape, before, how);
    case napi_float64_array: return padOutside(reinterpret_cast<double*>(output.data), out, shape, before, how);
    default: rangeError(info, "padOutside: the element type is not supported");
  }
}

}  // namespace

void registerPatch(Napi::Env env, Napi::Object exports) {
  exports.Set("reorient", Napi::Function::New(env, reorient));
  exports.Set("mirror", Napi::Function::New(env, mirror));
  exports.Set("copyBox", Napi::Function::New(env, copyBox));
  exports.Set("padOutside", Napi::Function::New(env, padOutsideOf));
}
