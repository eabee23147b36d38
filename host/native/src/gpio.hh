// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>

namespace oneclock {

/**
 * GPIO lines by the character device: include/uapi/linux/gpio.h, version 2. Flags are GPIO_V2_LINE_FLAG_*; `level` is
 * that of an output.
 */

/** Asks `chip`, a path, for a line. @returns its descriptor, which gives the line back when it is closed */
int request_line(const std::string& chip, uint32_t offset, uint64_t flags, bool level);

/** Makes the line another one. */
void configure_line(int line, uint64_t flags, bool level);

bool read_line(int line);
void write_line(int line, bool level);

}  // namespace oneclock
