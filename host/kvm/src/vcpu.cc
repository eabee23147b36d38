// SPDX-License-Identifier: MIT
#include "vcpu.hh"

#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cstring>

#include "cpuid.hh"

namespace oneclock::kvm {

namespace {

// Where a processor begins after a reset; no guest of ours comes here.
constexpr uint64_t kResetBase = 0xffff0000, kResetAddress = 0xfff0;

uint64_t load(const void* from, uint32_t size) {
  uint64_t value = 0;
  memcpy(&value, from, size);
  return value;
}

}  // namespace

Vcpu::Vcpu(int kvm, int vm, bool signature)
    : fd_(check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU")),
      run_length_(static_cast<size_t>(check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE"))) {
  set_cpuid(kvm, fd_.get(), signature);
  void* mapped = mmap(nullptr, run_length_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (mapped == MAP_FAILED) fail("mmap of a virtual processor");
  run_ = static_cast<kvm_run*>(mapped);
  // Asked for once, the general registers come with every exit at next to no cost.
  if (ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS) & KVM_SYNC_X86_REGS) run_->kvm_valid_regs = KVM_SYNC_X86_REGS;
}

Vcpu::~Vcpu() { munmap(run_, run_length_); }

void Vcpu::enter(const GuestMemory& memory, const Entry& entry) {
  enter_long_mode(fd_.get(), memory, entry);
  run_->s.regs.regs = registers().general;
}

Exit Vcpu::run(Interrupts& interrupts) {
  if (accesses_done_ < accesses_) return next_access();
  for (;;) {
    inject(interrupts);
    before_ = run_->s.regs.regs;
    if (ioctl(fd_.get(), KVM_RUN, 0) < 0) {
      if (errno != EINTR && errno != EAGAIN) return {ExitKind::kFailure, 0, 0, static_cast<uint64_t>(errno)};
      // Cleared before anybody looks for what is wanted: a later wish sets it again.
      __atomic_store_n(&run_->immediate_exit, 0, __ATOMIC_SEQ_CST);
      return {ExitKind::kKicked, 0, 0, 0};
    }
    switch (run_->exit_reason) {
      case KVM_EXIT_INTR:
      case KVM_EXIT_IRQ_WINDOW_OPEN:
        continue;
      case KVM_EXIT_HLT:
        if (run_->if_flag && interrupts.next() >= 0) continue;
        return translate();
      default:
        return translate();
    }
  }
}

/** An interrupt goes in between two instructions, where the guest has them on; else KVM says when. */
void Vcpu::inject(Interrupts& interrupts) {
  int vector = interrupts.next();
  if (vector >= 0 && run_->ready_for_interrupt_injection && run_->if_flag) {
    kvm_interrupt interrupt{static_cast<uint32_t>(vector)};
    if (ioctl(fd_.get(), KVM_INTERRUPT, &interrupt) == 0) {
      interrupts.take(static_cast<uint8_t>(vector));
      // What was true before this one went in.
      run_->ready_for_interrupt_injection = 0;
    }
  }
  run_->request_interrupt_window = interrupts.next() >= 0;
}

Exit Vcpu::translate() {
  switch (run_->exit_reason) {
    case KVM_EXIT_IO:
      accesses_done_ = 0;
      accesses_ = run_->io.count;
      return next_access();
    case KVM_EXIT_MMIO:
      answer_at_ = run_->mmio.data;
      answer_size_ = run_->mmio.len;
      if (run_->mmio.is_write)
        return {ExitKind::kWrite, answer_size_, run_->mmio.phys_addr, load(answer_at_, answer_size_)};
      return {ExitKind::kRead, answer_size_, run_->mmio.phys_addr, 0};
    case KVM_EXIT_HYPERCALL:
      answer_at_ = reinterpret_cast<uint8_t*>(&run_->hypercall.ret);
      answer_size_ = sizeof run_->hypercall.ret;
      return {ExitKind::kHypercall, 0, run_->hypercall.nr, run_->hypercall.args[0]};
    case KVM_EXIT_HLT:
      return {ExitKind::kHalt, 0, 0, run_->if_flag};
    case KVM_EXIT_SHUTDOWN:
      return {ExitKind::kShutdown, 0, 0, 0};
    case KVM_EXIT_FAIL_ENTRY:
      return {ExitKind::kEntryFailure, 0, 0, run_->fail_entry.hardware_entry_failure_reason};
    case KVM_EXIT_INTERNAL_ERROR:
      return {ExitKind::kInternalError, 0, 0, run_->internal.suberror};
    default:
      return {ExitKind::kUnknown, 0, 0, run_->exit_reason};
  }
}

Exit Vcpu::next_access() {
  uint32_t size = run_->io.size;
  answer_at_ = reinterpret_cast<uint8_t*>(run_) + run_->io.data_offset + accesses_done_++ * size;
  answer_size_ = size;
  if (run_->io.direction == KVM_EXIT_IO_OUT) return {ExitKind::kOut, size, run_->io.port, load(answer_at_, size)};
  return {ExitKind::kIn, size, run_->io.port, 0};
}

void Vcpu::answer(uint64_t value) { memcpy(answer_at_, &value, answer_size_); }

Registers Vcpu::registers() const {
  Registers result{};
  check(ioctl(fd_.get(), KVM_GET_REGS, &result.general), "KVM_GET_REGS");
  check(ioctl(fd_.get(), KVM_GET_SREGS, &result.system), "KVM_GET_SREGS");
  result.lost = result.system.cs.base == kResetBase && result.general.rip == kResetAddress;
  if (result.lost) result.general = before_;
  return result;
}

}  // namespace oneclock::kvm
