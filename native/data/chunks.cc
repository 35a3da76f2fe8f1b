#include "simd/data/chunks.h"

#ifdef __linux__
#include <fcntl.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "crc32.h"
#include "families.h"
#include "isa.h"
#include "volume-arguments.h"

VOX_DECLARE(ChunksTable, chunksTable)

namespace {

enum class Form { same, int16, float16 };

// So many bytes are still in the cache of a core after they were written.
constexpr ptrdiff_t kCheckedAtOnce = 32 << 10;

// Outputs of so many bytes leave the processor's last cache before they are complete. Smaller ones are still there when the next stage reads them.
size_t leastPastCaches() {
  static const size_t bytes = [] {
    long cache = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
    cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
    constexpr size_t unknown = size_t{8} << 20;
    return cache > 0 ? std::max(unknown, static_cast<size_t>(cache) / 4 * 3) : unknown;
  }();
  return bytes;
}

// How elements are kept: the arguments from `i` on are form (0 same, 1 int16, 2 float16), and for int16 scale and offset of each channel.
struct Encoding {
  Form form = Form::same;
  const double* scale = nullptr;
  const double* offset = nullptr;
  size_t elementBytes(size_t plain) const { return form == Form::same ? plain : 2; }
};

bool readEncoding(const Napi::CallbackInfo& info, size_t i, size_t elementSize, size_t channels, Encoding& encoding) {
  const int64_t form = integer(info, i);
  if (form < 0 || form > 2) return rangeError(info, "chunks: the form must be 0, 1 or 2");
  encoding.form = static_cast<Form>(form);
  if (encoding.form == Form::same) return true;
  if (elementSize != 4) return rangeError(info, "chunks: only float32 has other forms");
  if (encoding.form == Form::float16) return true;
  encoding.scale = elements<double>(info, i + 1, channels);
  if (!encoding.scale) return false;
  encoding.offset = elements<double>(info, i + 2, channels);
  return encoding.offset != nullptr;
}

bool isWithin(int64_t first, int64_t size, int64_t extent) { return first >= 0 && size >= 1 && extent >= size && first <= extent - size; }

// crc32(bytes)
Napi::Value crc32Of(const Napi::CallbackInfo& info) {
  Bytes bytes;
  const size_t count = info[0].IsTypedArray() ? info[0].As<Napi::TypedArray>().ElementLength() : 0;
  if (!readBytes(info, 0, count, bytes)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), crc32(bytes.data, count * bytes.elementSize));
}

// LMDB allocates the pages of every transaction and frees them after it. At glibc's first settings each of these megabytes goes back to the system and comes
// again, page fault by page fault, which takes longer than writing them. Freeing one larger piece raises the bound: glibc adapts to the sizes that it sees.
void keepTransactionsInHeap() {
#ifdef __GLIBC__
  static const bool isDone = [] {
    void* volatile piece = std::malloc(8 << 20);
    std::free(piece);
    return true;
  }();
  (void)isDone;
#endif
}

// packChunk(input, shape, start, size, output, form, scale, offset): the box in C order, then its CRC-32 in four bytes, the low one first.
void packChunk(const Napi::CallbackInfo& info) {
  Extents shape;
  int64_t start[3], size[3];
  Bytes input, output;
  Encoding encoding;
  if (!readExtents(info, 1, shape) || !readTriple(info, 2, start) || !readTriple(info, 3, size) || !readBytes(info, 0, shape.count(), input)) return;
  const size_t channels = static_cast<size_t>(shape.channels);
  if (!readEncoding(info, 5, input.elementSize, channels, encoding)) return;
  if (!isWithin(start[0], size[0], shape.depth) || !isWithin(start[1], size[1], shape.height) || !isWithin(start[2], size[2], shape.width)) {
    rangeError(info, "packChunk: the box must lie inside the array");
    return;
  }
  const size_t row = static_cast<size_t>(size[2]) * channels, rowBytes = row * encoding.elementBytes(input.elementSize);
  const size_t bytes = static_cast<size_t>(size[0] * size[1]) * rowBytes;
  if (!readBytes(info, 4, bytes + 4, output)) return;
  if (output.elementSize != 1) {
    rangeError(info, "packChunk: output must be bytes");
    return;
  }
  keepTransactionsInHeap();
  const ChunksTable& table = VOX_SELECT(chunksTable);
  // Rows that follow each other in the array are one.
  const bool isWide = size[2] == shape.width;
  const int64_t rows = isWide ? 1 : size[1];
  const size_t count = isWide ? static_cast<size_t>(size[1]) * row : row, countBytes = count * encoding.elementBytes(input.elementSize);
  uint8_t *to = output.data, *checked = to;
  uint32_t sum = 0;
  for (int64_t z = 0; z < size[0]; z++) {
    for (int64_t y = 0; y < rows; y++, to += countBytes) {
      if (to - checked >= kCheckedAtOnce) {
        sum = crc32(checked, static_cast<size_t>(to - checked), sum);
        checked = to;
      }
      const uint8_t* from = input.data + ((((start[0] + z) * shape.height + start[1] + y) * shape.width + start[2]) * shape.channels) * input.elementSize;
      if (encoding.form == Form::same) std::memcpy(to, from, countBytes);
      else if (encoding.form == Form::int16) table.toInt16(reinterpret_cast<const float*>(from), to, count, channels, encoding.scale, encoding.offset);
      else table.toFloat16(reinterpret_cast<const float*>(from), to, count);
    }
  }
  sum = crc32(checked, static_cast<size_t>(to - checked), sum);
  for (int k = 0; k < 4; k++) to[k] = static_cast<uint8_t>(sum >> (8 * k));
}

