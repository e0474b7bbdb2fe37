// The parts of the C++ runtime library that bantam needs, for the library that ships: it keeps them to
// itself, so that a program in C links it without a C++ runtime, and a program in C++ with whichever it has.
// The project's own programs do without this file; sanitizers and allocation tests put their own operators in
// place.
#include <cstdlib>
#include <new>

#ifdef __GLIBCXX__
#include <bits/functexcept.h>
#endif

namespace {

void* allocate(std::size_t bytes) { return std::malloc(bytes == 0 ? 1 : bytes); }

}  // namespace

const std::nothrow_t std::nothrow{};

void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  void* memory = nullptr;
  return posix_memalign(&memory, static_cast<std::size_t>(alignment), bytes == 0 ? 1 : bytes) == 0 ? memory
                                                                                                   : nullptr;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

extern "C" [[noreturn]] void __cxa_pure_virtual() { std::abort(); }

#ifdef __GLIBCXX__
void std::__throw_system_error(int) { std::abort(); }
#endif
