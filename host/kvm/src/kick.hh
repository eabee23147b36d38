// SPDX-License-Identifier: MIT
#pragma once
#include <pthread.h>
#include <sys/types.h>

#include <cstdint>
#include <ctime>

#include "vcpu.hh"

namespace oneclock::kvm {

/** Interrupts KVM_RUN, and nothing else: neither Node.js nor the C library uses this one. */
int kick_signal();
void install_kick_signal();

/** Makes the thread that runs `vcpu` leave KVM_RUN, or not go in. The thread is there. */
void kick(Vcpu& vcpu, pthread_t thread);

/** Kicks the thread that has made it, at an instant of CLOCK_MONOTONIC. */
class Alarm {
 public:
  explicit Alarm(Vcpu& vcpu);
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm();

  static constexpr uint64_t kNone = 0;
  /** The one before is forgotten. */
  void set(uint64_t monotonic);

 private:
  timer_t timer_;
  uint64_t at_ = kNone;
};

}  // namespace oneclock::kvm