// unpackChunk(chunk, box, output, outShape, form, scale, offset): the box is twelve whole numbers: extents of the chunk, first voxel in it, first voxel in
// the output, extents of what is copied.
void unpackChunk(const Napi::CallbackInfo& info) {
  Extents out;
  Bytes chunk, output;
  Encoding encoding;
  const int32_t* box = elements<int32_t>(info, 1, 12);
  if (!box || !readExtents(info, 3, out) || !readBytes(info, 2, out.count(), output)) return;
  const size_t channels = static_cast<size_t>(out.channels);
  if (!readEncoding(info, 4, output.elementSize, channels, encoding)) return;
  const size_t stored = encoding.elementBytes(output.elementSize);
  const int32_t *extent = box, *from = box + 3, *to = box + 6, *size = box + 9;
  bool fits = isWithin(to[0], size[0], out.depth) && isWithin(to[1], size[1], out.height) && isWithin(to[2], size[2], out.width);
  for (int axis = 0; axis < 3; axis++) fits = fits && isWithin(from[axis], size[axis], extent[axis]);
  const size_t length = info[0].IsTypedArray() ? info[0].As<Napi::TypedArray>().ElementLength() : 0;
  if (!fits || double(extent[0]) * extent[1] * extent[2] * double(channels * stored) > double(length)) {
    rangeError(info, "unpackChunk: the box must lie inside the chunk and the output");
    return;
  }
  if (!readBytes(info, 0, length, chunk)) return;
  if (chunk.elementSize != 1) {
    rangeError(info, "unpackChunk: the chunk must be bytes");
    return;
  }
  const ChunksTable& table = VOX_SELECT(chunksTable);
  // Rows that follow each other on both sides are one.
  const bool isWide = size[2] == extent[2] && size[2] == out.width;
  const int64_t rows = isWide ? 1 : size[1];
  const size_t row = static_cast<size_t>(size[2]) * (isWide ? static_cast<size_t>(size[1]) : 1) * channels;
  const bool isPastCaches = encoding.form == Form::same && out.count() * output.elementSize >= leastPastCaches();
  for (int64_t z = 0; z < size[0]; z++) {
    for (int64_t y = 0; y < rows; y++) {
      const uint8_t* source = chunk.data + static_cast<size_t>(((from[0] + z) * extent[1] + from[1] + y) * extent[2] + from[2]) * channels * stored;
      const size_t at = static_cast<size_t>(((to[0] + z) * out.height + to[1] + y) * out.width + to[2]) * channels;
      uint8_t* target = output.data + at * output.elementSize;
      if (isPastCaches) table.copyPastCaches(source, target, row * stored);
      else if (encoding.form == Form::same) std::memcpy(target, source, row * stored);
      else if (encoding.form == Form::int16) table.fromInt16(source, reinterpret_cast<float*>(target), row, channels, encoding.scale, encoding.offset);
      else table.fromFloat16(source, reinterpret_cast<float*>(target), row);
    }
  }
  if (isPastCaches) table.finishStores();
}

// reserveFile(descriptor, start, length): gives these bytes of a file room on the disk and leaves its size as it is. False where the system or the file system
// cannot, or where there is no such room.
Napi::Value reserveFile(const Napi::CallbackInfo& info) {
  const int64_t descriptor = integer(info, 0), start = integer(info, 1), length = integer(info, 2);
  if (descriptor < 0 || descriptor > INT32_MAX || start < 0 || length < 1 || length > INT64_MAX - start) {
    rangeError(info, "reserveFile: descriptor and start must be >= 0 and length >= 1");
    return info.Env().Undefined();
  }
  bool isDone = false;
#ifdef __linux__
  isDone = fallocate(static_cast<int>(descriptor), FALLOC_FL_KEEP_SIZE, start, length) == 0;
#endif
  return Napi::Boolean::New(info.Env(), isDone);
}

}  // namespace

void registerChunks(Napi::Env env, Napi::Object exports) {
  exports.Set("crc32", Napi::Function::New(env, crc32Of));
  exports.Set("packChunk", Napi::Function::New(env, packChunk));
  exports.Set("unpackChunk", Napi::Function::New(env, unpackChunk));
  exports.Set("reserveFile", Napi::Function::New(env, reserveFile));
}
