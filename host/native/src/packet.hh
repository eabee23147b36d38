// SPDX-License-Identifier: MIT
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace oneclock {

/**
 * Ethernet frames of a network interface of this machine, by a packet socket: packet(7). It hears what comes in, whoever
 * it is for, and nothing of what this machine sends itself.
 */
class Packet {
 public:
  /** The longest frame: the largest MTU, the header of Ethernet and a VLAN tag. */
  static constexpr size_t kMaxFrame = 65535 + 14 + 4;

  /**
   * Opens a socket at the interface `name`, which has to be there (else ENODEV), of Ethernet (EPROTOTYPE), up (ENETDOWN),
   * and not to make one of several packets (EOPNOTSUPP), which would be too long for anybody else.
   *
   * @returns its descriptor
   */
  static int open(const std::string& name);

  /**
   * Takes the next frame, whole: with its VLAN tag and its checksums.
   *
   * @param room of kMaxFrame bytes, into which it is read
   * @param begin where in `room` it begins
   * @returns its length; or a negative errno: EAGAIN where there is none, EMSGSIZE where it was too long and is lost
   */
  static ssize_t receive(int socket, uint8_t* room, size_t& begin);

  /** @returns 0, or the errno for which it was not sent */
  static int send(int socket, const uint8_t* frame, size_t length);

  /** How many frames the kernel had no room for since this was asked last. */
  static uint32_t missed(int socket);
};

}  // namespace oneclock
