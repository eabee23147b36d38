// SPDX-License-Identifier: MIT
#include "notifications.hh"

#include <algorithm>

namespace oneclock::kvm {

bool Notifications::set_patience(uint32_t slot, uint64_t nanoseconds) {
  if (slot >= devices_.size()) return false;
  devices_[slot].patience = nanoseconds;
  return true;
}

bool Notifications::open(uint32_t slot, uint32_t queue, uint64_t available, uint64_t event) {
  if (slot >= devices_.size() || queue >= kQueues || !at(available) || (event != 0 && !at(event))) return false;
  auto& queues = devices_[slot].queues;
  queues.resize(std::max<size_t>(queues.size(), queue + 1));
  queues[queue] = {at(available), event == 0 ? nullptr : at(event)};
  return true;
}

void Notifications::close(uint32_t slot, uint32_t queue) {
  if (slot < devices_.size() && queue < devices_[slot].queues.size()) devices_[slot].queues[queue] = {};
}

bool Notifications::keep(uint32_t slot, uint64_t queue, uint64_t now) {
  const Device& device = devices_[slot];
  if (device.patience == 0 || queue >= device.queues.size() || record_.notified == kNotifications) return false;
  const Queue& ring = device.queues[queue];
  if (!ring.available) return false;
  uint16_t index = __atomic_load_n(ring.available, __ATOMIC_ACQUIRE);
  // What is made available from now on is another notification, which the driver makes only where it is asked to.
  if (ring.event) __atomic_store_n(ring.event, index, __ATOMIC_RELEASE);
  limit_ = std::min(limit(), device.patience > ~now ? ~uint64_t{0} : now + device.patience);
  record_.notifications[record_.notified++] = {now, static_cast<uint16_t>(slot), static_cast<uint16_t>(queue), index, 0};
  return true;
}

uint16_t* Notifications::at(uint64_t address) const {
  bool there = address % sizeof(uint16_t) == 0 && address <= memory_.length() - sizeof(uint16_t);
  return there ? reinterpret_cast<uint16_t*>(memory_.bytes() + address) : nullptr;
}

}  // namespace oneclock::kvm
