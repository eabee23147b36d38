// SPDX-License-Identifier: MIT
#include "long_mode.hh"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "descriptor.hh"

namespace oneclock::kvm {

namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kTableEntries = 512;
constexpr uint64_t kDirectories = 4;  // of 1 GiB each
constexpr uint64_t kLargePage = uint64_t{2} << 20;

constexpr uint64_t kPresent = 1 << 0, kWritable = 1 << 1, kLarge = 1 << 7;

constexpr uint64_t kCr0 = 1u << 31 | 1 << 5 | 1 << 4 | 1 << 0;  // PG NE ET PE
constexpr uint64_t kCr4 = 1 << 5;                               // PAE
constexpr uint64_t kEfer = 1 << 10 | 1 << 8;                    // LMA LME
constexpr uint64_t kApicEnable = 1 << 11;
constexpr uint64_t kRflagsReserved = 1 << 1;

constexpr uint16_t kCode = 0x10, kData = 0x18;
constexpr uint64_t kCodeDescriptor = 0x00af9b000000ffff, kDataDescriptor = 0x00cf93000000ffff;
constexpr uint16_t kGdtLimit = kData + 7;

kvm_segment segment(uint16_t selector, uint8_t type) {
  kvm_segment made{};
  made.limit = 0xffffffff;
  made.selector = selector;
  made.type = type;
  made.present = made.s = made.g = 1;
  made.l = selector == kCode;
  made.db = selector != kCode;
  return made;
}

void write_page_tables(const GuestMemory& memory) {
  constexpr uint64_t pointers = kPageTables + kPage, directories = pointers + kPage;
  memory.word(kPageTables) = pointers | kPresent | kWritable;
  for (uint64_t i = 0; i < kDirectories; i++)
    memory.word(pointers + i * 8) = (directories + i * kPage) | kPresent | kWritable;
  for (uint64_t i = 0; i < kDirectories * kTableEntries; i++)
    memory.word(directories + i * 8) = i * kLargePage | kPresent | kWritable | kLarge;
}

void write_segments(const GuestMemory& memory) {
  memory.word(kGdt + kCode) = kCodeDescriptor;
  memory.word(kGdt + kData) = kDataDescriptor;
}

}  // namespace

void enter_long_mode(int vcpu, const GuestMemory& memory, const Entry& entry) {
  write_page_tables(memory);
  write_segments(memory);
  kvm_sregs system{};
  check(ioctl(vcpu, KVM_GET_SREGS, &system), "KVM_GET_SREGS");
  system.gdt.base = kGdt;
  system.gdt.limit = kGdtLimit;
  system.idt.base = system.idt.limit = 0;
  system.cr0 = kCr0;
  system.cr3 = kPageTables;
  system.cr4 = kCr4;
  system.efer = kEfer;
  system.cs = segment(kCode, 11);
  system.ds = system.es = system.fs = system.gs = system.ss = segment(kData, 3);
  // There is no local APIC: HLT is to leave the guest.
  system.apic_base &= ~kApicEnable;
  check(ioctl(vcpu, KVM_SET_SREGS, &system), "KVM_SET_SREGS");
  kvm_regs general{};
  general.rip = entry.address;
  general.rsp = entry.stack;
  general.rdi = general.rsi = entry.argument;
  general.rflags = kRflagsReserved;
  check(ioctl(vcpu, KVM_SET_REGS, &general), "KVM_SET_REGS");
}

}  // namespace oneclock::kvm
