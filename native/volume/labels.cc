#include "simd/volume/labels.h"

#include <cstring>
#include <vector>

#include "families.h"
#include "isa.h"
#include "volume-arguments.h"

VOX_DECLARE(LabelTable, labelTable)

namespace {

size_t length(const Napi::CallbackInfo& info, size_t i) {
  return i < info.Length() && info[i].IsTypedArray() ? info[i].As<Napi::TypedArray>().ElementLength() : 0;
}

bool isLabelArray(const Napi::CallbackInfo& info, const Bytes& bytes) {
  return bytes.elementSize == 1 || bytes.elementSize == 2 || rangeError(info, "label maps must have 8 or 16 bits");
}

// oneHot(labels, output, classes) → index of the first label out of range, or -1
Napi::Value oneHot(const Napi::CallbackInfo& info) {
  const size_t count = length(info, 0);
  const int64_t classes = integer(info, 2);
  Bytes labels, output;
  if (classes < 1 || classes > 65536) {
    rangeError(info, "oneHot: classes must be in [1, 65536]");
    return info.Env().Undefined();
  }
  if (!readBytes(info, 0, count, labels) || !isLabelArray(info, labels) || !readBytes(info, 1, count * classes, output)) return info.Env().Undefined();
  if (output.elementSize != 1 && output.elementSize != 4) {
    rangeError(info, "oneHot: output must be a Float32Array or a Uint8Array");
    return info.Env().Undefined();
  }
  float* floats = output.elementSize == 4 ? reinterpret_cast<float*>(output.data) : nullptr;
  const LabelTable& table = VOX_SELECT(labelTable);
  const int64_t wrong = labels.elementSize == 1
                            ? table.oneHot8(labels.data, count, floats, output.data, static_cast<uint32_t>(classes))
                            : table.oneHot16(reinterpret_cast<const uint16_t*>(labels.data), count, floats, output.data, static_cast<uint32_t>(classes));
  return Napi::Number::New(info.Env(), static_cast<double>(wrong));
}

template <class In, class Out>
int64_t mapInto(const In* input, Out* output, size_t count, const uint16_t* table, size_t size) {
  for (size_t i = 0; i < count; i++) {
    if (input[i] >= size) return static_cast<int64_t>(i);
    output[i] = static_cast<Out>(table[input[i]]);
  }
  return -1;
}

// mapLabels(input, output, table) → index of the first label without entry, or -1
Napi::Value mapLabels(const Napi::CallbackInfo& info) {
  const size_t count = length(info, 0), size = length(info, 2);
  Bytes input, output;
  if (!readBytes(info, 0, count, input) || !readBytes(info, 1, count, output)) return info.Env().Undefined();
  if (!isLabelArray(info, input) || !isLabelArray(info, output)) return info.Env().Undefined();
  const uint16_t* table = elements<uint16_t>(info, 2, size);
  if (!table) return info.Env().Undefined();
  const uint16_t* input16 = reinterpret_cast<const uint16_t*>(input.data);
  uint16_t* output16 = reinterpret_cast<uint16_t*>(output.data);
  int64_t wrong;
  if (input.elementSize == 1) {
    wrong = output.elementSize == 1 ? mapInto(input.data, output.data, count, table, size) : mapInto(input.data, output16, count, table, size);
  } else {
    wrong = output.elementSize == 1 ? mapInto(input16, output.data, count, table, size) : mapInto(input16, output16, count, table, size);
  }
  return Napi::Number::New(info.Env(), static_cast<double>(wrong));
}

// argMaxChannels(scores, output, channels)
void argMaxChannels(const Napi::CallbackInfo& info) {
  const size_t voxels = length(info, 1);
  const int64_t channels = integer(info, 2);
  Bytes output;
  if (!readBytes(info, 1, voxels, output) || !isLabelArray(info, output)) return;
  if (channels < 1 || channels > (output.elementSize == 1 ? 256 : 65536)) {
    rangeError(info, "argMaxChannels: channels must fit the output type");
    return;
  }
  const float* scores = elements<float>(info, 0, voxels * channels);
  if (!scores) return;
  const LabelTable& table = VOX_SELECT(labelTable);
  if (output.elementSize == 1) table.argMax8(scores, output.data, voxels, static_cast<uint32_t>(channels));
  else table.argMax16(scores, reinterpret_cast<uint16_t*>(output.data), voxels, static_cast<uint32_t>(channels));
}

// labelCounts(labels) → Float64Array of 256 or 65536 counts
Napi::Value labelCounts(const Napi::CallbackInfo& info) {
  const size_t count = length(info, 0);
  Bytes labels;
  if (!readBytes(info, 0, count, labels) || !isLabelArray(info, labels)) return info.Env().Undefined();
  const size_t size = labels.elementSize == 1 ? 256 : 65536;
  std::vector<uint64_t> counts(size * (size == 256 ? 4 : 1));
  if (size == 256) {
    // Four histograms: runs of one label would wait for their own counter otherwise. Eight equal labels count at once.
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
      uint64_t eight;
      std::memcpy(&eight, labels.data + i, 8);
      const uint64_t first = eight & 255;
      if (eight == first * 0x0101010101010101u) {
        counts[first] += 8;
        continue;
      }
      for (int k = 0; k < 8; k++) counts[(k & 3) * 256 + ((eight >> (8 * k)) & 255)]++;
    }
    for (; i < count; i++) counts[labels.data[i]]++;
    for (int label = 0; label < 256; label++) counts[label] += counts[256 + label] + counts[512 + label] + counts[768 + label];
  } else {
    const uint16_t* wide = reinterpret_cast<const uint16_t*>(labels.data);
    for (size_t i = 0; i < count; i++) counts[wide[i]]++;
  }
  auto result = Napi::Float64Array::New(info.Env(), size);
  for (size_t label = 0; label < size; label++) result.Data()[label] = static_cast<double>(counts[label]);
  return result;
}

}  // namespace

void registerLabels(Napi::Env env, Napi::Object exports) {
  exports.Set("oneHot", Napi::Function::New(env, oneHot));
  exports.Set("mapLabels", Napi::Function::New(env, mapLabels));
  exports.Set("argMaxChannels", Napi::Function::New(env, argMaxChannels));
  exports.Set("labelCounts", Napi::Function::New(env, labelCounts));
}
