// SPDX-License-Identifier: MIT
#pragma once
#include <condition_variable>
#include <ctime>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "descriptor.hh"
#include "exit.hh"
#include "guest_memory.hh"
#include "interrupts.hh"
#include "platform.hh"
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
  Machine(const std::string& device, int memory, size_t length, std::optional<PlatformOptions> platform);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  /** Another descriptor of the event that says: the guest has stopped. The caller closes it. */
  int duplicate_event() const;
  std::shared_ptr<ExitRecord> record() const;

  /** With a platform the guest waits, as with kWait, for resume(); where its time is real, for thaw(). */
  void start(const Entry& entry);
  /**
   * Lets the guest go on; an exit that asks for a value gets `record()->now.value`. With a platform, `free_until` is
   * taken from the record, and behind kWait `run_at`. Nothing happens unless it has stopped.
   */
  void resume();
  /** To be taken as soon as the guest can. A halted guest takes it when it is resumed. */
  void interrupt(uint8_t vector);
  /** True where an interrupt waits that the guest has not taken. Only while the guest does not run. */
  bool interrupt_pending() const;
  bool interrupt_pending(uint8_t vector) const;
  /**
   * Bits of a virtio device's InterruptStatus. EBUSY where the guest runs and its time is virtual, ENODEV where there is
   * no such device.
   */
  void interrupt_virtio(uint32_t slot, uint32_t bits);
  /** As in notifications.hh. EBUSY where the guest runs, EINVAL where there is no such device, queue or place. */
  void set_patience(uint32_t slot, uint64_t nanoseconds);
  void open_queue(uint32_t slot, uint32_t queue, uint64_t available, uint64_t event);
  void close_queue(uint32_t slot, uint32_t queue);
  /** Makes a running guest stop, with kKicked; forgotten where it stops by itself first. */
  void kick();
  /** Of a guest in real time: it stands still, and its time with it, until thaw(). ETIMEDOUT where it does not. */
  void freeze();
  void thaw();
  /** What time it is for such a guest. */
  uint64_t now() const;
  /** Only while the guest does not run: EBUSY. */
  Registers registers() const;
  /** What the guest's thread has used of a processor. */
  double cpu_ms() const;
  /**
   * Ends the thread and closes everything. Safe to call twice. Throws ETIMEDOUT where KVM does not let go of it:
   * then the thread closes everything when it ends.
   */
  void stop();

 private:
  struct Core;

  template <typename Action>
  void notifications(const char* what, Action action);

  std::shared_ptr<Core> core_;
  std::thread thread_;
  timespec cpu_used_{};  // once it has stopped
};

}  // namespace oneclock::kvm
