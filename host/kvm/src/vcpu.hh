// SPDX-License-Identifier: MIT
#pragma once
#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>

#include "descriptor.hh"
#include "exit.hh"
#include "interrupts.hh"
#include "long_mode.hh"

namespace oneclock::kvm {

struct Registers {
  kvm_regs general;
  kvm_sregs system;
  /** A triple fault has reset the processor, as it does on AMD: `general` is of the exit before, and `system` says nothing. */
  bool lost;
};

/** One virtual processor. All but interrupt_run is for one thread at a time. */
class Vcpu {
 public:
  /** `signature`: the guest is told that there are ports of ours. */
  Vcpu(int kvm, int vm, bool signature);
  Vcpu(const Vcpu&) = delete;
  Vcpu& operator=(const Vcpu&) = delete;
  ~Vcpu();

  void enter(const GuestMemory& memory, const Entry& entry);

  /**
   * Runs the guest until it leaves for a reason that somebody has to see, taking in interrupts when it can. With
   * kKicked it came back because of interrupt_run.
   */
  Exit run(Interrupts& interrupts);
  /** The value that a kIn, kRead or kHypercall exit asked for. */
  void answer(uint64_t value);
  /** Of a kHypercall exit: what follows the operation. */
  const uint64_t* hypercall_args() const { return reinterpret_cast<const uint64_t*>(run_->hypercall.args + 1); }
  /** Makes `run` return soon, or the next one at once. From any thread. */
  void interrupt_run() { __atomic_store_n(&run_->immediate_exit, 1, __ATOMIC_SEQ_CST); }

  Registers registers() const;

 private:
  void inject(Interrupts& interrupts);
  Exit translate();
  Exit next_access();

  Descriptor fd_;
  size_t run_length_;
  kvm_run* run_;
  // What the registers were when the guest was let go on last.
  kvm_regs before_{};
  uint8_t* answer_at_ = nullptr;
  uint32_t answer_size_ = 0;
  // A string instruction (REP OUTS, REP INS) makes many accesses in one exit of KVM.
  uint32_t accesses_done_ = 0;
  uint32_t accesses_ = 0;
};

}  // namespace oneclock::kvm
