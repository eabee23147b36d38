// SPDX-License-Identifier: MIT
#include "hub.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>

#include "packet.hh"

namespace oneclock {

namespace {

constexpr int kBacklog = 128;

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    fail("socket path " + path);
  }
  memcpy(address.sun_path, path.data(), path.size());
  return address;
}

uint64_t microseconds_of(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
}

ssize_t write_some(int fd, const uint8_t* bytes, size_t length, const int* fds, size_t count) {
  iovec vector{const_cast<uint8_t*>(bytes), length};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * Hub::kMaxDescriptorsPerRead)];
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
  }
  ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  // A front-end may hand over a pipe as its notification channel.
  if (sent < 0 && errno == ENOTSOCK && count == 0) sent = write(fd, bytes, length);
  return sent;
}

}  // namespace

Hub::Hub()
    : epoll_(check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      events_(new Event[kMaxEvents]),
      data_(new uint8_t[kDataBytes]),
      descriptors_(new int[kMaxDescriptors]) {}

Hub::~Hub() = default;

uint32_t Hub::add(int fd, SourceKind kind) {
  Descriptor owned(fd);
  int flags = check(fcntl(fd, F_GETFL), "fcntl");
  if ((flags & O_NONBLOCK) == 0) check(fcntl(fd, F_SETFL, flags | O_NONBLOCK), "fcntl");
  uint32_t id = next_id_++;
  epoll_event event{};
  // The writing end of a pipe is only ever written to; waiting for its errors is all that epoll can do there.
  event.events = (flags & O_ACCMODE) == O_WRONLY ? 0u : EPOLLIN;
  if (kind == SourceKind::kEdge) event.events |= EPOLLET;
  event.data.u32 = id;
  check(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  sources_.emplace(id, Source{std::move(owned), kind});
  return id;
}

void Hub::remove(uint32_t id) {
  auto found = sources_.find(id);
  if (found == sources_.end()) return;
  // Somebody else may have the same open file, and it would stay.
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.fd.get(), nullptr);
  sources_.erase(found);
}

uint32_t Hub::listen(const std::string& path) {
  sockaddr_un address = unix_address(path);
  Descriptor socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  // The mode of the socket's file comes from the socket's own inode on Linux: set before bind, there is no
  // moment at which another user could connect.
  check(fchmod(socket.get(), 0600), "fchmod");
  check(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), "bind " + path);
  check(::listen(socket.get(), kBacklog), "listen " + path);
  return add(socket.release(), SourceKind::kListener);
}

int Hub::send(uint32_t id, const uint8_t* bytes, size_t length, const int* fds, size_t count) {
  auto found = sources_.find(id);
  if (found == sources_.end()) return EBADF;
  int fd = found->second.fd.get();
  while (length > 0) {
    ssize_t sent = write_some(fd, bytes, length, fds, count);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes += sent;
    length -= static_cast<size_t>(sent);
    count = 0;
  }
  return 0;
}

uint32_t Hub::open_packet(const std::string& name) { return add(Packet::open(name), SourceKind::kPacket); }

int Hub::send_frame(uint32_t id, const uint8_t* frame, size_t length) {
  auto found = sources_.find(id);
  return found == sources_.end() ? EBADF : Packet::send(found->second.fd.get(), frame, length);
}

uint32_t Hub::missed_frames(uint32_t id) {
  auto found = sources_.find(id);
  return found == sources_.end() ? 0 : Packet::missed(found->second.fd.get());
}

void Hub::emit(uint32_t id, EventKind kind, uint32_t value) {
  events_[event_count_++] = Event{id, kind, value, 0, 0, 0};
}

void Hub::read_stream(uint32_t id, Source& source) {
  size_t room = std::min(kMaxRead, kDataBytes - data_used_);
  if (room == 0 || kMaxDescriptors - descriptors_used_ < kMaxDescriptorsPerRead) return;
  iovec vector{data_.get() + data_used_, room};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptorsPerRead)];
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t length = recvmsg(source.fd.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length < 0 && errno == ENOTSOCK) {
    message.msg_controllen = 0;
    length = read(source.fd.get(), vector.iov_base, room);
  }
  if (length < 0) {
    if (errno != EAGAIN && errno != EINTR) emit(id, EventKind::kClosed, static_cast<uint32_t>(errno));
    return;
  }
  if (length == 0) {
    emit(id, EventKind::kClosed, 0);
    return;
  }
  Event& event = events_[event_count_++];
  event = Event{id,
                EventKind::kData,
                static_cast<uint32_t>(length),
                static_cast<uint32_t>(data_used_),
                static_cast<uint32_t>(descriptors_used_),
                0};
  // JavaScript takes typed views of the data, so each piece starts on an eight-byte boundary.
  data_used_ = std::min(kDataBytes, (data_used_ + static_cast<size_t>(length) + 7) & ~size_t{7});
  if (message.msg_controllen == 0) return;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(descriptors_.get() + descriptors_used_, CMSG_DATA(header), count * sizeof(int));
    descriptors_used_ += count;
    event.descriptor_count += static_cast<uint32_t>(count);
  }
}

