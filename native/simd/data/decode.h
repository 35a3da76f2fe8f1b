// Stored voxels of a file → float32 or label voxels at their place in a canonical array.
#pragma once

#include <cstddef>
#include <cstdint>

enum class Stored : int { int8, uint8, int16, uint16, int32, uint32, int64, uint64, float32, float64 };

struct DecodePlan {
  Stored dtype;
  bool swap;          // the bytes of each element are in the other order
  double slope;
  double intercept;
  int64_t shape[4];   // i (fastest in the file), j, k, channel
  int64_t offset;     // target element of the first voxel
  int64_t strides[4]; // in target elements; negative where an axis is turned around
};

constexpr int kMaxOdd = 16;

struct DecodeFindings {
  double nonFinite;
  double firstNonFinite;
  double odd;
  double firstOdd;
  double oddCount;  // distinct values in oddValues
  double oddValues[kMaxOdd];
};

struct DecodeTable {
  // `count` elements from file index `first` on. Scratch holds `count` target elements; it is used when file rows do not lie along target rows.
  void (*toFloat)(const DecodePlan& plan, const uint8_t* bytes, int64_t first, int64_t count, float* target, float* scratch, DecodeFindings& found);
  void (*toUint8)(const DecodePlan& plan, const uint8_t* bytes, int64_t first, int64_t count, uint8_t* target, uint8_t* scratch, DecodeFindings& found, uint8_t* seen);
  void (*toUint16)(const DecodePlan& plan, const uint8_t* bytes, int64_t first, int64_t count, uint16_t* target, uint16_t* scratch, DecodeFindings& found, uint8_t* seen);
};
