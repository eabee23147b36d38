// SPDX-License-Identifier: MIT
#include "kick.hh"

#include <signal.h>
#include <unistd.h>

#include <mutex>

#include "descriptor.hh"

namespace oneclock::kvm {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

/** A kick from another thread has said so already; of an alarm that comes just before KVM_RUN nothing would be left. */
void on_kick(int, siginfo_t* info, void*) {
  if (info->si_code == SI_TIMER) static_cast<Vcpu*>(info->si_value.sival_ptr)->interrupt_run();
}

}  // namespace

int kick_signal() { return SIGRTMIN; }

void install_kick_signal() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = on_kick;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    check(sigaction(kick_signal(), &action, nullptr), "sigaction");
  });
}

void kick(Vcpu& vcpu, pthread_t thread) {
  vcpu.interrupt_run();
  pthread_kill(thread, kick_signal());
}

Alarm::Alarm(Vcpu& vcpu) {
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kick_signal();
  event.sigev_value.sival_ptr = &vcpu;
  event._sigev_un._tid = gettid();
  check(timer_create(CLOCK_MONOTONIC, &event, &timer_), "timer_create");
}

Alarm::~Alarm() { timer_delete(timer_); }

void Alarm::set(uint64_t monotonic) {
  if (monotonic == at_) return;
  at_ = monotonic;
  itimerspec when{};
  when.it_value = {static_cast<time_t>(monotonic / kSecond), static_cast<long>(monotonic % kSecond)};
  timer_settime(timer_, TIMER_ABSTIME, &when, nullptr);
}

}  // namespace oneclock::kvm
