// SPDX-License-Identifier: MIT
#pragma once
#include <pthread.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "kick.hh"
#include "platform.hh"
#include "vcpu.hh"

namespace oneclock::kvm {

/** When a guest in real time may run, and what wakes it: its timer, interrupts of devices, the end of a freeze. */
class Live {
 public:
  /** It is frozen. */
  Live(Vcpu& vcpu, Platform& platform, Interrupts& interrupts, uint32_t devices);

  // For the guest's thread:

  /** Once, before all else. Throws std::system_error. */
  void begin();
  /** Before the guest runs: waits while it is frozen. False where it is to run no more. */
  bool enter();
  /** It does not run any more. */
  void leave();
  /** It halts: until an interrupt comes, and the guest is not frozen. False where it is to run no more. */
  bool sleep();

  // For the controller:

  uint64_t now() const { return time_.now(); }
  /** Its time stands still; on return it does not run. Throws ETIMEDOUT. */
  void freeze();
  void thaw();
  /** False where there is no such device. */
  bool interrupt_virtio(uint32_t slot, uint32_t bits);
  /** Something has changed that it looks at when it enters. */
  void wake();
  void stop();

 private:
  void take();
  uint64_t deadline() const;
  void rouse();

  Vcpu& vcpu_;
  Platform& platform_;
  Interrupts& interrupts_;
  RealTime& time_;
  std::optional<Alarm> alarm_;  // the thread's
  pthread_t thread_{};

  std::mutex mutex_;  // of all that follows
  std::condition_variable changed_;
  bool frozen_ = true;
  bool runs_ = false;
  bool stop_ = false;
  std::vector<uint32_t> posted_;  // bits of InterruptStatus that the thread has not taken yet
};

}  // namespace oneclock::kvm
