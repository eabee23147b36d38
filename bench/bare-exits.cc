// SPDX-License-Identifier: MIT
//
// What an exit of a KVM guest costs by itself: a loop of KVM_RUN and nothing around it.
//
//   bare-exits COUNT
//
// A line for each way to exit: its name, microseconds of wall time and of CPU time for one. Hypercalls only where KVM
// gives ours to user space.
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "kvm/src/cpuid.hh"
#include "kvm/src/guest_memory.hh"
#include "kvm/src/long_mode.hh"
#include "native/src/descriptor.hh"
#include "protocols/hypercall/hypercall.h"

namespace {

using oneclock::check;
using oneclock::Descriptor;

constexpr size_t kMemory = 2 << 20;
constexpr unsigned long kTssAddress = 0xfffbd000;
constexpr uint64_t kHypercall = uint64_t{1} << ONECLOCK_HC_NUMBER;

struct Way {
  const char* name;
  std::string code;
  uint32_t reason;
};

const Way kWays[] = {
    // 1: out %al, $0x80; jmp 1b
    {"pio", std::string("\xe6\x80\xeb\xfc", 4), KVM_EXIT_IO},
    // mov $0xd0000060, %edx; 1: mov (%rdx), %eax; jmp 1b
    {"mmio read", std::string("\xba\x60\x00\x00\xd0\x8b\x02\xeb\xfc", 9), KVM_EXIT_MMIO},
    // mov $0xd0000000, %edx; 1: mov %eax, (%rdx); jmp 1b
    {"mmio write", std::string("\xba\x00\x00\x00\xd0\x89\x02\xeb\xfc", 9), KVM_EXIT_MMIO},
    // mov $5, %ebx; 1: mov $30, %eax; vmmcall; jmp 1b
    {"hypercall", std::string("\xbb\x05\x00\x00\x00\xb8\x1e\x00\x00\x00\x0f\x01\xd9\xeb\xf6", 15), KVM_EXIT_HYPERCALL},
};

double microseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

bool has_hypercall(int vm) {
  int possible = ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_EXIT_HYPERCALL);
  return possible > 0 && (static_cast<uint64_t>(possible) & kHypercall) != 0;
}

void measure(int kvm, const Way& way, int count) {
  Descriptor vm(check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM"));
  if (way.reason == KVM_EXIT_HYPERCALL) {
    if (!has_hypercall(vm.get())) return;
    kvm_enable_cap wanted{};
    wanted.cap = KVM_CAP_EXIT_HYPERCALL;
    wanted.args[0] = kHypercall;
    check(ioctl(vm.get(), KVM_ENABLE_CAP, &wanted), "KVM_ENABLE_CAP");
  }
  Descriptor file(check(memfd_create("bare-exits", MFD_CLOEXEC), "memfd_create"));
  check(ftruncate(file.get(), kMemory), "ftruncate");
  oneclock::kvm::GuestMemory memory(file.get(), kMemory);
  check(ioctl(vm.get(), KVM_SET_TSS_ADDR, kTssAddress), "KVM_SET_TSS_ADDR");
  kvm_userspace_memory_region region{};
  region.memory_size = kMemory;
  region.userspace_addr = reinterpret_cast<uint64_t>(memory.bytes());
  check(ioctl(vm.get(), KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
  Descriptor vcpu(check(ioctl(vm.get(), KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU"));
  oneclock::kvm::set_cpuid(kvm, vcpu.get(), false);
  auto length = static_cast<size_t>(check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE"));
  void* mapped = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu.get(), 0);
  if (mapped == MAP_FAILED) oneclock::fail("mmap");
  auto* run = static_cast<kvm_run*>(mapped);
  memcpy(memory.bytes() + oneclock::kvm::kImageBase, way.code.data(), way.code.size());
  oneclock::kvm::enter_long_mode(vcpu.get(), memory, {oneclock::kvm::kImageBase, oneclock::kvm::kPageTables, 0});
  // The first ones fill tables and caches.
  double wall = 0, cpu = 0;
  for (int done = -count / 10; done < count; done++) {
    if (done == 0) {
      wall = microseconds(CLOCK_MONOTONIC);
      cpu = microseconds(CLOCK_PROCESS_CPUTIME_ID);
    }
    check(ioctl(vcpu.get(), KVM_RUN, 0), "KVM_RUN");
    if (run->exit_reason == way.reason) continue;
    fprintf(stderr, "%s: expected exit %u, found %u\n", way.name, way.reason, run->exit_reason);
    exit(1);
  }
  wall = microseconds(CLOCK_MONOTONIC) - wall;
  cpu = microseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("%s: %.3f %.3f\n", way.name, wall / count, cpu / count);
  munmap(mapped, length);
}

}  // namespace

int main(int argc, char** argv) try {
  int count = argc == 2 ? atoi(argv[1]) : 0;
  if (count < 1) {
    fprintf(stderr, "usage: bare-exits COUNT\n");
    return 2;
  }
  Descriptor kvm(check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm"));
  for (const Way& way : kWays) measure(kvm.get(), way, count);
  return 0;
} catch (const std::exception& error) {
  fprintf(stderr, "bare-exits: %s\n", error.what());
  return 1;
}
