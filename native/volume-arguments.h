// Reads shapes and arrays of volumes from an addon call, and checks that they fit each other.
#pragma once

#include <string>

#include "arguments.h"

struct Extents {
  int64_t depth = 0, height = 0, width = 0, channels = 1;
  size_t voxels() const { return static_cast<size_t>(depth * height * width); }
  size_t count() const { return voxels() * static_cast<size_t>(channels); }
};

inline bool readTriple(const Napi::CallbackInfo& info, size_t i, int64_t* values) {
  if (!info[i].IsArray() || info[i].As<Napi::Array>().Length() < 3) return rangeError(info, "argument " + std::to_string(i) + " must be an array of three numbers");
  const auto array = info[i].As<Napi::Array>();
  for (uint32_t k = 0; k < 3; k++) {
    const double value = array.Get(k).ToNumber().DoubleValue();
    if (!(value >= -1e9 && value <= 1e9)) return rangeError(info, "argument " + std::to_string(i) + " must hold numbers within 1e9");
    values[k] = static_cast<int64_t>(value);
  }
  return true;
}

// [depth, height, width] or [depth, height, width, channels], each >= 1 and their product below 2^40.
inline bool readExtents(const Napi::CallbackInfo& info, size_t i, Extents& extents) {
  int64_t spatial[3];
  if (!readTriple(info, i, spatial)) return false;
  const auto array = info[i].As<Napi::Array>();
  const double channels = array.Length() > 3 ? array.Get(3u).ToNumber().DoubleValue() : 1;
  double product = channels;
  for (const int64_t extent : spatial) product *= static_cast<double>(extent);
  const bool isPositive = spatial[0] >= 1 && spatial[1] >= 1 && spatial[2] >= 1 && channels >= 1 && channels <= 1e6;
  if (!isPositive || !(product < 1099511627776.0)) return rangeError(info, "argument " + std::to_string(i) + " must be extents >= 1");
  extents = {spatial[0], spatial[1], spatial[2], static_cast<int64_t>(channels)};
  return true;
}

struct Bytes {
  uint8_t* data = nullptr;
  size_t elementSize = 0;
};

// The memory of a typed array of any element type with exactly `count` elements.
inline bool readBytes(const Napi::CallbackInfo& info, size_t i, size_t count, Bytes& bytes) {
  if (i < info.Length() && info[i].IsTypedArray()) {
    const auto array = info[i].As<Napi::TypedArray>();
    if (array.ElementLength() == count) {
      // The view's own pointer: ArrayBuffer() would be wrong for shared memory.
      napi_typedarray_type type;
      size_t length, offset;
      void* data = nullptr;
      napi_value buffer;
      if (napi_get_typedarray_info(info.Env(), info[i], &type, &length, &data, &buffer, &offset) == napi_ok) {
        bytes = {static_cast<uint8_t*>(data), array.ElementSize()};
        return true;
      }
    }
  }
  return rangeError(info, "argument " + std::to_string(i) + " must be a typed array of " + std::to_string(count) + " elements");
}
