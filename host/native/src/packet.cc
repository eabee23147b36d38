// SPDX-License-Identifier: MIT
#include "packet.hh"

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "descriptor.hh"

namespace oneclock {
namespace {

/** What the kernel may keep until we read it; more is lost, and counted. */
constexpr int kReceiveBytes = 4 << 20;
constexpr size_t kAddresses = 2 * ETH_ALEN;
constexpr size_t kTag = 4;

/** struct virtio_net_hdr, whose header no C++ compiler takes. */
struct OffloadHeader {
  static constexpr uint8_t kNeedsChecksum = 1;
  static constexpr uint8_t kNoSegments = 0;
  uint8_t flags;
  uint8_t segments;
  uint16_t header_length;
  uint16_t segment_size;
  uint16_t checksum_start;
  uint16_t checksum_offset;
};
static_assert(sizeof(OffloadHeader) == 10, "as the kernel has it");

template <typename T>
void set_option(int socket, int level, int option, const T& value, const char* name) {
  check(setsockopt(socket, level, option, &value, sizeof value), name);
}

/** What an interface says to an ETHTOOL_G* command; 0 where it does not know it. */
uint32_t ethtool(int socket, ifreq request, uint32_t command) {
  ethtool_value value{command, 0};
  request.ifr_data = reinterpret_cast<char*>(&value);
  return ioctl(socket, SIOCETHTOOL, &request) < 0 ? 0 : value.data;
}

void put_16(uint8_t* place, uint16_t value) {
  place[0] = static_cast<uint8_t>(value >> 8);
  place[1] = static_cast<uint8_t>(value);
}

/** Completes the checksum that the sender left to its hardware. @returns whether that is possible */
bool complete_checksum(uint8_t* frame, size_t length, const OffloadHeader& header) {
  size_t start = header.checksum_start;
  size_t place = start + header.checksum_offset;
  if (place + 2 > length) return false;
  // What is in its place is the sum of the pseudo header.
  uint32_t sum = 0;
  for (size_t i = start; i + 1 < length; i += 2) sum += static_cast<uint32_t>(frame[i] << 8 | frame[i + 1]);
  if ((length - start) % 2 != 0) sum += static_cast<uint32_t>(frame[length - 1] << 8);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  auto checksum = static_cast<uint16_t>(~sum);
  // 0 would say that there is none; this is the same number.
  put_16(frame + place, checksum == 0 ? 0xffff : checksum);
  return true;
}

const tpacket_auxdata* auxiliary_of(msghdr& message) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_PACKET && header->cmsg_type == PACKET_AUXDATA)
      return reinterpret_cast<const tpacket_auxdata*>(CMSG_DATA(header));
  }
  return nullptr;
}

}  // namespace

int Packet::open(const std::string& name) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) {
    errno = ENODEV;
    fail(name);
  }
  name.copy(request.ifr_name, name.size());
  // Of no protocol until it is bound: nothing of other interfaces gets in.
  Descriptor socket(check(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "a packet socket"));
  check(ioctl(socket.get(), SIOCGIFINDEX, &request), name);
  int index = request.ifr_ifindex;
  check(ioctl(socket.get(), SIOCGIFHWADDR, &request), name);
  if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
    errno = EPROTOTYPE;
    fail(name);
  }
  check(ioctl(socket.get(), SIOCGIFFLAGS, &request), name);
  if ((request.ifr_flags & IFF_UP) == 0) {
    errno = ENETDOWN;
    fail(name);
  }
  bool merges = ethtool(socket.get(), request, ETHTOOL_GGRO) != 0 ||
                (ethtool(socket.get(), request, ETHTOOL_GFLAGS) & ETH_FLAG_LRO) != 0;
  if (merges) {
    errno = EOPNOTSUPP;
    fail(name);
  }
  // Beyond the limit of unprivileged programs, where that is allowed.
  if (setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes, sizeof kReceiveBytes) < 0)
    set_option(socket.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBytes, "SO_RCVBUF");
  set_option(socket.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING");
  set_option(socket.get(), SOL_PACKET, PACKET_AUXDATA, 1, "PACKET_AUXDATA");
  set_option(socket.get(), SOL_PACKET, PACKET_VNET_HDR, 1, "PACKET_VNET_HDR");
  packet_mreq promiscuous{};
  promiscuous.mr_ifindex = index;
  promiscuous.mr_type = PACKET_MR_PROMISC;
  set_option(socket.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, promiscuous, "PACKET_ADD_MEMBERSHIP");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = index;
  check(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), name);
  return socket.release();
}

ssize_t Packet::receive(int socket, uint8_t* room, size_t& begin) {
  OffloadHeader header{};
  // Room for the tag, which the kernel has taken out.
  uint8_t* frame = room + kTag;
  iovec parts[] = {{&header, sizeof header}, {frame, kMaxFrame - kTag}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(tpacket_auxdata))];
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t received = recvmsg(socket, &message, MSG_DONTWAIT);
  if (received < 0) return errno == EINTR ? -EAGAIN : -errno;
  size_t length = static_cast<size_t>(received) - std::min(sizeof header, static_cast<size_t>(received));
  // Several packets that the kernel has made one of, which is no frame any more.
  if (header.segments != OffloadHeader::kNoSegments) return -EMSGSIZE;
  if ((message.msg_flags & MSG_TRUNC) != 0 || length < ETH_HLEN) return -EMSGSIZE;
  if ((header.flags & OffloadHeader::kNeedsChecksum) != 0 && !complete_checksum(frame, length, header)) return -EMSGSIZE;
  const tpacket_auxdata* auxiliary = auxiliary_of(message);
  if (auxiliary == nullptr || (auxiliary->tp_status & TP_STATUS_VLAN_VALID) == 0) {
    begin = kTag;
    return static_cast<ssize_t>(length);
  }
  bool known = (auxiliary->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
  begin = 0;
  memmove(room, frame, kAddresses);
  put_16(room + kAddresses, known ? auxiliary->tp_vlan_tpid : ETH_P_8021Q);
  put_16(room + kAddresses + 2, auxiliary->tp_vlan_tci);
  return static_cast<ssize_t>(length + kTag);
}

int Packet::send(int socket, const uint8_t* frame, size_t length) {
  OffloadHeader header{};
  iovec parts[] = {{&header, sizeof header}, {const_cast<uint8_t*>(frame), length}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  ssize_t sent;
  do sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

uint32_t Packet::missed(int socket) {
  tpacket_stats statistics{};
  socklen_t length = sizeof statistics;
  check(getsockopt(socket, SOL_PACKET, PACKET_STATISTICS, &statistics, &length), "PACKET_STATISTICS");
  return statistics.tp_drops;
}

}  // namespace oneclock
