// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <vector>

#include "exit.hh"
#include "guest_memory.hh"

namespace oneclock::kvm {

/**
 * Notifications of virtio queues (virtio 1.2, 4.2.2: QueueNotify) for which the guest need not stop: they are kept in the
 * record, each with its time, until the controller takes all of them at the next exit that it sees. Until then the guest
 * may not come to a time at which anything could come of them. For the thread whose turn it is.
 */
class Notifications {
 public:
  /** The guest and the controller see to it that no more are ready. */
  static constexpr uint32_t kQueues = 64;

  Notifications(const GuestMemory& memory, ExitRecord& record, uint32_t devices)
      : memory_(memory), record_(record), devices_(devices) {}

  /**
   * How long after a notification of the device nothing can come of it, in nanoseconds; 0: something may at once. False
   * where there is no such device.
   */
  bool set_patience(uint32_t slot, uint64_t nanoseconds);
  /**
   * The queue is ready. `available` is where the index of its available ring is in the guest's memory, `event` where it
   * says for which index it is to be notified; 0: nowhere. False where that is no place, or there is no such queue.
   */
  bool open(uint32_t slot, uint32_t queue, uint64_t available, uint64_t event);
  void close(uint32_t slot, uint32_t queue);

  /** Keeps one that comes `now`. False where the controller has to see it. */
  bool keep(uint32_t slot, uint64_t queue, uint64_t now);
  /** The guest may come to instants before this one only, for what is kept. */
  uint64_t limit() const { return record_.notified == 0 ? ~uint64_t{0} : limit_; }

 private:
  struct Queue {
    uint16_t* available = nullptr;  // null where it is not ready
    uint16_t* event = nullptr;
  };
  struct Device {
    uint64_t patience = 0;
    std::vector<Queue> queues;
  };

  uint16_t* at(uint64_t address) const;

  const GuestMemory& memory_;
  ExitRecord& record_;
  std::vector<Device> devices_;
  uint64_t limit_ = 0;
};

}  // namespace oneclock::kvm