/** One frame: what is left is there at the next poll. */
void Hub::read_packet(uint32_t id, Source& source) {
  if (kDataBytes - data_used_ < Packet::kMaxFrame) return;
  size_t begin = 0;
  ssize_t length = Packet::receive(source.fd.get(), data_.get() + data_used_, begin);
  if (length == -EMSGSIZE) {
    emit(id, EventKind::kLost, 0);
  } else if (length >= 0) {
    emit(id, EventKind::kFrame, static_cast<uint32_t>(length));
    events_[event_count_ - 1].data_offset = static_cast<uint32_t>(data_used_ + begin);
    data_used_ = std::min(kDataBytes, (data_used_ + begin + static_cast<size_t>(length) + 7) & ~size_t{7});
  } else if (length != -EAGAIN) {
    emit(id, EventKind::kClosed, static_cast<uint32_t>(-length));
  }
}

void Hub::read_source(uint32_t id, Source& source) {
  switch (source.kind) {
    case SourceKind::kStream:
      read_stream(id, source);
      return;
    case SourceKind::kPacket:
      read_packet(id, source);
      return;
    case SourceKind::kEdge:
      emit(id, EventKind::kSignal, 0);
      return;
    case SourceKind::kSignal: {
      uint8_t ignored[4096];
      ssize_t length;
      do length = read(source.fd.get(), ignored, sizeof ignored);
      while (length == static_cast<ssize_t>(sizeof ignored) || (length < 0 && errno == EINTR));
      if (length > 0) emit(id, EventKind::kSignal, 0);
      else if (length == 0) emit(id, EventKind::kClosed, 0);
      else if (errno != EAGAIN) emit(id, EventKind::kClosed, static_cast<uint32_t>(errno));
      return;
    }
    case SourceKind::kListener: {
      if (descriptors_used_ == kMaxDescriptors) return;
      int fd = accept4(source.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0) return;  // the peer gave up already, or we are out of descriptors: it stays in the backlog
      emit(id, EventKind::kConnection, 0);
      Event& event = events_[event_count_ - 1];
      event.descriptor_offset = static_cast<uint32_t>(descriptors_used_);
      event.descriptor_count = 1;
      descriptors_[descriptors_used_++] = fd;
      return;
    }
    case SourceKind::kChild: {
      if (kDataBytes - data_used_ < sizeof(uint64_t)) return;
      siginfo_t info{};
      rusage usage{};
      // The system call, unlike the C library's function, tells what the child has used.
      if (syscall(SYS_waitid, P_PIDFD, source.fd.get(), &info, WEXITED | WNOHANG, &usage) < 0 || info.si_pid == 0) return;
      auto status = static_cast<uint32_t>(info.si_status);
      emit(id, EventKind::kExit, info.si_code == CLD_EXITED ? status << 8 : status);
      uint64_t microseconds = microseconds_of(usage.ru_utime) + microseconds_of(usage.ru_stime);
      memcpy(data_.get() + data_used_, &microseconds, sizeof microseconds);
      events_[event_count_ - 1].data_offset = static_cast<uint32_t>(data_used_);
      data_used_ += sizeof microseconds;
      remove(id);
      return;
    }
  }
}

size_t Hub::poll(double timeout_ms) {
  event_count_ = data_used_ = descriptors_used_ = 0;
  epoll_event ready[kMaxEvents];
  auto nanoseconds = static_cast<int64_t>(timeout_ms * 1e6);
  timespec timeout{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  int count = epoll_pwait2(epoll_.get(), ready, kMaxEvents, &timeout, nullptr);
  if (count < 0) {
    if (errno == EINTR) return 0;
    fail("epoll_pwait2");
  }
  for (int i = 0; i < count; i++) {
    uint32_t id = ready[i].data.u32;
    auto found = sources_.find(id);
    if (found == sources_.end()) continue;
    // What is wrong with a packet socket is told by reading it.
    if ((ready[i].events & EPOLLIN) == 0 && found->second.kind != SourceKind::kPacket)
      emit(id, EventKind::kClosed, EPIPE);
    else
      read_source(id, found->second);
  }
  return event_count_;
}

}  // namespace oneclock
