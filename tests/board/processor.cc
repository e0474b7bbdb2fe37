// Prints which instruction sets XNNPACK finds on this processor, those that choose among its kernels.
#include <cpuinfo.h>

#include <cstdio>

namespace {

void print(bool present, const char* name) {
  static const char* separator = "";
  if (!present) return;
  std::printf("%s%s", separator, name);
  separator = " ";
}

}  // namespace

int main() {
  if (!cpuinfo_initialize()) return 1;
  print(cpuinfo_has_arm_neon(), "neon");
  print(cpuinfo_has_arm_neon_fp16_arith(), "fp16");
  print(cpuinfo_has_arm_neon_dot(), "dot");
  print(cpuinfo_has_arm_i8mm(), "i8mm");
  print(cpuinfo_has_x86_ssse3(), "ssse3");
  print(cpuinfo_has_x86_sse4_1(), "sse4.1");
  print(cpuinfo_has_x86_avx(), "avx");
  print(cpuinfo_has_x86_f16c(), "f16c");
  print(cpuinfo_has_x86_fma3(), "fma");
  print(cpuinfo_has_x86_avx2(), "avx2");
  print(cpuinfo_has_x86_avx512f(), "avx512");
  print(cpuinfo_has_x86_avx512vnni(), "vnni");
  std::printf("\n");
  return 0;
}
