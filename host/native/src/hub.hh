// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "descriptor.hh"

namespace oneclock {

/** What a descriptor in the hub is for. */
enum class SourceKind : uint32_t {
  kStream,
  kListener,
  kSignal,
  kChild,
  kPacket,
  kEdge,  // an eventfd that is not read: each write to it is an event
};

/** What happened to a source; the numbers are part of the interface to JavaScript (addon.ts). */
enum class EventKind : uint32_t {
  kData = 0,        // value: bytes in the data area
  kClosed = 1,      // value: errno, 0 for an orderly end
  kConnection = 2,  // one descriptor
  kSignal = 3,
  kExit = 4,        // value: wait status as in waitid: code << 8 | signal; data: microseconds of CPU time, 64 bits
  kFrame = 5,       // value: bytes in the data area
  kLost = 6,        // a frame that was too long
};

struct Event {
  uint32_t source;
  EventKind kind;
  uint32_t value;
  uint32_t data_offset;
  uint32_t descriptor_offset;
  uint32_t descriptor_count;
};
static_assert(sizeof(Event) == 24, "addon.ts reads six 32-bit words an event");

/**
 * Waits on many descriptors at once and reads what came. One poll fills the event, data and descriptor areas,
 * which are overwritten by the next.
 */
class Hub {
 public:
  static constexpr size_t kMaxEvents = 64;
  static constexpr size_t kDataBytes = 256 * 1024;
  static constexpr size_t kMaxRead = 64 * 1024;
  static constexpr size_t kMaxDescriptors = 512;
  // The kernel passes at most SCM_MAX_FD (253) descriptors in one message; no protocol of ours needs more.
  static constexpr size_t kMaxDescriptorsPerRead = 64;

  Hub();
  ~Hub();

  uint32_t add(int fd, SourceKind kind);
  /** Closes the source's descriptor. Unknown sources are ignored. */
  void remove(uint32_t source);
  /** Listens at `path` with access for this user only. */
  uint32_t listen(const std::string& path);
  /** Frames of the network interface `name`; each is an event. */
  uint32_t open_packet(const std::string& name);
  /** 0, or the errno for which it was not sent. */
  int send_frame(uint32_t source, const uint8_t* frame, size_t length);
  /** How many frames that came there was no room for since this was asked last. */
  uint32_t missed_frames(uint32_t source);
  /** 0, or the errno for which the peer is to be given up. */
  int send(uint32_t source, const uint8_t* bytes, size_t length, const int* fds, size_t count);
  /** How many events there are; 0 after a signal or the time-out. */
  size_t poll(double timeout_ms);

  Event* events() { return events_.get(); }
  uint8_t* data() { return data_.get(); }
  int* descriptors() { return descriptors_.get(); }

 private:
  struct Source {
    Descriptor fd;
    SourceKind kind;
  };

  void read_source(uint32_t id, Source& source);
  void read_stream(uint32_t id, Source& source);
  void read_packet(uint32_t id, Source& source);
  void emit(uint32_t id, EventKind kind, uint32_t value);

  Descriptor epoll_;
  std::unordered_map<uint32_t, Source> sources_;
  uint32_t next_id_ = 1;
  std::unique_ptr<Event[]> events_;
  std::unique_ptr<uint8_t[]> data_;
  std::unique_ptr<int[]> descriptors_;
  size_t event_count_ = 0;
  size_t data_used_ = 0;
  size_t descriptors_used_ = 0;
};

}  // namespace oneclock
