// SPDX-License-Identifier: MIT
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "descriptor.hh"
#include "exit.hh"
#include "guest_memory.hh"
#include "interrupts.hh"
#include "vcpu.hh"

namespace oneclock::kvm {

/**
 * A virtual machine with one processor and a thread that runs it. The thread stands still at every exit that somebody has
 * to see, with the exit in the record and its event descriptor raised, until resume() is called. All methods are for the
 * one thread that controls the machine.
 */
class Machine {
 public:
  /** Opens `device` (/dev/kvm); `memory` is a sealed file of `length` bytes, which stays the caller's to close. */
  Machine(const std::string& device, int memory, size_t length);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  /** Another descriptor of the event that says: the guest has stopped. The caller closes it. */
  int duplicate_event() const;
  std::shared_ptr<ExitRecord> record() const;

  void start(const Entry& entry);
  /**
   * Lets the guest go on; an exit that asks for a value gets `record()->now.value`. Nothing happens unless it
   * has stopped.
   */
  void resume();
  /** To be taken as soon as the guest can. A halted guest takes it when it is resumed. */
  void interrupt(uint8_t vector);
  /** True where a vector waits that the guest has not taken. */
  bool interrupt_pending() const;
  /** Makes a running guest stop, with kKicked; forgotten where it stops by itself first. */
  void kick();
  /** Only while the guest does not run: EBUSY. */
  Registers registers() const;
  /**
   * Ends the thread and closes everything. Safe to call twice. Throws ETIMEDOUT where KVM does not let go of it:
   * then the thread closes everything when it ends.
   */
  void stop();

 private:
  struct Core;

  void interrupt_thread(Core& core);

  std::shared_ptr<Core> core_;
  std::thread thread_;
};

}  // namespace oneclock::kvm
