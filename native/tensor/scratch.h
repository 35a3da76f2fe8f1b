// Working memory that a thread keeps from call to call, aligned to a cache line.
#pragma once

#include <cstddef>
#include <cstdlib>

class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::free(data_); }

  // At least `count` floats of undefined value, or nullptr when memory is short. The pointer holds until the next call.
  float* floats(size_t count) {
    if (count > size_) {
      std::free(data_);
      data_ = nullptr;
      size_ = 0;
      void* memory = nullptr;
      if (posix_memalign(&memory, 64, (count + 16) * sizeof(float)) != 0) return nullptr;
      data_ = static_cast<float*>(memory);
      size_ = count;
    }
    return data_;
  }

 private:
  float* data_ = nullptr;
  size_t size_ = 0;
};
