// SPDX-License-Identifier: MIT
#include "cpuid.hh"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <cstring>
#include <initializer_list>
#include <memory>

#include "descriptor.hh"
#include "protocols/hypercall/hypercall.h"

namespace oneclock::kvm {

namespace {

constexpr uint32_t kMaxEntries = 256;
constexpr char kSignature[12] = ONECLOCK_HC_SIGNATURE;

// Numbers of an early processor that no kernel has workarounds for that matter in a guest.
constexpr uint32_t kFamilyModelStepping = 0x00800f11;
constexpr uint32_t kCacheLine = 8 << 8;  // CLFLUSH: in units of eight bytes
constexpr uint32_t kHypervisorPresent = 1u << 31;
constexpr uint32_t kAddressBits = 48 << 8 | 40;  // virtual and physical
constexpr uint32_t kLongMode = 1 << 29;

constexpr uint32_t bits(std::initializer_list<int> numbers) {
  uint32_t result = 0;
  for (int number : numbers) result |= 1u << number;
  return result;
}

// SSE3, PCLMULQDQ, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT. Not: x2APIC, TSC deadline, XSAVE and AVX, RDRAND.
constexpr uint32_t kLeaf1C = bits({0, 1, 9, 13, 19, 20, 23});
// FPU VME DE PSE, MSR PAE CX8 SEP PGE, CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2. Not: TSC, MCE, APIC, MTRR, MCA.
constexpr uint32_t kLeaf1D = bits({0, 1, 2, 3, 5, 6, 8, 11, 13, 15, 16, 17, 19, 23, 24, 25, 26});
// BMI1, SMEP, BMI2, ERMS, SMAP. Not: RDSEED, AVX2, INVPCID.
constexpr uint32_t kLeaf7B = bits({3, 7, 8, 9, 20});
constexpr uint32_t kExtendedC = bits({0});              // LAHF in long mode
constexpr uint32_t kExtendedD = bits({11, 20, 26, 29}); // SYSCALL NX 1-GiB pages LM. Not: RDTSCP.

using Entry = kvm_cpuid_entry2;

/**
 * `struct kvm_cpuid2`, whose flexible array the headers of some releases give another size in C++ than in C; the calls'
 * numbers hold the size without it.
 */
struct List {
  uint32_t count;
  uint32_t padding;
  Entry entries[kMaxEntries];
};
struct ListHeader {
  uint32_t count;
  uint32_t padding;
};
constexpr unsigned long kGetSupported = _IOWR(KVMIO, 0x05, ListHeader);
constexpr unsigned long kSet = _IOW(KVMIO, 0x90, ListHeader);

/** Cuts a leaf down to the list. False where the guest is not to see it at all. */
bool restrict(Entry& entry) {
  switch (entry.function) {
    case 0:  // the vendor stays: the processor's own instructions for hypercalls and system calls go with it
      entry.eax = 7;
      return true;
    case 1:
      entry.eax = kFamilyModelStepping;
      entry.ebx = kCacheLine;
      entry.ecx = (entry.ecx & kLeaf1C) | kHypervisorPresent;
      entry.edx &= kLeaf1D;
      return true;
    case 7:
      if (entry.index != 0) return false;
      entry.ebx &= kLeaf7B;
      entry.eax = entry.ecx = entry.edx = 0;
      return true;
    case 0x80000000:
      entry.eax = 0x80000008;
      return true;
    case 0x80000001:
      entry.eax = entry.ebx = 0;
      entry.ecx &= kExtendedC;
      entry.edx &= kExtendedD;
      return true;
    case 0x80000008:
      entry.eax = kAddressBits;
      entry.ebx = entry.ecx = entry.edx = 0;
      return true;
    default:
      return false;
  }
}

}  // namespace

void set_cpuid(int kvm, int vcpu, bool signature) {
  auto supported = std::make_unique<List>();
  supported->count = kMaxEntries;
  check(ioctl(kvm, kGetSupported, supported.get()), "KVM_GET_SUPPORTED_CPUID");
  auto shown = std::make_unique<List>();
  bool long_mode = false;
  for (uint32_t i = 0; i < supported->count; i++) {
    Entry entry = supported->entries[i];
    if (!restrict(entry)) continue;
    if (entry.function == 0x80000001) long_mode = (entry.edx & kLongMode) != 0;
    shown->entries[shown->count++] = entry;
  }
  if (!long_mode) {
    errno = ENOTSUP;
    fail("a 64-bit guest");
  }
  // There in any case: what a processor answers of a leaf that it has not is anything.
  Entry hypervisor{};
  hypervisor.function = hypervisor.eax = ONECLOCK_HC_CPUID;
  if (signature) {
    memcpy(&hypervisor.ebx, kSignature, 4);
    memcpy(&hypervisor.ecx, kSignature + 4, 4);
    memcpy(&hypervisor.edx, kSignature + 8, 4);
  }
  shown->entries[shown->count++] = hypervisor;
  check(ioctl(vcpu, kSet, shown.get()), "KVM_SET_CPUID2");
}

}  // namespace oneclock::kvm
