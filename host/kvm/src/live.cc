// SPDX-License-Identifier: MIT
#include "live.hh"

#include <chrono>

#include "descriptor.hh"

namespace oneclock::kvm {

namespace {

constexpr auto kFreezeLimit = std::chrono::seconds(5);

}  // namespace

Live::Live(Vcpu& vcpu, Platform& platform, Interrupts& interrupts, uint32_t devices)
    : vcpu_(vcpu), platform_(platform), interrupts_(interrupts), time_(*platform.real_time()), posted_(devices) {}

void Live::begin() {
  thread_ = pthread_self();
  alarm_.emplace(vcpu_);
}

bool Live::enter() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return !frozen_ || stop_; });
  if (stop_) return false;
  take();
  uint64_t at = deadline();
  alarm_->set(at == RealTime::kLast ? Alarm::kNone : at);
  runs_ = true;
  return true;
}

void Live::leave() {
  std::lock_guard<std::mutex> lock(mutex_);
  runs_ = false;
  if (frozen_) changed_.notify_all();
}

bool Live::sleep() {
  using Clock = std::chrono::steady_clock;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    take();
    if (frozen_ || (interrupts_.next() < 0 && deadline() == RealTime::kLast)) {
      changed_.wait(lock);
    } else {
      if (interrupts_.next() >= 0) return true;
      Clock::time_point until{std::chrono::nanoseconds(deadline())};
      if (changed_.wait_until(lock, until) == std::cv_status::timeout && !frozen_) return true;
    }
  }
  return false;
}

void Live::freeze() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (frozen_) return;
  frozen_ = true;
  time_.freeze();
  rouse();
  if (changed_.wait_for(lock, kFreezeLimit, [this] { return !runs_; })) return;
  errno = ETIMEDOUT;
  fail("freezing a guest");
}

void Live::thaw() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!frozen_) return;
  frozen_ = false;
  time_.thaw();
  changed_.notify_all();
}

bool Live::interrupt_virtio(uint32_t slot, uint32_t bits) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (slot >= posted_.size()) return false;
  posted_[slot] |= bits;
  rouse();
  return true;
}

void Live::wake() {
  std::lock_guard<std::mutex> lock(mutex_);
  rouse();
}

void Live::stop() {
  std::lock_guard<std::mutex> lock(mutex_);
  stop_ = true;
  rouse();
}

/** What devices want goes to the interrupt controller, which is the thread's. */
void Live::take() {
  for (uint32_t slot = 0; slot < posted_.size(); slot++) {
    platform_.virtio().raise(slot, posted_[slot]);
    posted_[slot] = 0;
  }
}

/** When the guest's timer is due, by CLOCK_MONOTONIC; RealTime::kLast where it is not. */
uint64_t Live::deadline() const {
  uint64_t request = platform_.request();
  return request == kNever ? RealTime::kLast : time_.monotonic_at(request);
}

void Live::rouse() {
  if (runs_) kick(vcpu_, thread_);
  changed_.notify_all();
}

}  // namespace oneclock::kvm
