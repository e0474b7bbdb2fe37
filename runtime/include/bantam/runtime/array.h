// A fixed-size array whose allocation may fail without an exception.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace bantam {

template <typename T>
class Array {
 public:
  Array() = default;
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  Array(Array&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Array& operator=(Array&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Array() { delete[] data_; }

  // Replaces the content by `size` value-initialized elements; false when memory is short.
  [[nodiscard]] bool allocate(size_t size) {
    T* data = size == 0 ? nullptr : new (std::nothrow) T[size]();
    if (size != 0 && data == nullptr) return false;
    delete[] data_;
    data_ = data;
    size_ = size;
    return true;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  size_t size_bytes() const { return size_ * sizeof(T); }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace bantam
